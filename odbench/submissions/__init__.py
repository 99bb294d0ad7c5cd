"""Submissions: packed by authors, checked by anyone, evaluated on hidden labels."""
