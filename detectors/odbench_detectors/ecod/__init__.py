"""ECOD: how far each value sits in its column's tails."""
