"""Facts about DTE-NP, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.dte_np.detector import DTENP

    return DTENP(**params)


DTE_NP = DetectorInfo(
    name="dte_np",
    summary="Diffusion time by nearest neighbours: a step function of mean distance",
    build=_build,
    reference="https://arxiv.org/abs/2305.18593",
    params={"k": 5, "continuous": False},
    grid={"k": (1, 5, 10, 20), "continuous": (False, True)},
    compiles=True,
    core=True,
    shares=("odbench.neighbours", "odbench.neighbours.index"),
)
