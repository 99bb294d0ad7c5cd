"""Describe `mad` for odbench; heavy imports wait until it is built."""

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_example_plugin.mad import MedianDeviation

    return MedianDeviation(**params)


MAD = DetectorInfo(
    name="mad",
    summary="Largest deviation from the median, in median absolute deviations",
    build=_build,
    reference="https://doi.org/10.2307/2285666",
    params={"columns": 1},
    grid={"columns": (1, 3)},
)
