"""GMM: one Gaussian mixture."""
