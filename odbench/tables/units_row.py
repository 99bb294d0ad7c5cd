"""Notice that the first row of a table has units or names where others have numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from odbench.tables.columns import Column, written_numbers
from odbench.tables.sample import Sample
from odbench.tables.source import Source, row_numbers
from odbench.tables.values import as_text, family

# Columns in which it must have text, rows below it, and columns that a note names.
_FEWEST, _BELOW, _NAMED = 2, 5, 3


def units_notes(source: Source, sample: Sample, columns: Sequence[Column]) -> list[str]:
    """Return a line if the first row has text instead of numbers, else nothing.

    Parameters
    ----------
    source : Source
    sample : Sample
        Rows of `source`.
    columns : sequence of Column
        As the table has them.

    Returns
    -------
    list of str
        The first row must have text in at least half of the columns of numbers in which
        it has a value, and in two. No other row of the sample has the same text there.
    """
    if source.n_rows <= _BELOW:
        return []
    first = next(batch for batch in source.batches() if batch.num_rows).slice(0, 1)
    numeric = [column for column in columns if column.role in ("number", "integer")]
    cells = list(_texts(first, sample.table, numeric))
    found = {name: text for name, text in cells if text}
    if len(found) < _FEWEST or 2 * len(found) < len(cells):
        return []
    names = list(found)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    row = row_numbers(np.array([0]), source.left_out)[0]
    return [
        f"the first row ({row}) has text, such as {found[names[0]]!r}, instead of "
        f"numbers in {', '.join(map(repr, names[:_NAMED]))}{more}; if these are units "
        f"or names, delete it"
    ]


def _texts(
    first: Any, table: Any, columns: Sequence[Column]
) -> Iterator[tuple[str, str]]:
    """Yield columns with a value in the first row, and its text if it is of no other.

    The text is empty for a number.
    """
    import pyarrow.compute as pc

    for column in columns:
        cell = first.column(column.name)
        if family(cell.type) != "text":
            continue
        text = as_text(cell)[0].as_py()
        if text is None:
            continue
        if not np.isnan(written_numbers(column, cell)[0]):
            yield column.name, ""
            continue
        same = pc.sum(pc.equal(as_text(table.column(column.name)), text)).as_py() or 0
        yield column.name, text if same <= 1 else ""
