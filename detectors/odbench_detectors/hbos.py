"""What is known about HBOS before it is built."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def build(**params: Any) -> Any:
    """Return an unfitted HBOS."""
    from odbench_detectors.histogram import HBOS

    return HBOS(**params)


INFO = DetectorInfo(
    name="hbos",
    summary="Histogram of every column; the negative log densities added up.",
    build=build,
    params={"n_bins": 10, "alpha": 0.1, "tol": 0.5},
    grid={"n_bins": (5, 10, 20, 50), "alpha": (0.1,)},
    core=True,
    shares=("odbench.sorted_columns",),
)
