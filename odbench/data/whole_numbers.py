"""Whole numbers beyond 2**53, whose last digits float64 cannot hold."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray

# Float64 holds every whole number up to this one, and only some of those beyond.
LARGEST_EXACT = 2.0**53

logger = logging.getLogger("odbench")


def large_integers(*tables: FloatArray) -> list[int]:
    """Find the columns of whole numbers that hold values beyond 2**53.

    The source of such a column, such as identifiers of 18 digits, may have had digits
    that float64 cannot hold. Columns with any fraction are measurements and are not
    among them.

    Parameters
    ----------
    *tables : float64 arrays of shape (n, n_columns)
        Finite.

    Returns
    -------
    list of int
        Numbers of the columns, ascending.
    """
    largest = np.max([np.abs(X).max(axis=0) for X in tables], axis=0)
    return [
        int(j)
        for j in np.flatnonzero(largest > LARGEST_EXACT)
        if all(bool((X[:, j] == np.rint(X[:, j])).all()) for X in tables)
    ]


def tell_rounded(values: NDArray[Any], table: FloatArray, where: str) -> None:
    """Log a warning if the conversion to float64 changed whole numbers.

    Parameters
    ----------
    values : array of shape (n, n_columns)
        As they were read, of any type of number.
    table : float64 array of the same shape
        The same, converted.
    where : str
        Their place, for the message.
    """
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
        return
    rounded = np.ones(values.shape, dtype=np.bool_)
    # The largest integer rounds to 2**63 (2**64), which does not convert back.
    fits = table < 2.0 ** (63 if values.dtype.kind == "i" else 64)
    rounded[fits] = table[fits].astype(values.dtype) != values[fits]
    if rounded.any():
        row, column = (int(i) for i in np.argwhere(rounded)[0])
        logger.warning(
            "%s: whole numbers beyond 2**53 lose their last digits in float64: %d of "
            "them, the first in row %d, column %d; if they are identifiers, leave the "
            "column out",
            where,
            int(rounded.sum()),
            row,
            column,
        )
