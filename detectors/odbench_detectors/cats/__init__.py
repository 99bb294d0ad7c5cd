"""CATS: several inexpensive views of a table, calibrated and added."""
