"""Nearest neighbours, found once and shared by all detectors that need them."""
