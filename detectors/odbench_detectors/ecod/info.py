"""Facts about ECOD, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.ecod.detector import ECOD

    return ECOD(**params)


ECOD = DetectorInfo(
    name="ecod",
    summary="Empirical tail probabilities of every column, in nats, added up.",
    build=_build,
    reference="https://doi.org/10.1109/TKDE.2022.3159580",
    params={"aggregate": "sums", "reference": "train", "device": "auto"},
    grid={"aggregate": ("sums", "columns"), "reference": ("train", "batch")},
    compiles=True,
    core=True,
    devices=("cpu", "cuda"),
    shares=("odbench.sorted_columns",),
)
