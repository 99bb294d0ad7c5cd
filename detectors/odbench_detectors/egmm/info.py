"""Facts about the ensemble of Gaussian mixtures, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo

# Number of components of each member.
SIZES = (1, 2, 3, 5, 8, 10)


def _build(**params: Any) -> Any:
    from odbench_detectors.egmm.detector import EGMM

    return EGMM(**params)


EGMM = DetectorInfo(
    name="egmm",
    summary="Ensemble of Gaussian mixtures of 1 to 10 components, standardised",
    build=_build,
    reference="https://scikit-learn.org/stable/modules/mixture.html",
    params={"components": SIZES, "ridge": 1e-3},
    deterministic=False,
    core=True,
)
