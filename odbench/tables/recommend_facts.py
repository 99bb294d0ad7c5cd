"""Measure the facts of a table by which `odbench recommend` finds similar ones."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.order import canonical_order, hash_rows

# Fact -> (its words on the screen, of a count the noun; the scale it is compared on).
FACTS = {
    "rows": ("row", "log"),
    "columns": ("encoded column", "log"),
    "duplicates": ("duplicate rows", "share"),
    "integers": ("columns of more than 20 whole numbers", "share"),
    "categories": ("columns of at most 20 values", "share"),
    "dependence": ("mean rank correlation of columns", "share"),
}
# Different values up to which a column counts as a category.
FEW_VALUES = 20
# Rows and columns that facts are measured on at most.
_ROWS, _COLUMNS = 2_000, 50


def table_facts(X: FloatArray, n_rows: int | None = None) -> dict[str, float]:
    """Measure a table.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Encoded rows, finite. A sample of a larger table is enough.
    n_rows : int, optional
        Rows of the whole table; by default n.

    Returns
    -------
    dict of str to float
        The keys of `FACTS`. Shares are between 0 and 1: ``duplicates`` of rows that
        repeat another, ``categories`` of columns with at most `FEW_VALUES` different
        values, ``integers`` of the other columns whose values are whole.
        ``dependence`` is the mean absolute Spearman correlation of all pairs of columns
        that vary, 0 without a pair. The last three are measured on at most 2,000 rows
        and 50 columns, chosen without regard to the order of rows.
    """
    hashes = hash_rows(X)
    # An order of content, so that sorted files do not give their first rows alone.
    rows = X[canonical_order(hashes)[:_ROWS], :_COLUMNS]
    few = np.array([len(np.unique(column)) <= FEW_VALUES for column in rows.T])
    whole = (rows == np.rint(rows)).all(axis=0)
    return {
        "rows": float(len(X) if n_rows is None else n_rows),
        "columns": float(X.shape[1]),
        "duplicates": 1.0 - len(np.unique(hashes)) / len(X),
        "integers": float(np.mean(whole & ~few)),
        "categories": float(np.mean(few)),
        "dependence": _dependence(rows),
    }


def _dependence(rows: FloatArray) -> float:
    varied = rows[:, rows.min(axis=0) < rows.max(axis=0)]
    if varied.shape[1] < 2:
        return 0.0
    correlations = np.atleast_2d(
        np.corrcoef(np.stack([mean_ranks(column) for column in varied.T]))
    )
    above = np.triu_indices(len(correlations), 1)
    return float(np.abs(correlations[above]).mean())


def mean_ranks(values: FloatArray) -> FloatArray:
    """Rank values from 1, the lowest; equal values share the mean of their ranks.

    Importing ``scipy.stats`` for it would take longer than all the rest.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=np.float64)
