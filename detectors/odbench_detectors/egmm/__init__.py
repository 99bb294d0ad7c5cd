"""EGMM: an ensemble of Gaussian mixtures."""
