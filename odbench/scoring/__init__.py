"""From scores to metrics, and from metrics to statistics over data sets."""
