"""Columns that give the labels of a data set away."""

import numpy as np

from odbench.data.dataset import RawDataset
from odbench.data.leaks import leaking_columns


def made(labels=True):
    rng = np.random.default_rng(0)
    y = (np.arange(400) < 30).astype(np.int8)
    columns = [
        rng.normal(size=1_000),
        np.append(rng.normal(size=600), rng.normal(size=400) + 40 * y),
        np.append(np.full(600, 3.0), np.where(y == 1, 7.0, 3.0)),
        np.append(rng.normal(size=600), rng.normal(size=400) + 1.5 * y),
    ]
    X = np.stack(columns, axis=1)
    names = ("noise", "far", "code", "fair")
    return RawDataset(
        train=X[:600], test=X[600:], labels=y if labels else None, columns=names
    )


def test_columns_that_set_all_anomalies_apart_are_named():
    assert leaking_columns(made()) == ("far", "code")


def test_without_labels_there_is_no_leak():
    assert leaking_columns(made(labels=False)) == ()
