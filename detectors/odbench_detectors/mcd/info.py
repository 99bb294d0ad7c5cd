"""Facts about MCD, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.mcd.detector import MCD

    return MCD(**params)


MCD = DetectorInfo(
    name="mcd",
    summary="Minimum covariance determinant: robust Mahalanobis distance",
    build=_build,
    reference="https://doi.org/10.1080/00401706.1999.10485670",
    params={"support": None},
    deterministic=False,
    core=True,
)
