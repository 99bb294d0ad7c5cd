"""KDSM: the length of a denoising step, with noise by the columns' kurtosis."""
