"""Functions that join both halves: they make results and read them."""
