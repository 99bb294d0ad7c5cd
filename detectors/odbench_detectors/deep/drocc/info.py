"""Facts about DROCC, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.drocc.detector import DROCC

    return DROCC(**params)


DROCC = DetectorInfo(
    name="drocc",
    summary="A classifier of training rows against adversarial points around them",
    build=_build,
    reference="https://proceedings.mlr.press/v119/goyal20c.html",
    params={
        "hidden": 128,
        "radius": 3.0,
        "gamma": 2.0,
        "adversarial": 1.0,
        "ascent_steps": 50,
        "ascent_rate": 0.001,
        "warm_up": 50,
        "epochs": 200,
        "batch_size": 256,
        "lr": 1e-4,
    },
    grid={"radius": (1.0, 3.0, 8.0), "ascent_rate": (0.001, 0.1)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
