"""KDE: exact Gaussian kernel density."""
