"""Two detectors that odbench finds when this package is installed."""
