"""A table as it was given: named columns, and rows that can be read again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from odbench.arrays import IntArray
from odbench.errors import DataError
from odbench.tables.nested import flat_columns, flat_names
from odbench.tables.values import readable, without_periods
from odbench.text import counted

BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Source:
    """A table that is read in batches.

    Attributes
    ----------
    name : str
        Its file, or "table" for a table in memory.
    names : tuple of str
        Its columns, all different.
    n_rows : int
        The number of rows.
    form : str
        Its format in words, such as "CSV, delimiter comma, utf-8".
    notes : tuple of str
        Remarks on reading, one line each.
    read : callable
        Returns an iterator of ``pyarrow.RecordBatch`` whose columns are in the order
        of `names`; the names inside batches do not matter. A structure is one column
        of a batch and a name per field, see `odbench.tables.nested`.
    left_out : int64 array
        Numbers of rows of the file, from 0, ascending, that are not among the rows.
    """

    name: str
    names: tuple[str, ...]
    n_rows: int
    form: str
    read: Callable[[], Iterator[Any]]
    notes: tuple[str, ...] = ()
    left_out: IntArray = field(
        default_factory=lambda: np.zeros(0, dtype=np.int64), compare=False
    )

    def batches(self) -> Iterator[Any]:
        """Yield the rows as record batches with the columns' names."""
        import pyarrow as pa

        for batch in self.read():
            self._check(batch)
            flat = flat_columns(without_periods(batch))
            columns = [readable(column) for column in flat]
            yield pa.RecordBatch.from_arrays(columns, names=list(self.names))

    def _check(self, batch: Any) -> None:
        """Refuse arrays that break Arrow's own rules, before anything trusts them.

        Raises
        ------
        DataError
            If a file's text is not UTF-8, or its offsets lead out of its bytes.
        """
        import pyarrow as pa

        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            try:
                column.validate(full=True)
            except pa.ArrowInvalid as error:
                msg = (
                    f"{self.name}: column {name!r} is damaged ({first_words(error)}); "
                    f"write the table again"
                )
                raise DataError(msg) from error

    def table(self) -> Any:
        """Return all rows as one ``pyarrow.Table``."""
        import pyarrow as pa

        batches = [batch for batch in self.batches() if batch.num_rows]
        if not batches:
            return pa.table({name: pa.array([], pa.string()) for name in self.names})
        return pa.Table.from_batches(batches)

    def noted(self, *notes: str) -> Source:
        """Return the same table with more remarks."""
        return replace(self, notes=(*self.notes, *notes))


def row_numbers(places: IntArray, left_out: IntArray) -> IntArray:
    """Return the numbers that rows have in the file, from their places.

    Parameters
    ----------
    places : int64 array
        Places among the rows that are read, from 0.
    left_out : int64 array
        Numbers of the other rows, ascending.

    Examples
    --------
    >>> row_numbers(np.array([0, 1, 2, 3]), np.array([1, 2])).tolist()
    [0, 3, 4, 5]
    """
    # Rows that are read and lie before each one left out.
    before = left_out - np.arange(len(left_out))
    return np.asarray(places + np.searchsorted(before, places, side="right"))


def of_arrow(table: Any, *, name: str, form: str, notes: Sequence[str] = ()) -> Source:
    """Return a ``pyarrow.Table`` as a source.

    Raises
    ------
    DataError
        If it has no column or no row.
    """
    names, renamed = distinct_names(flat_names(table.schema))
    check_size(name, len(names), table.num_rows)
    return Source(
        name=name,
        names=names,
        n_rows=table.num_rows,
        form=form,
        read=lambda: iter(table.to_batches(max_chunksize=BATCH_ROWS)),
        notes=(*notes, *renamed),
    )


def distinct_names(given: Sequence[object]) -> tuple[tuple[str, ...], list[str]]:
    """Return different names for all columns, and a line about each one renamed.

    Parameters
    ----------
    given : sequence
        The names as read; they may be empty or repeated.

    Returns
    -------
    names : tuple of str
    notes : list of str
    """
    # Keys keep the order, and are found in a time that does not grow with their number.
    names: dict[str, None] = {}
    notes = []
    taken = {str(name).strip() for name in given}
    copies: Counter[str] = Counter()
    for number, each in enumerate(given, 1):
        wanted = name = str(each).strip() or f"column {number}"
        while name in names or (name != wanted and name in taken):
            copies[wanted] += 1
            name = f"{wanted} ({copies[wanted] + 1})"
        if name != wanted:
            notes.append(f"column name {wanted!r} is given twice; read as {name!r}")
        names[name] = None
    return tuple(names), notes


def damaged(name: str, form: str, error: Exception) -> DataError:
    """Return the error of a file that is not what its beginning promised."""
    return DataError(f"{name}: is not a readable {form} file ({first_words(error)})")


def first_words(error: Exception) -> str:
    """Return an error's message in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200]


def check_size(name: str, n_columns: int, n_rows: int) -> None:
    """Refuse a table without columns or rows."""
    if not n_columns:
        msg = f"{name}: has no columns; wanted a table with named columns"
        raise DataError(msg)
    if not n_rows:
        columns = counted(n_columns, "column")
        msg = f"{name}: has {columns} and no rows; wanted 1 or more"
        raise DataError(msg)
