"""ECOD: how far each value lies in the tails of its column."""
