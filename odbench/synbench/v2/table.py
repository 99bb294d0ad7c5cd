"""Turn a law's columns into a table: integers, codes, heavy tails, copies, gaps.

Nothing here looks at labels. Each step is a strictly increasing map of a column, adds
columns that are independent of the label, or loses information in the same way for
inliers and anomalies. So no score of the table can beat the likelihood ratio of the
law's columns (data processing); where nothing is lost, that ratio is the table's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.synbench import portable
from odbench.synbench.scm import spread
from odbench.synbench.stream import Stream
from odbench.synbench.v2.law import Law

# Share of sets without any integer column, and with integer columns only.
NO_INTEGERS, ALL_INTEGERS = 0.12, 0.25
WITH_CODES, WITH_COPIES, WITH_GAPS = 0.6, 0.15, 0.15
# Steps of integer columns, in units of the law's resolution.
STEPS = (0.2, 0.5)
_LEVELS = (2, 8)
# A normal law's middle 90 % is this wide.
_NORMAL_SPREAD = 3.29
# Cubes of larger integers are not exact.
_LARGEST_CUBED = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a table by kind.

    Attributes
    ----------
    n_law : int
        Columns of the law, 2 or more.
    n_codes, n_copies, n_gaps : int
        Columns of codes, copies of other columns, and indicators of missing cells.
    """

    n_law: int
    n_codes: int
    n_copies: int
    n_gaps: int


def draw_layout(stream: Stream, n_columns: int) -> Layout:
    """Draw how many columns of a table are of which kind.

    Parameters
    ----------
    stream : Stream
    n_columns : int
        Of the whole table, 2 or more.
    """
    left = n_columns - 2
    counts = []
    for chance, low, high in (
        (WITH_CODES, 0.05, 0.3), (WITH_COPIES, 0.02, 0.1), (WITH_GAPS, 0.02, 0.1),
    ):  # fmt: skip
        present = stream.number(0.0, 1.0) < chance
        count = max(1, round(n_columns * stream.number(low, high)))
        counts.append(min(left, count) if present else 0)
        left -= counts[-1]
    codes, copies, gaps = counts
    return Layout(n_law=left + 2, n_codes=codes, n_copies=copies, n_gaps=gaps)


def make_table(
    stream: Stream, law: Law, base: FloatArray, layout: Layout, n_train: int
) -> tuple[FloatArray, dict[str, Any]]:
    """Show a law's columns as a table.

    Parameters
    ----------
    stream : Stream
    law : Law
    base : float64 array of shape (n_law, n)
        Train, then test; the base columns of `Law`.
    layout : Layout
    n_train : int
        Scales are measured on the first n_train rows.

    Returns
    -------
    tuple of float64 array of shape (n_columns, n) and dict
        The table, its columns in random order, and what was drawn, as JSON values.
    """
    width = spread(base[:, :n_train])
    codes, effects = _draw_codes(stream, layout, base.shape[1])
    moved = base + _shifts(codes, effects) * (width / _NORMAL_SPREAD)[:, None]
    integer, heavy = _draw_kinds(stream, layout.n_law)
    columns = law.shown(moved)
    steps = stream.between(*STEPS, layout.n_law) * law.resolution
    shapes = stream.integers(0, 1, layout.n_law)
    for j in range(layout.n_law):
        if integer[j]:
            whole = np.rint(moved[j] / steps[j])
            columns[j] = _shape_integers(whole, bool(heavy[j]), int(shapes[j]), n_train)
        elif heavy[j]:
            columns[j] = _stretch(columns[j], int(shapes[j]), n_train)
    indicators, shares = _remove_cells(stream, columns, layout.n_gaps, n_train)
    copied = stream.integers(0, layout.n_law - 1, layout.n_copies)
    table = np.concatenate((columns, codes, columns[copied], indicators))
    order = stream.permutation(len(table))
    return np.ascontiguousarray(table[order]), {
        "integer": np.flatnonzero(integer).tolist(),
        "heavy": np.flatnonzero(heavy).tolist(),
        "n_levels": [int(code.max()) + 1 for code in codes],
        "copied": copied.tolist(),
        "missing": shares,
        "order": order.tolist(),
    }


