"""What is known about CATS before it is built."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def build(**params: Any) -> Any:
    """Return an unfitted CATS."""
    from odbench_detectors.cats.detector import CATS

    return CATS(**params)


INFO = DetectorInfo(
    name="cats",
    summary="CAlibrated Tail Sum: different cheap views of a table, each calibrated "
    "against the train rows, added up.",
    build=build,
    core=True,
)
