"""Facts about OutFormer, known without importing torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from odbench.detector import DetectorInfo, Weights


def _build(**params: Any) -> Any:
    from odbench_detectors.foundation.outformer.detector import OutFormer

    return OutFormer(**params)


def _weights(**params: Any) -> tuple[Weights, ...]:
    from odbench_detectors.foundation.hub import weights_of

    return weights_of({"checkpoint": "outformer"}, params, _check)


def _check(path: Path) -> None:
    from odbench_detectors.foundation.prior_fitted import check_network

    check_network(path)


OUTFORMER = DetectorInfo(
    name="outformer",
    summary="Mean log-odds of 50 contexts by a larger network; bring its checkpoint",
    build=_build,
    reference="https://proceedings.mlr.press/v306/ding26s.html",
    params={
        "checkpoint": "",
        "passes": 50,
        "context": 5000,
        "transform": "standard",
        "device": "auto",
    },
    grid={"transform": ("quantile", "standard"), "passes": (10, 50)},
    deterministic=False,
    requires=("torch", "safetensors"),
    extra="foundation",
    devices=("cpu", "cuda"),
    weights=_weights,
)