def _draw_kinds(stream: Stream, d: int) -> tuple[BoolArray, BoolArray]:
    """Draw which columns are integers, and which have heavy tails."""
    style, share = stream.number(0.0, 1.0), stream.number(0.1, 0.9)
    if style < NO_INTEGERS:
        share = 0.0
    elif style < NO_INTEGERS + ALL_INTEGERS:
        share = 1.0
    heavy = stream.number(0.0, 0.5)
    return stream.uniform(d) < share, stream.uniform(d) < heavy


def _draw_codes(
    stream: Stream, layout: Layout, n: int
) -> tuple[FloatArray, list[FloatArray]]:
    """Draw columns of codes, and their effects on the law's columns.

    Returns
    -------
    tuple of float64 array of shape (n_codes, n) and list of float64 arrays
        Effects have shape (n_law, n_levels), in standard deviations; half of the law's
        columns do not depend on a code.
    """
    codes, effects = np.empty((layout.n_codes, n)), []
    for i in range(layout.n_codes):
        levels = stream.integer(*_LEVELS)
        weights = stream.between(0.1, 1.0, levels)
        ends, total = [], 0.0
        for weight in weights.tolist():
            total += weight
            ends.append(total)
        codes[i] = np.searchsorted(np.array(ends[:-1]), total * stream.uniform(n))
        moved = stream.uniform(layout.n_law) < 0.5
        effect = stream.between(-1.5, 1.5, layout.n_law, levels)
        effects.append(np.where(moved[:, None], effect, 0.0))
    return codes, effects


def _shifts(codes: FloatArray, effects: list[FloatArray]) -> FloatArray | float:
    """Return the sum of the codes' effects; shape (n_law, n), or 0 without codes."""
    total: FloatArray | float = 0.0
    for code, effect in zip(codes, effects, strict=True):
        total = total + effect[:, code.astype(np.int64)]
    return total


def _shape_integers(
    whole: FloatArray, heavy: bool, shape: int, n_train: int
) -> FloatArray:
    """Return whole numbers as counts from 0, their triangular numbers, or cubes.

    All three increase strictly, so that no two values become one.
    """
    if heavy:
        fit = float(np.abs(whole).max()) < _LARGEST_CUBED
        cubed: FloatArray = whole * whole * whole if fit else whole
        return cubed
    # One zero, see `_remove_cells`.
    count: FloatArray = whole - (whole[:n_train].min() + 0.0)
    if shape == 0:
        return count
    return np.where(count > 0.0, 0.5 * count * (count + 1.0), count)


def _stretch(values: FloatArray, shape: int, n_train: int) -> FloatArray:
    """Give a column heavy tails: the cube or the exponential of its scaled values."""
    train = np.sort(values[:n_train])
    width = float(spread(values[None, :n_train])[0])
    # One zero, see `_remove_cells`.
    scaled: FloatArray = (values - (train[n_train // 2] + 0.0)) * (
        _NORMAL_SPREAD / width
    )
    if shape == 0:
        cubed: FloatArray = scaled * scaled * scaled
        return cubed
    return portable.exp(scaled)


def _remove_cells(
    stream: Stream, columns: FloatArray, n_gaps: int, n_train: int
) -> tuple[FloatArray, list[float]]:
    """Replace cells by the column's median, in place, and return indicators.

    Cells are removed by chance alone, 2 % to 10 % of a column.
    """
    chosen: IntArray = stream.permutation(len(columns))[:n_gaps]
    indicators = np.zeros((len(chosen), columns.shape[1]))
    shares = []
    for i, j in enumerate(chosen.tolist()):
        shares.append(stream.number(0.02, 0.1))
        gone = stream.uniform(columns.shape[1]) < shares[-1]
        # 0.0 and -0.0 are equal, and which of them a sort puts in the middle depends on
        # the processor; their sum is 0.0.
        columns[j, gone] = np.sort(columns[j, :n_train])[n_train // 2] + 0.0
        indicators[i, gone] = 1.0
    return indicators, shares
