"""The suite `machines`: two made-up tables."""
