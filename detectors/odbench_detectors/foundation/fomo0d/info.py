"""Facts about FoMo-0D, known without importing torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from odbench.detector import DetectorInfo, Weights


def _build(**params: Any) -> Any:
    from odbench_detectors.foundation.fomo0d.detector import FoMo0D

    return FoMo0D(**params)


def _weights(**params: Any) -> tuple[Weights, ...]:
    from odbench_detectors.foundation.hub import weights_of

    return weights_of({"checkpoint": "fomo0d"}, params, _check)


def _check(path: Path) -> None:
    from odbench_detectors.foundation.prior_fitted import check_network

    check_network(path)


FOMO0D = DetectorInfo(
    name="fomo0d",
    summary="Log-odds by a network that takes the train rows as its context",
    build=_build,
    reference="https://arxiv.org/abs/2409.05672",
    params={
        "checkpoint": "",
        "passes": 4,
        "context": 5000,
        "transform": "quantile",
        "device": "auto",
    },
    grid={"transform": ("quantile", "standard"), "context": (1000, 5000)},
    deterministic=False,
    requires=("torch", "safetensors"),
    extra="foundation",
    devices=("cpu", "cuda"),
    weights=_weights,
)
