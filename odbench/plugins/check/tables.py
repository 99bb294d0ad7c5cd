"""The small tables on which `odbench detectors check` tests a detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import BoolArray, FloatArray

_SEED = 20261123
PLANTED = 10


@dataclass(frozen=True, eq=False)
class Planted:
    """Correlated Gaussian rows; some of the rows to score are far outside.

    Attributes
    ----------
    train : float64 array of shape (200, 4)
    test : float64 array of shape (110, 4)
    anomalous : bool array of shape (110,)
        True for the ten planted rows.
    """

    train: FloatArray
    test: FloatArray
    anomalous: BoolArray

    def detection_rate(self, scores: FloatArray) -> float:
        """Return the share of pairs in which the planted row scores higher (AUROC)."""
        far, near = scores[self.anomalous], scores[~self.anomalous]
        higher = (far[:, None] > near).mean() + 0.5 * (far[:, None] == near).mean()
        return float(higher)


def planted() -> Planted:
    """Draw the table with a fixed seed."""
    rng = np.random.default_rng(_SEED)
    mixing = rng.normal(size=(4, 4)) / 2 + np.eye(4)
    train = rng.normal(size=(200, 4)) @ mixing
    centre, spread = train.mean(axis=0), train.std(axis=0)
    inside = rng.normal(size=(100, 4)) @ mixing
    outside = rng.normal(size=(PLANTED, 4))
    outside *= 30.0 / np.linalg.norm(outside, axis=1, keepdims=True)
    test = np.concatenate([(inside - centre) / spread, outside])
    order = rng.permutation(len(test))
    anomalous = (np.arange(len(test)) >= len(inside))[order]
    return Planted((train - centre) / spread, test[order], anomalous)
