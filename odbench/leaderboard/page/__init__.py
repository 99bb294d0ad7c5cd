"""The leaderboard as one page."""
