"""Facts about internal contrastive learning, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.icl.detector import ICL

    return ICL(**params)


ICL = DetectorInfo(
    name="icl",
    summary="Internal contrast: how well a few columns tell which others go with them",
    build=_build,
    reference="https://openreview.net/forum?id=_hszZbt46bT",
    params={
        "hidden": 200,
        "tau": 0.1,
        "steps": 1000,
        "epochs": 200,
        "batch_size": 64,
        "lr": 1e-3,
    },
    grid={"hidden": (100, 200), "tau": (0.01, 0.1, 0.5)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
