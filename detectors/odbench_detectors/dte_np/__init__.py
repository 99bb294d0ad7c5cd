"""DTE-NP: diffusion time, estimated from nearest neighbours."""
