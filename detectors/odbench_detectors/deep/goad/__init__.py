"""GOAD: classification of random affine transformations."""
