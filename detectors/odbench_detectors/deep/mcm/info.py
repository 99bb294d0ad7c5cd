"""Facts about masked cell modelling, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.mcm.detector import MCM

    return MCM(**params)


MCM = DetectorInfo(
    name="mcm",
    summary="Reconstruction error of rows whose cells are hidden by learnt masks",
    build=_build,
    reference="https://openreview.net/forum?id=lNZJyEDxy4",
    params={
        "masks": 15,
        "diversity": 5.0,
        "hidden": 256,
        "code": 128,
        "epochs": 200,
        "batch_size": 512,
        "lr": 0.05,
        "weight_decay": 1e-5,
    },
    grid={"masks": (5, 15), "lr": (1e-3, 0.01, 0.05)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
