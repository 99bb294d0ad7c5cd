"""Facts about cats_pfn, known without importing its code."""

from __future__ import annotations

from typing import Any

from odbench.detector import DetectorInfo
from odbench_detectors.foundation.odbench_pfn.info import ODBENCH_PFN


def _build(**params: Any) -> Any:
    from odbench_detectors.foundation.cats_pfn.detector import CATSPFN

    return CATSPFN(**params)


CATS_PFN = DetectorInfo(
    name="cats_pfn",
    summary="The scores of cats and of the network of odbench_pfn, added",
    build=_build,
    reference=ODBENCH_PFN.reference,
    params=ODBENCH_PFN.params,
    weights=ODBENCH_PFN.weights,
    scores_batch=True,
    trims=True,
)
