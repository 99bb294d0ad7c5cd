"""Facts about HBOS, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.hbos.detector import HBOS

    return HBOS(**params)


HBOS = DetectorInfo(
    name="hbos",
    summary="Histogram of every column; the negative log densities added up.",
    build=_build,
    params={"n_bins": 10, "alpha": 0.1, "tol": 0.5},
    grid={"n_bins": (5, 10, 20, 50), "alpha": (0.1,)},
    compiles=True,
    core=True,
    shares=("odbench.sorted_columns",),
)
