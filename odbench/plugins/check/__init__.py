"""Probes that check a detector against the contract."""
