"""Build PyOD's detectors in the form that odbench expects."""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.pyod.info import UNSEEDED


def build_member(module: str, member: str, params: dict[str, Any]) -> Any:
    """Return an unfitted PyOD detector.

    Parameters
    ----------
    module, member : str
        The file in ``pyod.models`` without its suffix, and the class in it.
    params : dict
        For the constructor.
    """
    kind = getattr(importlib.import_module(f"pyod.models.{module}"), member)
    takes = inspect.signature(kind).parameters
    if "n_features" in takes or member in UNSEEDED:
        return BuiltAtFit(kind, params)
    return kind(**params)


class BuiltAtFit:
    """A PyOD detector that can only be built once the table is known.

    Some need the number of columns. Others take no seed and draw from the global
    generators, even while scoring (dropout stays on), so these generators are seeded
    just before fitting and before scoring.

    Parameters
    ----------
    kind : type
        PyOD's class.
    params : dict
        For its constructor; `random_state` is the seed.
    """

    def __init__(self, kind: Any, params: dict[str, Any]) -> None:
        self.kind, self.params = kind, params

    def fit(self, X: FloatArray) -> BuiltAtFit:
        """Build the detector and fit it on `X`, (n_rows, n_columns) float64."""
        takes = inspect.signature(self.kind).parameters
        params = {k: v for k, v in self.params.items() if k in takes}
        if "n_features" in takes:
            params["n_features"] = X.shape[1]
        _seed_everything(self.params.get("random_state"))
        self._detector = self.kind(**params)
        self._detector.fit(X)
        return self

    def fit_score(self, X: FloatArray) -> Any:
        """Fit on rows and return PyOD's scores of the same rows."""
        self.fit(X)
        return self._detector.decision_scores_

    def decision_function(self, X: FloatArray) -> Any:
        """Score rows as PyOD does: higher is more anomalous."""
        _seed_everything(self.params.get("random_state"))
        return self._detector.decision_function(X)


def _seed_everything(seed: int | None) -> None:
    """Seed the global generators; with None, from the operating system."""
    np.random.seed(seed)  # noqa: NPY002 - the generator that those detectors draw from
    torch = sys.modules.get("torch")
    if torch is not None and seed is not None:
        torch.manual_seed(seed)
