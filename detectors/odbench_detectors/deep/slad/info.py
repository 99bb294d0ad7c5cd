"""Facts about scale learning, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.slad.detector import SLAD

    return SLAD(**params)


SLAD = DetectorInfo(
    name="slad",
    summary="Scale learning: how well subsets of a row's columns tell their own weight",
    build=_build,
    reference="https://proceedings.mlr.press/v202/xu23p.html",
    params={
        "groups": 20,
        "members": 10,
        "width": 128,
        "hidden": 100,
        "divergence": "code",
        "epochs": 100,
        "batch_size": 128,
        "lr": 1e-3,
    },
    grid={"divergence": ("code", "paper"), "members": (5, 10, 20)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
