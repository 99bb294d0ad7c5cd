"""What is known of the isolation forest before it is built."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.forest.detector import IsolationForest

    return IsolationForest(**params)


IFOREST = DetectorInfo(
    name="iforest",
    summary="Isolation forest: mean depth at which random cuts set a row apart",
    build=_build,
    reference="https://doi.org/10.1109/ICDM.2008.17",
    params={"trees": 100, "samples": 256},
    grid={"trees": (100, 300), "samples": (128, 256, 1024)},
    deterministic=False,
    core=True,
)
