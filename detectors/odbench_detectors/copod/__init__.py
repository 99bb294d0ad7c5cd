"""COPOD: copula-based outlier detection, from the same column tails as ECOD."""
