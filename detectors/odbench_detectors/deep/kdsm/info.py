"""Facts about KDSM, known without importing torch."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.deep.kdsm.detector import KDSM

    return KDSM(**params)


KDSM = DetectorInfo(
    name="kdsm",
    summary="Length of a network's denoising step, with noise by the columns' kurtosis",
    build=_build,
    reference="https://arxiv.org/abs/2605.06955",
    params={
        "sigma": 0.5,
        "slope": 0.33,
        "copies": 3,
        "width": 128,
        "blocks": 2,
        "epochs": 500,
        "batch_size": 128,
        "lr": 5e-4,
        "weight_decay": 5e-5,
    },
    grid={"sigma": (0.25, 0.5, 1.0), "slope": (0.0, 0.33)},
    deterministic=False,
    requires=("torch",),
    extra="deep",
    devices=("cpu", "cuda"),
)
