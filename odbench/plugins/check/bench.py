"""A detector with the table of its probes, and the ways a probe reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.plugins.check.tables import Planted
from odbench.plugins.configuration import Configuration

SEED = 7


class FaultError(Exception):
    """A probe's failure."""


class DoubtError(Exception):
    """A probe's warning."""


class Bench:
    """A detector and its test table; the reference scores are computed once."""

    def __init__(self, configuration: Configuration, table: Planted) -> None:
        self.configuration = configuration
        self._table = table
        self._plain: FloatArray | None = None

    @property
    def table(self) -> Planted:
        """A copy of the table: a detector may write into its rows."""
        whole = self._table
        return replace(whole, train=whole.train.copy(), test=whole.test.copy())

    def score(self, train: FloatArray, test: FloatArray, seed: int = SEED) -> Any:
        """Build a fresh detector, fit it, and score rows."""
        detector = self.configuration.build(seed)
        detector.fit(train)
        return detector.decision_function(test)

    def expected(self) -> FloatArray:
        """Return the scores of the planted table."""
        if self._plain is None:
            self._plain = self.score(self.table.train, self.table.test)
        return self._plain

    def finite(self, train: FloatArray, test: FloatArray, what: str) -> FloatArray:
        """Score rows and insist on one finite float each."""
        scores = np.asarray(self.score(train, test))
        if scores.shape != (len(test),):
            msg = (
                f"{what}: scores have shape {scores.shape}; return shape ({len(test)},)"
            )
            raise FaultError(msg)
        if not np.isfinite(scores).all():
            bad = int((~np.isfinite(scores)).sum())
            msg = (
                f"{what}: {bad} of {len(test)} scores are NaN or infinite; guard the "
                "division or logarithm that makes them"
            )
            raise FaultError(msg)
        return scores


def difference(a: FloatArray, b: FloatArray) -> str:
    """Describe how far two vectors of scores are apart."""
    return f"largest difference {np.max(np.abs(np.asarray(a) - b)):.3g}"
