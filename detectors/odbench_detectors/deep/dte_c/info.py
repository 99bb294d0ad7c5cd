"""Facts about DTE-C, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo

HIDDEN = (256, 512, 256)


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.dte_c.detector import DTEC

    return DTEC(**params)


DTE_C = DetectorInfo(
    name="dte_c",
    summary="Expected amount of diffusion noise in a row, by a classifying network",
    build=_build,
    reference="https://arxiv.org/abs/2305.18593",
    params={
        "hidden": HIDDEN,
        "bins": 7,
        "steps": 400,
        "dropout": 0.5,
        "softmax": "twice",
        "epochs": 400,
        "batch_size": 64,
        "lr": 1e-4,
        "weight_decay": 5e-4,
    },
    grid={"lr": (1e-4, 1e-3), "bins": (5, 7, 15)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
