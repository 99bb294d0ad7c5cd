"""From the text or object that names a detector to a configuration that builds it."""

from __future__ import annotations

import importlib
from typing import Any

_FIND = ("core_zoo", "find_detector", "find_detectors", "grid_of", "list_detectors")


def __getattr__(name: str) -> Any:
    """Load a function of `odbench.plugins.find` when it is first used."""
    if name in _FIND:
        return getattr(importlib.import_module("odbench.plugins.find"), name)
    msg = f"module 'odbench.plugins' has no attribute {name!r}"
    raise AttributeError(msg)
