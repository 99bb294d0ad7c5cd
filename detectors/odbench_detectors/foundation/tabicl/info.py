"""Facts about TabICL, known without importing torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from odbench.detector import DetectorInfo, Weights

FILES = {"checkpoint": "tabicl_classifier", "regressor": "tabicl_regressor"}


def _build(**params: Any) -> Any:
    from odbench_detectors.foundation.tabicl.detector import TabICL

    return TabICL(**params)


def _weights(**params: Any) -> tuple[Weights, ...]:
    from odbench_detectors.foundation.hub import weights_of

    needed = dict(FILES)
    if params.get("tasks") == "random":
        del needed["regressor"]
    return weights_of(needed, params, _check)


def _check(path: Path) -> None:
    from odbench_detectors.foundation.tabicl.model import check_model

    check_model(path)


TABICL = DetectorInfo(
    name="tabicl",
    summary="Density by TabICL, or its classification against pseudo-anomalies",
    build=_build,
    reference="https://arxiv.org/abs/2602.11139",
    params={
        "tasks": "density",
        "n_estimators": 8,
        "n_permutations": 4,
        "n_tasks": 4,
        "context": 1000,
        "checkpoint": "",
        "regressor": "",
        "device": "auto",
    },
    grid={"tasks": ("density", "random"), "n_estimators": (1, 8)},
    deterministic=False,
    requires=("torch", "tabicl"),
    extra="foundation",
    devices=("cpu", "cuda"),
    weights=_weights,
)
