"""Probes that hold a detector against the contract."""
