"""Slow, obvious versions of what odbench computes fast."""
