"""Facts about the Gaussian mixture, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo


def _build(**params: Any) -> Any:
    from odbench_detectors.gmm.detector import GMM

    return GMM(**params)


GMM = DetectorInfo(
    name="gmm",
    summary="Gaussian mixture: negative log-likelihood; one full Gaussian by default",
    build=_build,
    reference="https://scikit-learn.org/stable/modules/mixture.html",
    params={"components": 1},
    core=True,
)
