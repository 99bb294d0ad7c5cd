"""A number by which configurations can be selected without labels.

A detector is fitted on a part of the training rows and scores the others together with
made-up anomalies. The better it tells the two apart, the better the configuration is
taken to be. Neither the test rows nor any label is used.
"""

from __future__ import annotations

import hashlib

import numpy as np

from odbench.arrays import BoolArray, FloatArray

_MOST_ROWS = 4_000
_FEWEST_ROWS = 10
_FITTED = 0.7
# Anomalies are moved by this many standard deviations, and the box that uniform ones
# fill is larger than the data by this part on each side.
_MOVED = 2.0
_BEYOND = 0.1


class SelectionTables:
    """The tables on which configurations are compared without labels.

    Parameters
    ----------
    table : float64 array of shape (n_rows, n_columns)
        The training rows as a detector sees them.
    name : str
        Id of the data set; the draws depend on it.

    Attributes
    ----------
    train : float64 array
        The rows to fit.
    test : float64 array
        Held-out rows, then as many anomalies of each kind; shuffled.
    """

    def __init__(self, table: FloatArray, name: str) -> None:
        digest = hashlib.sha256(f"selection-1|{name}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest, "little"))
        rows = table[rng.permutation(len(table))[:_MOST_ROWS]]
        fitted = int(_FITTED * len(rows))
        self.train, held_out = rows[:fitted], rows[fitted:]
        kinds = [_moved(held_out, rng), _uniform(self.train, len(held_out), rng)]
        if rows.shape[1] > 1:
            kinds.append(_permuted(held_out, rng))
        kind = np.repeat(np.arange(len(kinds) + 1), len(held_out))
        order = rng.permutation(len(kind))
        self.test = np.vstack([held_out, *kinds])[order]
        self._kind = kind[order]

    def quality(self, scores: FloatArray) -> float:
        """Return the mean AUROC of held-out rows against each kind of anomaly.

        Parameters
        ----------
        scores : float64 array of shape (len(test),)
            Higher is more anomalous.
        """
        from odbench.scoring.metrics import auroc

        found = []
        for kind in range(1, self._kind.max() + 1):
            among: BoolArray = (self._kind == 0) | (self._kind == kind)
            labels = (self._kind[among] == kind).astype(np.int8)
            found.append(auroc(labels, scores[among]))
        return float(np.mean(found))


def can_select(n_train: int) -> bool:
    """Check whether there are enough training rows to hold some out."""
    return n_train >= _FEWEST_ROWS


def _moved(rows: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Move each row in some of its columns, at least in one."""
    chosen = rng.random(rows.shape) < rng.random((len(rows), 1))
    chosen[np.arange(len(rows)), rng.integers(rows.shape[1], size=len(rows))] = True
    moved: FloatArray = rows + chosen * rng.normal(0, _MOVED, rows.shape)
    return moved


def _uniform(rows: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw rows uniformly from a box that is a little larger than the data."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    beyond = _BEYOND * (high - low)
    return rng.uniform(low - beyond, high + beyond, (n, rows.shape[1]))


def _permuted(rows: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Permute each column by itself, which breaks the dependence of columns."""
    return rng.permuted(rows, axis=0)
