"""HBOS: histograms of columns."""
