"""PCA: distance from the principal axes."""
