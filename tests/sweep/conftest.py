"""Fixtures: a mirror of made-up data sets, and specs of hostile detectors."""

from pathlib import Path

import numpy as np
import pytest

HOSTILE = Path(__file__).with_name("hostile.py")
SETS = ("Alpha", "Beta", "Gamma")


def write_set(path: Path, seed: int, *, n: int = 120, d: int = 3, labels: bool = True):
    """Write an archive like those of the hub: inliers first, then anomalies."""
    rng = np.random.default_rng(seed)
    anomalies = rng.normal(3, 1, size=(12, d))
    members = {
        "train": rng.normal(size=(n, d)),
        "train_labels": np.zeros(n, dtype=np.int64),
        "test": np.vstack([rng.normal(size=(n, d)), anomalies]),
    }
    if labels:
        members["test_labels"] = np.repeat([0, 1], [n, 12])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **members)


@pytest.fixture
def made_up(tmp_path):
    """A mirror with three small OddBench sets."""
    for i, name in enumerate(SETS):
        write_set(
            tmp_path / "mirror/MacrOData-CMU/OddBench/public" / f"{name}.npz",
            i,
            n=100 + i,
        )
    return tmp_path / "mirror"


@pytest.fixture
def hostile():
    """A function that returns the spec of a hostile detector."""
    return lambda name: f"{HOSTILE}:{name}"
