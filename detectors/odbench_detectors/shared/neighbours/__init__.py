"""Nearest neighbours: found once, used by every detector that asks."""
