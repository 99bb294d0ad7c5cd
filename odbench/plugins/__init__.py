"""Find detectors by text or object, and describe how to build them."""

from __future__ import annotations

import importlib
from typing import Any

_FIND = ("core_zoo", "find_detector", "find_detectors", "grid_of", "list_detectors")


def __getattr__(name: str) -> Any:
    """Import a function of `odbench.plugins.find` on first use."""
    if name in _FIND:
        return getattr(importlib.import_module("odbench.plugins.find"), name)
    msg = f"module 'odbench.plugins' has no attribute {name!r}"
    raise AttributeError(msg)
