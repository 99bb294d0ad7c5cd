"""What detectors of rows share: parameters, and the checks of what comes in."""

from __future__ import annotations

import inspect
from typing import Any, Self

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError

# Squares of larger values, summed over columns, would overflow. What lies beyond is
# taken to lie here.
LIMIT = 1e140

_CURE = "holds NaN or infinity, wanted finite values: impute or drop"


class Estimator:
    """A detector whose parameters are its constructor's, stored under their names.

    As scikit-learn wants them, without importing scikit-learn.
    """

    _n_columns = 0

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's signature
        """Return the constructor's parameters and their values."""
        names = list(inspect.signature(type(self)).parameters)
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                owner, have = type(self).__name__, ", ".join(known)
                msg = f"{owner} has no parameter {name!r}; it has {have}"
                raise ValueError(msg)
            setattr(self, name, value)
        return self

    def train_rows(self, X: Any) -> FloatArray:
        """Return the rows to learn from, and remember how many columns they have.

        Parameters
        ----------
        X : array of shape (n_rows, n_columns)
            What `fit` was given.

        Returns
        -------
        float64 array of shape (n_rows, n_columns)
            C-contiguous, finite; `X` itself where it is that.

        Raises
        ------
        DetectorError
            If it is no table, is empty or holds NaN or infinity.
        """
        rows = _table(X)
        if rows.size == 0:
            shape = rows.shape
            msg = f"cannot fit on a table of shape {shape}: give it rows and columns"
            raise DetectorError(msg)
        if not _is_finite(rows):
            column = int(np.argmin(np.isfinite(rows).all(axis=0)))
            msg = f"column {column} {_CURE} them first"
            raise DetectorError(msg)
        self._n_columns = rows.shape[1]
        return rows

    def rows_to_score(self, X: Any) -> FloatArray:
        """Return the rows to score, as `train_rows` does.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is NaN or
            infinite.
        """
        if not self._n_columns:
            msg = f"this {type(self).__name__} has no train rows yet: call fit first"
            raise DetectorError(msg)
        rows = _table(X)
        if rows.shape[1] != self._n_columns:
            msg = f"expected {self._n_columns} columns as in fit, got {rows.shape[1]}"
            raise DetectorError(msg)
        if not _is_finite(rows):
            row = int(np.argmin(np.isfinite(rows).all(axis=1)))
            msg = f"row {row} {_CURE} it first"
            raise DetectorError(msg)
        return rows

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v!r}" for k, v in self.get_params().items())
        return f"{type(self).__name__}({inside})"


def within_limit(rows: FloatArray) -> FloatArray:
    """Return rows as a C-contiguous table whose values lie within ±`LIMIT`."""
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    if rows.size and max(rows.max(), -rows.min()) > LIMIT:
        rows = np.clip(rows, -LIMIT, LIMIT)
    return rows


def _table(X: Any) -> FloatArray:
    # One layout, because sums have another order in another one.
    table = np.asarray(X, dtype=np.float64, order="C")
    if table.ndim != 2:
        msg = f"expected a table of shape (n_rows, n_columns), got shape {table.shape}"
        raise DetectorError(msg)
    return table


def _is_finite(rows: FloatArray) -> bool:
    # The sum takes one pass and no memory; only one that overflows needs a closer look.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(rows.sum()) or np.isfinite(rows).all())
