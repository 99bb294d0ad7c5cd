"""The detectors that AUTO searches, and how each is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from odbench.arrays import FloatArray

# The detector with the best results in the one-class setting; see docs/recommend.md.
INCUMBENT = "cats"


def _cats() -> Any:
    from odbench_detectors.cats.detector import CATS

    return CATS()


def _knn(k: int, method: str = "mean") -> Any:
    from odbench_detectors.knn.detector import KNN

    return KNN(k=k, method=method)


def _lof(k: int) -> Any:
    from odbench_detectors.lof.detector import LOF

    return LOF(k=k)


def _dte_np() -> Any:
    from odbench_detectors.dte_np.detector import DTENP

    return DTENP(continuous=True)


def gaussian(components: int = 1) -> Any:
    """Return an unfitted Gaussian mixture."""
    from odbench_detectors.gmm.detector import GMM

    return GMM(components=components)


def _ecod() -> Any:
    from odbench_detectors.ecod.detector import ECOD

    return ECOD()


def copod() -> Any:
    """Return an unfitted COPOD."""
    from odbench_detectors.copod.detector import COPOD

    return COPOD()


# Names as `odbench run --detectors` takes them. The incumbent is first.
CANDIDATES: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        INCUMBENT: _cats,
        "knn:method=mean": partial(_knn, 5),
        "dte_np:continuous=true": _dte_np,
        "lof": partial(_lof, 20),
        "gmm": gaussian,
        "gmm:components=5": partial(gaussian, 5),
        "ecod": _ecod,
        "copod": copod,
    }
)


def global_members(seed: int, n: int) -> dict[str, tuple[float, Any]]:
    """Return detectors that tolerate many anomalies in train, with their weights.

    Parameters
    ----------
    seed : int
    n : int
        Train rows.
    """
    from odbench_detectors.iforest.detector import IForest

    return {
        "copod": (2.0, copod()),
        "knn:k=20": (1.0, _knn(min(20, max(n - 1, 1)), "largest")),
        "iforest": (1.0, IForest(random_state=seed)),
    }


def near(n: int) -> Any:
    """Return an unfitted detector that looks close by, for n train rows."""
    return _knn(min(5, max(n - 1, 1)), "largest")


def own_scores(detector: Any, X: FloatArray) -> FloatArray:
    """Fit a detector and score the same rows, each as if left out where it can."""
    if hasattr(detector, "fit_score"):
        return np.asarray(detector.fit_score(X), dtype=np.float64)
    return np.asarray(detector.fit(X).decision_function(X), dtype=np.float64)
