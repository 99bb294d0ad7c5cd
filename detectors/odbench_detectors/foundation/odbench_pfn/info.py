"""Facts about odbench_pfn, known without importing its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from odbench.detector import DetectorInfo, Weights
from odbench.files import at_home

# The weights that ship with the package, and their hash.
SHIPPED = Path(__file__).parent / "weights.safetensors"
SHA256 = "9872b34a083c94f6d3cbb02128d9e54e0f9b81301ce279a52ed1bd9807c9f7d8"


def _build(**params: Any) -> Any:
    from odbench_detectors.foundation.odbench_pfn.detector import OdbenchPFN

    return OdbenchPFN(**params)


def _weights(weights: str = "", **_: Any) -> tuple[Weights, ...]:
    path = at_home(Path(weights)) if weights else SHIPPED
    found = Weights(
        name="odbench_pfn weights.safetensors",
        parameter="weights",
        find=lambda: path,
        fetch=lambda: path,
        sha256="" if weights else SHA256,
        check=_check if weights else None,
    )
    return (found,)


def _check(path: Path) -> None:
    from odbench_detectors.foundation.odbench_pfn.network import Network
    from odbench_detectors.foundation.odbench_pfn.weights import read_weights

    Network(read_weights(path))


ODBENCH_PFN = DetectorInfo(
    name="odbench_pfn",
    summary="Small network fitted to synthetic tables; compares rows with train rows",
    build=_build,
    reference="https://arxiv.org/abs/2112.10510",
    params={"context": 20_000, "weights": ""},
    grid={"context": (1_000, 5_000, 20_000)},
    weights=_weights,
)
