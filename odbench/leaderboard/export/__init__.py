"""A leaderboard for a paper: tables, figures, the protocol in words, references."""
