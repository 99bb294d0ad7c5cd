"""Autoencoder: the error with which a row is reconstructed."""
