"""Facts about COPOD, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.copod.detector import COPOD

    return COPOD(**params)


COPOD = DetectorInfo(
    name="copod",
    summary="ECOD's sibling: each column's tail by skewness, or the mean of both.",
    build=_build,
    reference="https://doi.org/10.1109/ICDM50108.2020.00135",
    params={"reference": "train", "device": "auto"},
    grid={"reference": ("train", "batch")},
    compiles=True,
    core=True,
    devices=("cpu", "cuda"),
    shares=("odbench.sorted_columns",),
)
