"""Notice that the last row of a table is the total of the others, by its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.columns import Column, parsed_numbers
from odbench.tables.sample import Sample
from odbench.tables.source import Source, row_numbers

# Values above a total that are not 0, and rows that are looked at first.
_FEWEST, _LOOK = 5, 64
# Columns that a note names.
_NAMED = 3
# Relative difference of two sums in double precision.
_ROUNDING = 1e-9


def total_notes(source: Source, sample: Sample, columns: Sequence[Column]) -> list[str]:
    """Return a line if the last row has the sums of the rows above it, else nothing.

    Parameters
    ----------
    source : Source
    sample : Sample
        Rows of `source`; nothing is said unless it has all of them.
    columns : sequence of Column
        As the table has them.

    Returns
    -------
    list of str
        At least half of the numbers in the last row must be sums. A sum has no two
        values of different signs above it, and five that are not 0, so that it is far
        from each of them.
    """
    if len(sample.places) != source.n_rows or source.n_rows <= _FEWEST:
        return []
    numeric = [column for column in columns if column.role in ("number", "integer")]
    last = [value for _, value in _last(numeric, sample.table) if value]
    sums = list(_sums(numeric, sample.table))
    if not sums or 2 * len(sums) < len(last):
        return []
    more = f" and {len(sums) - _NAMED} more" if len(sums) > _NAMED else ""
    told = ", ".join(map(repr, sums[:_NAMED])) + more
    row = row_numbers(np.array([source.n_rows - 1]), source.left_out)[0]
    return [
        f"the last row ({row}) is the sum of the others in {told}; if it is a total, "
        f"delete it"
    ]


def _last(columns: Sequence[Column], table: Any) -> Iterator[tuple[Column, float]]:
    """Yield the columns that have a number in the last row, with that number."""
    row = table.slice(table.num_rows - 1)
    for column in columns:
        value = float(parsed_numbers(column, row.column(column.name))[0])
        if not np.isnan(value):
            yield column, value


def _sums(columns: Sequence[Column], table: Any) -> Iterator[str]:
    """Yield the names of the columns whose last value is the sum of the others."""
    above = table.slice(0, table.num_rows - 1)
    for column, value in _last(columns, table):
        # The first rows tell of most columns that they have no sum.
        for part in (above.slice(0, _LOOK), above):
            values = parsed_numbers(column, part.column(column.name))
            values = values[~np.isnan(values) & (values != 0.0)]
            if _excludes(values, value):
                break
        else:
            close = abs(values.sum() - value) <= _ROUNDING * abs(value)
            if close and len(values) >= _FEWEST:
                yield column.name


def _excludes(values: FloatArray, total: float) -> bool:
    """Say whether no more values of the same signs can make these sum to a total."""
    mixed = bool((values > 0.0).any() and (values < 0.0).any())
    return mixed or abs(values.sum()) > abs(total) * (1.0 + _ROUNDING)
