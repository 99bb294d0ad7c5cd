"""Detectors whose weights were trained before they see a table.

Nothing here imports torch until a detector is built; `docs/foundation.md` says how the
weights are found, checked and read.
"""
