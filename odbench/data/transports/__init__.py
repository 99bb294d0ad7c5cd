"""Where data sets come from: the hub, URLs, a mirror, a generator."""
