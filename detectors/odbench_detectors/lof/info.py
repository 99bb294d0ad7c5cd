"""Facts about LOF, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.lof.detector import LOF

    return LOF(**params)


LOF = DetectorInfo(
    name="lof",
    summary="Local outlier factor: density of a row against that of its neighbours",
    build=_build,
    reference="https://doi.org/10.1145/335191.335388",
    params={"k": 20},
    grid={"k": (5, 10, 20, 50, 100)},
    compiles=True,
    core=True,
    shares=("odbench.neighbours", "odbench.neighbours.index"),
)
