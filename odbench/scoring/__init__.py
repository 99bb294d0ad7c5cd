"""Compute metrics from scores, and statistics over data sets from metrics."""
