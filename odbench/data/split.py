"""Split a labelled table one-class."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray, LabelArray
from odbench.data.rng import shuffled, stream


def one_class_split(
    X: FloatArray, y: LabelArray, *, dataset_id: str
) -> tuple[FloatArray, FloatArray, LabelArray]:
    """Split a labelled table: train is a random half of the inliers.

    Test is the other half of the inliers, then all anomalies, each in the table's
    order. Every row is used exactly once.

    Parameters
    ----------
    X : float64 array of shape (n, n_columns)
        The table.
    y : int8 array of shape (n,)
        1 = anomaly.
    dataset_id : str
        ``suite/name``; the split's seed.

    Returns
    -------
    train : float64 array of shape (n_inliers // 2, n_columns)
    test : float64 array of shape (n - n_inliers // 2, n_columns)
    labels : int8 array of shape (len(test),)
    """
    inliers = np.flatnonzero(y == 0)
    order = shuffled(len(inliers), stream("split-1", dataset_id))
    half = len(inliers) // 2
    train = np.sort(inliers[order[:half]])
    test = np.concatenate([np.sort(inliers[order[half:]]), np.flatnonzero(y == 1)])
    return X[train], X[test], y[test]
