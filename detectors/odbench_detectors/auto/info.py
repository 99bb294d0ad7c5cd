"""Facts about AUTO, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.auto.detector import AUTO

    return AUTO(**params)


AUTO = DetectorInfo(
    name="auto",
    summary="Search without labels: a detector chosen on made-up anomalies",
    build=_build,
    params={"budget": 20_000},
    grid={"budget": (0, 20_000)},
    deterministic=False,
    trims=True,
)
