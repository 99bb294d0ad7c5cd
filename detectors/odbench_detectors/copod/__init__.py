"""COPOD: ECOD's column tails, combined in another way."""
