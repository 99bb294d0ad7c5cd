"""Own tables: read, roles, encode, score, report."""
