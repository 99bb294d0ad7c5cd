"""Facts about PCA, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.pca.detector import PCA

    return PCA(**params)


PCA = DetectorInfo(
    name="pca",
    summary="PCA: distance from the principal axes over their share of the variance",
    build=_build,
    reference="https://apps.dtic.mil/sti/citations/ADA465712",
    params={"floor": 0.0},
    grid={"floor": (0.0, 1e-12)},
    core=True,
)
