"""Facts about the isolation forest, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.iforest.detector import IForest

    return IForest(**params)


IFOREST = DetectorInfo(
    name="iforest",
    summary="Isolation forest: mean depth at which random cuts set a row apart",
    build=_build,
    reference="https://doi.org/10.1109/ICDM.2008.17",
    params={"trees": 100, "samples": 256},
    grid={"trees": (100, 300), "samples": (128, 256, 1024)},
    deterministic=False,
    compiles=True,
    core=True,
)
