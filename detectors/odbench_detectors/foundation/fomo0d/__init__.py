"""FoMo-0D: a network trained on synthetic Gaussian mixtures."""
