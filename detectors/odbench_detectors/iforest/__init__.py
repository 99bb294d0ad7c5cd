"""Isolation forest: rows that few random cuts separate are anomalous."""
