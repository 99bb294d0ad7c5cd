"""Facts about NeuTraL AD, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo

HIDDEN = (100, 50)


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.neutral.detector import NeuTraL

    return NeuTraL(**params)


NEUTRAL = DetectorInfo(
    name="neutral",
    summary="Contrast of a row's learnt transformations with the row and each other",
    build=_build,
    reference="https://proceedings.mlr.press/v139/qiu21a.html",
    params={
        "transformations": 11,
        "transformation_hidden": 50,
        "hidden": HIDDEN,
        "outputs": 128,
        "tau": 0.1,
        "epochs": 100,
        "batch_size": 64,
        "lr": 1e-3,
    },
    grid={"transformations": (5, 11), "tau": (0.05, 0.1, 0.5)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
