"""CATS: different cheap views of a table, calibrated and added up."""
