"""The base of the zoo's detectors: parameters, and the checks of tables."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Literal, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from odbench.arrays import FloatArray
from odbench.errors import DetectorError

# Values are clipped to this limit, because sums of larger squares would overflow.
LIMIT = 1e140
# Generators of NumPy and torch take seeds up to this one.
LARGEST_SEED = 2**63 - 1
SEED = "None or a whole number from 0 to 2^63 - 1"
_LARGEST = float(np.finfo(np.float64).max)


class Estimator:
    """A detector whose parameters are its constructor's, stored under their names.

    scikit-learn's conventions, without importing scikit-learn.
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
        DetectorError
            If a parameter does not exist.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                owner, have = type(self).__name__, ", ".join(known)
                msg = f"{owner} has no parameter {name!r}; it has {have}"
                raise DetectorError(msg)
            setattr(self, name, value)
        return self

    def check_params(self) -> None:
        """Refuse impossible parameters, before a run and in `fit`.

        Raises
        ------
        DetectorError
            If a parameter is out of its range.
        """

    def train_rows(self, X: Any) -> FloatArray:
        """Return the checked training rows, and remember their number of columns.

        Parameters
        ----------
        X : array of shape (n_rows, n_columns)
            The argument of `fit`.

        Returns
        -------
        float64 array of shape (n_rows, n_columns)
            C-contiguous and finite; `X` itself if possible.

        Raises
        ------
        DetectorError
            If it is not a table, is empty or holds NaN or infinity.
        """
        rows = _table(X)
        check_filled(rows.shape)
        if not _is_finite(rows):
            refuse_values("column", np.isfinite(rows).all(axis=0))
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
        check_width(rows.shape[1], self._n_columns)
        if not _is_finite(rows):
            refuse_values("row", np.isfinite(rows).all(axis=1))
        return rows

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v!r}" for k, v in self.get_params().items())
        return f"{type(self).__name__}({inside})"


def check_ranges(owner: str, *checks: tuple[str, object, bool, str]) -> None:
    """Refuse the first parameter (name, value, is fine, wanted) that is not fine."""
    for name, value, is_fine, wanted in checks:
        if not is_fine:
            msg = f"{owner} wants {name} {wanted}; got {name}={value!r}"
            raise DetectorError(msg)


def check_counts(owner: Any, **least: int) -> None:
    """Refuse a parameter of a detector that is not a whole number, or is too small.

    Parameters
    ----------
    owner : object
        Has a ``name`` and the parameters.
    **least : int
        Parameter -> its smallest value.
    """
    for name, smallest in least.items():
        value = getattr(owner, name)
        is_fine = is_count(value, smallest)
        wanted = f"a whole number >= {smallest}"
        check_ranges(owner.name, (name, value, is_fine, wanted))


def is_count(value: object, least: int) -> bool:
    """Check for a whole number of at least `least`; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        return False
    return bool(value >= least)


def is_number(
    value: object,
    least: float = -_LARGEST,
    most: float = _LARGEST,
    *,
    above: float = -np.inf,
    below: float = np.inf,
) -> bool:
    """Check for a finite number within bounds; True and False are none."""
    if isinstance(value, bool) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        return False
    return bool(least <= value <= most and above < value < below)


def is_seed(value: object) -> bool:
    """Check for None or a whole number from 0 to `LARGEST_SEED`."""
    return value is None or (is_count(value, 0) and is_number(value, 0, LARGEST_SEED))


def numbers_of(X: Any) -> NDArray[Any]:
    """Return an array of real numbers, `X` itself if it is one.

    Raises
    ------
    DetectorError
        If a value is no number, or complex. Missing ones are NaN.
    """
    try:
        table = np.asarray(X)
    except ValueError as error:
        msg = "expected a table of numbers, got rows of unequal length: fill them up"
        raise DetectorError(msg) from error
    if table.dtype.kind == "c":
        msg = "expected a table of real numbers, got complex ones: give two columns"
        raise DetectorError(msg)
    if table.dtype.kind in "mM":
        # NumPy would make a number of a date that is missing.
        return np.where(np.isnat(table), np.nan, table.astype(np.float64))
    if table.dtype.kind not in "fiub":
        try:
            return np.asarray(X, dtype=np.float64)
        except (TypeError, ValueError):
            return _of_objects(table)
    return table


def _of_objects(table: NDArray[Any]) -> FloatArray:
    """Return objects as numbers, NaN for the missing values of pandas.

    Raises
    ------
    DetectorError
        If another value is no number.
    """
    import pandas as pd

    objects = table.astype(object)
    try:
        return np.where(pd.isna(objects), np.nan, objects).astype(np.float64)
    except (TypeError, ValueError) as error:
        msg = f"expected a table of numbers: {error}; encode other columns first"
        raise DetectorError(msg) from error


def check_dimensions(shape: tuple[int, ...]) -> None:
    """Refuse an array that is not two-dimensional."""
    if len(shape) != 2:
        msg = f"expected a table of shape (n_rows, n_columns), got shape {shape}"
        raise DetectorError(msg)


def check_filled(shape: tuple[int, ...]) -> None:
    """Refuse to fit on a table without rows or columns."""
    if 0 in shape:
        msg = f"cannot fit on a table of shape {shape}: give it rows and columns"
        raise DetectorError(msg)


def check_width(n_columns: int, fitted: int) -> None:
    """Refuse rows with another number of columns than in `fit`."""
    if n_columns != fitted:
        msg = f"expected {fitted} columns as in fit, got {n_columns}"
        raise DetectorError(msg)


def column_names(
    names: Iterable[str] | None, n_columns: int, *, prefix: str = "x"
) -> tuple[str, ...]:
    """Return the columns' names for an explanation: those given, or x0, x1, ...

    Raises
    ------
    DetectorError
        If the number of names differs from the number of columns.
    """
    found = [f"{prefix}{j}" for j in range(n_columns)] if names is None else list(names)
    if len(found) != n_columns:
        msg = f"expected {n_columns} column names, got {len(found)}"
        raise DetectorError(msg)
    return tuple(found)


def refuse_values(
    what: Literal["row", "column"], fine: ArrayLike, first: int = 0
) -> NoReturn:
    """Name the first row or column that holds NaN or infinity."""
    msg = (
        f"{what} {first + int(np.argmin(fine))} holds NaN or infinity, wanted finite "
        f"values: impute or drop {'it' if what == 'row' else 'them'} first"
    )
    raise DetectorError(msg)


def within_limit(rows: FloatArray) -> FloatArray:
    """Return rows as a C-contiguous table whose values lie within ±`LIMIT`."""
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    if rows.size and max(rows.max(), -rows.min()) > LIMIT:
        rows = np.clip(rows, -LIMIT, LIMIT)
    return rows


def _table(X: Any) -> FloatArray:
    # One memory layout, because the order of summation depends on it.
    table = np.asarray(numbers_of(X), dtype=np.float64, order="C")
    check_dimensions(table.shape)
    return table


def _is_finite(rows: FloatArray) -> bool:
    # The sum takes one pass and no memory; only if it overflows, values are checked.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(rows.sum()) or np.isfinite(rows).all())
