"""Facts about GOAD, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.goad.detector import GOAD

    return GOAD(**params)


GOAD = DetectorInfo(
    name="goad",
    summary="How well a network tells which random transformation a row went through",
    build=_build,
    reference="https://arxiv.org/abs/2005.02359",
    params={
        "transformations": 256,
        "width": 32,
        "code": 8,
        "margin": 1.0,
        "triplet": 0.1,
        "epochs": 1,
        "batch_size": 64,
        "lr": 1e-3,
    },
    grid={"epochs": (1, 5, 25), "transformations": (64, 256)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
