"""SLAD: scale learning."""
