"""Columns of a data set that give its labels away."""

from __future__ import annotations

import numpy as np

from odbench.data.dataset import RawDataset
from odbench.data.information import code_numbers, label_cuts, shared_information

# Share of the label's information from which a column gives it away.
LEAK = 0.9


def leaking_columns(raw: RawDataset) -> tuple[str, ...]:
    """Return the columns that have nearly all information about the labels.

    Train and test are taken together; train rows are inliers. Such a column need not
    be a mistake: some anomalies are that easy.

    Parameters
    ----------
    raw : RawDataset

    Returns
    -------
    tuple of str
        Empty without labels.
    """
    if raw.labels is None:
        return ()
    normal = np.zeros(len(raw.train), dtype=np.int64)
    label = np.concatenate([normal, (raw.labels == 1).astype(np.int64)])
    cuts = label_cuts(label)
    found = []
    for name, train, test in zip(raw.columns, raw.train.T, raw.test.T, strict=True):
        codes = code_numbers(np.concatenate([train, test]), cuts)
        shared = shared_information(label[:, None], codes[:, None])
        if shared.share[0, 0] >= LEAK:
            found.append(name)
    return tuple(found)
