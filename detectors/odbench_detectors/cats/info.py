"""Facts about CATS, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.cats.detector import CATS

    return CATS(**params)


CATS = DetectorInfo(
    name="cats",
    summary="Calibrated tail sum: eight cheap views, each calibrated on train rows",
    build=_build,
    scores_batch=True,
    trims=True,
    compiles=True,
    core=True,
    shares=(
        "odbench.neighbours",
        "odbench.neighbours.index",
        "odbench.sorted_columns",
    ),
)
