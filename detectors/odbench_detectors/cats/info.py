"""What is known about CATS before it is built."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.cats.detector import CATS

    return CATS(**params)


INFO = DetectorInfo(
    name="cats",
    summary="Calibrated tail sum: eight cheap views, each calibrated on train rows",
    build=_build,
    core=True,
    shares=(
        "odbench.neighbours",
        "odbench.neighbours.index",
        "odbench.sorted_columns",
    ),
)
