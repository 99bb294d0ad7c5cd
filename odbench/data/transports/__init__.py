"""The sources of data sets: the hub, URLs, a mirror, a generator."""
