"""Isolation forest: rows that few random splits isolate are anomalous."""
