"""The zoo: odbench's own detectors, registered by the same entry points as any plugin.

Each class is imported when it is first used, so that listing the zoo loads nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Public class -> the detector's folder.
_FOLDERS = {
    "CATS": "cats",
    "COPOD": "copod",
    "DTENP": "dte_np",
    "ECOD": "ecod",
    "EGMM": "egmm",
    "GMM": "gmm",
    "HBOS": "hbos",
    "IForest": "iforest",
    "KDE": "kde",
    "KNN": "knn",
    "LOF": "lof",
    "MCD": "mcd",
    "OCSVM": "ocsvm",
    "PCA": "pca",
}

__all__ = [
    "CATS",
    "COPOD",
    "DTENP",
    "ECOD",
    "EGMM",
    "GMM",
    "HBOS",
    "KDE",
    "KNN",
    "LOF",
    "MCD",
    "OCSVM",
    "PCA",
    "IForest",
]

if TYPE_CHECKING:
    from odbench_detectors.cats.detector import CATS as CATS
    from odbench_detectors.copod.detector import COPOD as COPOD
    from odbench_detectors.dte_np.detector import DTENP as DTENP
    from odbench_detectors.ecod.detector import ECOD as ECOD
    from odbench_detectors.egmm.detector import EGMM as EGMM
    from odbench_detectors.gmm.detector import GMM as GMM
    from odbench_detectors.hbos.detector import HBOS as HBOS
    from odbench_detectors.iforest.detector import IForest as IForest
    from odbench_detectors.kde.detector import KDE as KDE
    from odbench_detectors.knn.detector import KNN as KNN
    from odbench_detectors.lof.detector import LOF as LOF
    from odbench_detectors.mcd.detector import MCD as MCD
    from odbench_detectors.ocsvm.detector import OCSVM as OCSVM
    from odbench_detectors.pca.detector import PCA as PCA


def __getattr__(name: str) -> Any:
    """Import a detector's class from its folder."""
    if name in _FOLDERS:
        module = importlib.import_module(f"odbench_detectors.{_FOLDERS[name]}.detector")
        return getattr(module, name)
    msg = f"module 'odbench_detectors' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """List the public classes."""
    return sorted(__all__)
