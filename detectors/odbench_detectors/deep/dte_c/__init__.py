"""DTE-C: diffusion time, estimated by a classifier."""
