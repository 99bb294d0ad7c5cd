"""MCD: robust Mahalanobis distance."""
