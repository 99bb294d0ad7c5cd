"""See whether a row's values belong together, by trees that know shuffled columns."""

from __future__ import annotations

import math

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.cats.forest import Forest, changes_of, grow_forest, shares_of

# Chosen on OvRBench, ADBench and the generated suites, see decision 87.
_TREES, _ROWS_OF_A_TREE, _ROWS_OF_A_LEAF, _TRIES = 64, 256, 1, 3.0
# Train rows that trees are grown on, the first of a random order.
_MOST_ROWS = 5_000
_SEED = 7


class Dependence:
    """Trees that tell train rows from rows whose columns were shuffled.

    Shuffling each column by itself keeps the columns and destroys what binds them
    [1]_. A row that the trees take for a shuffled one has values that do not belong
    together.

    Parameters
    ----------
    Z : float64 array of shape (n, d)
        Standardised train rows in the order of `content_order`; at least two.

    References
    ----------
    .. [1] Shi, Horvath, "Unsupervised learning with random forest predictors", Journal
       of Computational and Graphical Statistics 15, 2006.
    """

    def __init__(self, Z: FloatArray) -> None:
        self._train = Z
        # A column alone depends on nothing.
        self._forest = None if Z.shape[1] == 1 else _grown(Z[:_MOST_ROWS])

    def of_train(self, rows: IntArray) -> FloatArray:
        """Return the shares of train rows by trees grown without them, (m,) float64."""
        if self._forest is None:
            return np.zeros(len(rows))
        own = self._forest.samples[:, : self._forest.n_first]
        return shares_of(self._forest, self._train, rows, own)

    def of(self, Z: FloatArray) -> FloatArray:
        """Return how much rows look like shuffled ones.

        Parameters
        ----------
        Z : float64 array of shape (m, d)

        Returns
        -------
        float64 array of shape (m,)
            From 0 to 1; higher is more anomalous.
        """
        if self._forest is None:
            return np.zeros(len(Z))
        return shares_of(self._forest, Z, np.arange(len(Z)))

    def by_column(self, Z: FloatArray) -> FloatArray:
        """Return by how much splits of each column make rows look shuffled, (m, d).

        The mean change of the share on a row's way through the trees; 0 where splits of
        a column make a row look like train.
        """
        if self._forest is None:
            return np.zeros(Z.shape)
        return np.maximum(changes_of(self._forest, Z, np.arange(len(Z))), 0.0)


def _grown(Z: FloatArray) -> Forest:
    shuffled = np.random.default_rng(_SEED).permuted(Z, axis=0)
    d = Z.shape[1]
    return grow_forest(
        np.vstack([Z, shuffled]), len(Z), trees=_TREES, most=_ROWS_OF_A_TREE,
        smallest=_ROWS_OF_A_LEAF, tries=min(math.ceil(_TRIES * math.sqrt(d)), d),
        seed=_SEED,
    )  # fmt: skip
