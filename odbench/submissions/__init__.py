"""Submissions: packed by authors, checked by anybody, evaluated on hidden labels."""
