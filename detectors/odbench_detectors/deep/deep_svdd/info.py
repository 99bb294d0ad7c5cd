"""Facts about Deep SVDD, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo

HIDDEN = (100, 50)


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.deep_svdd.detector import DeepSVDD

    return DeepSVDD(**params)


DEEP_SVDD = DetectorInfo(
    name="deep_svdd",
    summary="Distance to the centre of a hypersphere that a network learns to fill",
    build=_build,
    reference="https://proceedings.mlr.press/v80/ruff18a.html",
    params={
        "hidden": HIDDEN,
        "outputs": 128,
        "epochs": 100,
        "batch_size": 64,
        "lr": 1e-3,
        "weight_decay": 1e-6,
    },
    grid={"lr": (1e-4, 1e-3), "outputs": (16, 32, 128)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
