"""Facts about the autoencoder, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo

HIDDEN = (64, 32, 16)


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.autoencoder.detector import AutoEncoder

    return AutoEncoder(**params)


AUTOENCODER = DetectorInfo(
    name="autoencoder",
    summary="Error with which a narrow network reconstructs a row",
    build=_build,
    reference="https://arxiv.org/abs/2304.00709",
    params={
        "loss": "mse",
        "scoring": "error",
        "hidden": HIDDEN,
        "error_weight": 1.0,
        "variance_weight": 1.0,
        "k": 20,
        "epochs": 100,
        "batch_size": 64,
        "lr": 1e-3,
        "weight_decay": 0.0,
    },
    grid={"loss": ("mse", "apre"), "scoring": ("error", "mean_shift")},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
