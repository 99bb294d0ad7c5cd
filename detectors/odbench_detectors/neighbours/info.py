"""What is known of knn, lof and dte_np without importing them."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo

_SHARES = ("odbench.neighbours", "odbench.neighbours.index")


def _knn(**params: Any) -> Any:
    from odbench_detectors.neighbours.knn import KNearest

    return KNearest(**params)


def _lof(**params: Any) -> Any:
    from odbench_detectors.neighbours.lof import LocalOutlierFactor

    return LocalOutlierFactor(**params)


def _dte_np(**params: Any) -> Any:
    from odbench_detectors.neighbours.dte_np import DiffusionTime

    return DiffusionTime(**params)


KNN = DetectorInfo(
    name="knn",
    summary="Distance to the k-th nearest training row, or the mean over the k nearest",
    build=_knn,
    reference="https://doi.org/10.1145/335191.335437",
    params={"k": 5, "method": "largest"},
    grid={"k": (1, 5, 10, 20, 50), "method": ("largest", "mean")},
    core=True,
    shares=_SHARES,
)

LOF = DetectorInfo(
    name="lof",
    summary="Local outlier factor: density of a row against that of its neighbours",
    build=_lof,
    reference="https://doi.org/10.1145/335191.335388",
    params={"k": 20},
    grid={"k": (5, 10, 20, 50, 100)},
    core=True,
    shares=_SHARES,
)

DTE_NP = DetectorInfo(
    name="dte_np",
    summary="Diffusion time by nearest neighbours: a step function of mean distance",
    build=_dte_np,
    reference="https://arxiv.org/abs/2305.18593",
    params={"k": 5, "continuous": False},
    grid={"k": (1, 5, 10, 20), "continuous": (False, True)},
    core=True,
    shares=_SHARES,
)
