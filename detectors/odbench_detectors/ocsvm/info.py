"""Facts about the one-class SVM, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.ocsvm.detector import OCSVM

    return OCSVM(**params)


OCSVM = DetectorInfo(
    name="ocsvm",
    summary="One-class SVM, RBF kernel; quadratic in the training rows",
    build=_build,
    reference="https://doi.org/10.1162/089976601750264965",
    params={"nu": 0.5, "gamma": "auto"},
    grid={"nu": (0.05, 0.1, 0.5), "gamma": ("scale", "auto")},
    core=True,
)
