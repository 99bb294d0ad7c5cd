"""AUTO: a search among the core zoo without labels."""
