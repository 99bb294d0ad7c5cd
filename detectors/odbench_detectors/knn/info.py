"""Facts about kNN, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.knn.detector import KNN

    return KNN(**params)


KNN = DetectorInfo(
    name="knn",
    summary="Distance to the k-th nearest training row, or the mean over the k nearest",
    build=_build,
    reference="https://doi.org/10.1145/335191.335437",
    params={"k": 5, "method": "largest"},
    grid={"k": (1, 5, 10, 20, 50), "method": ("largest", "mean")},
    compiles=True,
    core=True,
    shares=("odbench.neighbours", "odbench.neighbours.index"),
)
