"""A benchmark of outlier detectors on thousands of tables.

Names are loaded when they are first used: ``import odbench`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module that defines it.
_EXPORTS = {
    "Dataset": "odbench.data.dataset",
    "load_dataset": "odbench.data.catalog",
    "run": "odbench.api.run",
    "score": "odbench.api.score",
    "recommend": "odbench.api.recommend",
    "rank_columns": "odbench.api.columns",
    "build_leaderboard": "odbench.api.frames",
    "compare_methods": "odbench.leaderboard.pairs",
    "list_datasets": "odbench.api.lists",
    "list_detectors": "odbench.api.lists",
    "list_suites": "odbench.api.lists",
    "render_page": "odbench.api.page",
    "read_results": "odbench.results",
    "explain": "odbench.plugins.explain",
    "explain_row": "odbench.plugins.explain",
    "find_detector": "odbench.plugins.find",
    "check_detector": "odbench.plugins.check.contract",
    "Detector": "odbench.detector",
    "DetectorFamily": "odbench.detector",
    "DetectorInfo": "odbench.detector",
    "OdbenchError": "odbench.errors",
}

__all__ = [
    "Dataset",
    "Detector",
    "DetectorFamily",
    "DetectorInfo",
    "OdbenchError",
    "__version__",
    "build_leaderboard",
    "check_detector",
    "compare_methods",
    "explain",
    "explain_row",
    "find_detector",
    "list_datasets",
    "list_detectors",
    "list_suites",
    "load_dataset",
    "rank_columns",
    "read_results",
    "recommend",
    "render_page",
    "run",
    "score",
]

if TYPE_CHECKING:
    from odbench.api.columns import rank_columns as rank_columns
    from odbench.api.frames import build_leaderboard as build_leaderboard
    from odbench.api.lists import list_datasets as list_datasets
    from odbench.api.lists import list_detectors as list_detectors
    from odbench.api.lists import list_suites as list_suites
    from odbench.api.page import render_page as render_page
    from odbench.api.recommend import recommend as recommend
    from odbench.api.run import run as run
    from odbench.api.score import score as score
    from odbench.data.catalog import load_dataset as load_dataset
    from odbench.data.dataset import Dataset as Dataset
    from odbench.detector import Detector as Detector
    from odbench.detector import DetectorFamily as DetectorFamily
    from odbench.detector import DetectorInfo as DetectorInfo
    from odbench.errors import OdbenchError as OdbenchError
    from odbench.leaderboard.pairs import compare_methods as compare_methods
    from odbench.plugins.check.contract import check_detector as check_detector
    from odbench.plugins.explain import explain as explain
    from odbench.plugins.explain import explain_row as explain_row
    from odbench.plugins.find import find_detector as find_detector
    from odbench.results import read_results as read_results


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    msg = f"module 'odbench' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
