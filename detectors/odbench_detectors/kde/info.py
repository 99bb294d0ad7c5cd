"""Facts about kernel density, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.kde.detector import KDE

    return KDE(**params)


KDE = DetectorInfo(
    name="kde",
    summary="Gaussian kernel density; time grows with training rows x scored rows",
    build=_build,
    reference="https://doi.org/10.1214/aoms/1177704472",
    params={"bandwidth": 1.0},
    compiles=True,
    core=True,
)
