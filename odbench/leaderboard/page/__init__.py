"""The leaderboard as a single HTML page."""
