"""Sorted columns in bounded memory: quantiles of a stream of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.shared.columns import (
    SYMMETRIC,
    Floats,
    SortedColumns,
    check_finite,
    check_rows,
)
from odbench_detectors.shared.sort import sort_rows, sorted_rows

# Exponent of the smallest float above 0.
_LEAST_EXPONENT = -1073


class ColumnSketch:
    """Quantiles of every column, computed in one pass over the rows.

    Rows fill buffers of `size`. Two full buffers of equal weight are merged, and every
    second value is kept with twice the weight [1]_, alternately the odd and the even
    ones. A merge of weight w shifts a rank by at most w, up in one case and down in
    the other, so the error is bounded; see `rank_error`. With N
    rows it is about ``N log2(N / size) / (4 size)``. The ``size // 2`` lowest and
    highest values of every column are kept as well, so ranks are exact there.

    Parameters
    ----------
    n_columns : int
        Columns of every table that is added.
    size : int
        Number of values per buffer, 8 or more. Memory: ``log2(N / size) + 3`` buffers.

    Attributes
    ----------
    n_rows : int
        Rows seen.

    References
    ----------
    .. [1] Munro and Paterson, "Selection and Sorting with Limited Storage",
       Theoretical Computer Science 12, 1980,
       https://doi.org/10.1016/0304-3975(80)90061-4
    """

    def __init__(self, n_columns: int, size: int) -> None:
        self.n_columns = n_columns
        self.size = size
        self.n_rows = 0
        self._pending = np.empty((n_columns, size))
        self._filled = 0
        self._levels: dict[int, FloatArray] = {}
        self._turns: dict[int, int] = {}
        self._up = self._down = 0
        self._low = self._high = np.empty((n_columns, 0))
        self._moments = _Moments(n_columns)

    @property
    def rank_error(self) -> int:
        """Largest error of a count in `columns`, in rows."""
        return max(self._up, self._down)

    def add(self, X: Floats) -> None:
        """Add rows.

        Parameters
        ----------
        X : array of shape (n_rows, n_columns)
            Finite.

        Raises
        ------
        DetectorError
            If the number of columns differs or a value is NaN or infinite. No row is
            added then.
        """
        X = check_rows(X, self.n_columns)
        if len(X):
            check_finite(X.min(axis=0), X.max(axis=0), 0)
        first = 0
        while first < X.shape[0]:
            rows = X[first : first + self.size - self._filled]
            last = self._filled + rows.shape[0]
            self._pending[:, self._filled : last] = rows.T
            self._moments.add(self._pending[:, self._filled : last])
            self._filled = last
            self.n_rows += rows.shape[0]
            first += rows.shape[0]
            if self._filled == self.size:
                self._flush()

    def merge(self, other: ColumnSketch) -> None:
        """Add the rows that another sketch has seen.

        Raises
        ------
        DetectorError
            If its columns or its size differ.
        """
        if (self.n_columns, self.size) != (other.n_columns, other.size):
            msg = (
                f"cannot merge a sketch of {other.n_columns} columns and size "
                f"{other.size} into one of {self.n_columns} and {self.size}"
            )
            raise DetectorError(msg)
        self._up += other._up
        self._down += other._down
        self._keep_ends(other._low, other._high)
        for level, values in sorted(other._levels.items()):
            self.n_rows += self.size << level
            self._carry(values, level)
        self._moments.merge(other._moments)
        pending = other._pending[:, : other._filled]
        moments, self._moments = self._moments, _Moments(self.n_columns)
        self.add(pending.T)
        self._moments = moments

    def columns(self) -> SortedColumns:
        """Return the columns as seen so far.

        Raises
        ------
        DetectorError
            If no row has been added.
        """
        if self.n_rows == 0:
            msg = "cannot fit on no rows: add some first"
            raise DetectorError(msg)
        values, weights = self._items()
        if not self._levels:
            return SortedColumns(values, self._moments.skewness(), self.n_rows)
        n, ends = self.n_rows, self._low.shape[1]
        low, high = self._ends_with_pending()
        ranks = np.empty((self.n_columns, values.shape[1] + 2 * ends + 1), np.int64)
        ranks[:, : ends + 1] = np.arange(ends + 1)
        inner = np.cumsum(weights, axis=1)
        ranks[:, ends + 1 : -ends] = np.clip(inner, ends, n - ends)
        ranks[:, -ends:] = np.arange(n - ends + 1, n + 1)
        # Clip inner values to the exact ends: only the limits of equal values are used.
        inner_values = np.clip(values, low[:, -1:], high[:, :1])
        return SortedColumns(
            np.concatenate((low, inner_values, high), axis=1),
            self._moments.skewness(),
            n,
            ranks,
        )

    def _items(self) -> tuple[FloatArray, NDArray[np.int64]]:
        """Return each column's kept values, ascending, and the rows they represent."""
        parts = [(self._pending[:, : self._filled], 1)]
        parts += [(values, 1 << level) for level, values in self._levels.items()]
        values = np.concatenate([part for part, _ in parts], axis=1)
        weights = np.repeat(
            [weight for _, weight in parts], [part.shape[1] for part, _ in parts]
        )
        order = np.argsort(values, axis=1)
        return np.take_along_axis(values, order, axis=1), weights[order]

    def _flush(self) -> None:
        """Turn the full buffer of rows into one of weight 1."""
        full = sorted_rows(self._pending)
        self._keep_ends(full, full)
        self._filled = 0
        self._carry(full, 0)

    def _carry(self, values: FloatArray, level: int) -> None:
        """Add a buffer to its level; two on one level are merged into the next."""
        while level in self._levels:
            both = np.concatenate((self._levels.pop(level), values), axis=1)
            sort_rows(both)
            turn = self._turns.get(level, 0)
            self._turns[level] = 1 - turn
            values = both[:, turn::2].copy()
            self._down += turn << level
            self._up += (1 - turn) << level
            level += 1
        self._levels[level] = values

    def _keep_ends(self, lows: FloatArray, highs: FloatArray) -> None:
        """Update the lowest and the highest values with new ones."""
        self._low, self._high = self._ends(lows, highs)

    def _ends_with_pending(self) -> tuple[FloatArray, FloatArray]:
        pending = self._pending[:, : self._filled]
        return self._ends(pending, pending)

    def _ends(
        self, lows: FloatArray, highs: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        half = self.size // 2
        low = np.concatenate((self._low, lows), axis=1)
        high = np.concatenate((self._high, highs), axis=1)
        sort_rows(low)
        sort_rows(high)
        return low[:, :half], high[:, -half:]


class _Moments:
    """Count, mean and central sums of powers of every column, mergeable.

    In units of ``2 ** exponent``, above the column's largest value, so that powers do
    not overflow.
    """

    def __init__(self, n_columns: int) -> None:
        self.n = 0
        self.exponent = np.full(n_columns, _LEAST_EXPONENT)
        self.mean = np.zeros(n_columns)
        self.m2 = np.zeros(n_columns)
        self.m3 = np.zeros(n_columns)

    def add(self, values: Floats) -> None:
        """Add rows, given as columns: (n_columns, n_rows)."""
        part = _Moments(values.shape[0])
        part.n = values.shape[1]
        exponent = np.frexp(np.abs(values).max(axis=1))[1]
        part.exponent = np.where(values.any(axis=1), exponent, _LEAST_EXPONENT)
        values = np.ldexp(values, -part.exponent[:, None])
        part.mean = values.mean(axis=1)
        centred = values - part.mean[:, None]
        square = centred * centred
        part.m2 = square.sum(axis=1)
        part.m3 = (square * centred).sum(axis=1)
        self.merge(part)

    def merge(self, other: _Moments) -> None:
        """Add another instance's rows by the pairwise update of central moments."""
        n, m = self.n, other.n
        if m == 0:
            return
        total = n + m
        exponent = np.maximum(self.exponent, other.exponent)
        mean, m2, m3 = self._in_units(exponent)
        other_mean, other_m2, other_m3 = other._in_units(exponent)
        delta = other_mean - mean
        self.m3 = (
            m3
            + other_m3
            + delta**3 * (n * m * (n - m) / total**2)
            + 3 * delta * (n * other_m2 - m * m2) / total
        )
        self.m2 = m2 + other_m2 + delta**2 * (n * m / total)
        self.mean = mean + delta * (m / total)
        self.exponent = exponent
        self.n = total

    def _in_units(
        self, exponent: NDArray[np.int64]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return mean and sums in units of ``2 ** exponent``."""
        by = self.exponent - exponent
        return (
            np.ldexp(self.mean, by),
            np.ldexp(self.m2, 2 * by),
            np.ldexp(self.m3, 3 * by),
        )

    def skewness(self) -> FloatArray:
        """Third standardised moment; 0 if it is within rounding error."""
        scale = (self.m2 / self.n) ** 1.5
        m3 = self.m3 / self.n
        fine = (np.abs(m3) > SYMMETRIC * scale) & (scale > 0)
        result: Any = np.where(fine, m3 / np.where(fine, scale, 1), 0.0)
        return np.asarray(result, np.float64)
