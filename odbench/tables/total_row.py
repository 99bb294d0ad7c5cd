"""Notice that the last row of a table is the total of the others, by its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    table = sample.table
    # By name from the table itself, each would be searched for among all names.
    values = dict(zip(table.column_names, table.columns, strict=True))
    last = list(_last(numeric, values))
    sums = list(_sums(last, values))
    if not sums or 2 * len(sums) < sum(value != 0.0 for _, value in last):
        return []
    more = f" and {len(sums) - _NAMED} more" if len(sums) > _NAMED else ""
    told = ", ".join(map(repr, sums[:_NAMED])) + more
    row = row_numbers(np.array([source.n_rows - 1]), source.left_out)[0]
    return [
        f"the last row ({row}) is the sum of the others in {told}; if it is a total, "
        f"delete it"
    ]


def _last(
    columns: Sequence[Column], values: Mapping[str, Any]
) -> Iterator[tuple[Column, float]]:
    """Yield the columns that have a number in the last row, with that number."""
    for column in columns:
        cells = values[column.name]
        value = float(parsed_numbers(column, cells.slice(len(cells) - 1))[0])
        if not np.isnan(value):
            yield column, value


def _sums(
    last: Iterable[tuple[Column, float]], values: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the names of the columns whose last value is the sum of the others."""
    for column, value in last:
        cells = values[column.name]
        above = cells.slice(0, len(cells) - 1)
        # The first rows tell of most columns that they have no sum.
        for part in (above.slice(0, _LOOK), above):
            numbers = parsed_numbers(column, part)
            numbers = numbers[~np.isnan(numbers) & (numbers != 0.0)]
            if _excludes(numbers, value):
                break
        else:
            close = abs(numbers.sum() - value) <= _ROUNDING * abs(value)
            if close and len(numbers) >= _FEWEST:
                yield column.name


def _excludes(values: FloatArray, total: float) -> bool:
    """Say whether no more values of the same signs can make these sum to a total."""
    mixed = bool((values > 0.0).any() and (values < 0.0).any())
    return mixed or abs(values.sum()) > abs(total) * (1.0 + _ROUNDING)
