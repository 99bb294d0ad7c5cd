"""What is known about COPOD before it is built."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def build(**params: Any) -> Any:
    """Return an unfitted COPOD."""
    from odbench_detectors.ecod.copod import COPOD

    return COPOD(**params)


INFO = DetectorInfo(
    name="copod",
    summary="ECOD's sibling: each column's tail by skewness, or the mean of both.",
    build=build,
    reference="https://doi.org/10.1109/ICDM50108.2020.00135",
    params={"reference": "train", "device": "auto"},
    grid={"reference": ("train", "batch")},
    core=True,
    devices=("cpu", "cuda"),
    shares=("odbench.sorted_columns",),
)
