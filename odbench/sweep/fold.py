"""Fold a run's journals into its results, a few data sets at a time.

Rows are sought out by data set and written in order, so that memory holds where each
line begins (16 bytes) and the rows of a few data sets, however many trials there are.
"""

from __future__ import annotations

import heapq
import itertools
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from odbench.errors import ResultsError
from odbench.results import (
    COLUMNS,
    REQUIRED,
    RESULTS,
    completed,
    schema,
    write_results,
)
from odbench.sweep.journal import journals, parse_line

if TYPE_CHECKING:
    import pyarrow as pa

# What makes two rows the same trial, an older one superseded by a newer.
IDENTITY = (
    "suite",
    "partition",
    "dataset",
    "detector",
    "config_id",
    "seed",
    "protocol",
)
Place: TypeAlias = tuple[str, str, str]
# Rows that are sorted and written together: whole data sets until there are as many.
_ROWS = 4096
# How a row begins as a worker writes it; any other order of its fields is read too.
_WORD = rb'"([ !#-\[\]-~]*)"'
_START = re.compile(
    rb'\{"suite":' + _WORD + rb',"partition":' + _WORD + rb',"dataset":' + _WORD + rb","
)


def is_folded(folder: Path) -> bool:
    """Say whether there is nothing to fold."""
    return (folder / RESULTS).exists() and not journals(folder)


def fold(folder: Path, *, each: Callable[[pa.Table], None] | None = None) -> None:
    """Fold the journals into ``results.parquet`` and remove them.

    The rows stand in an order that does not depend on which came first, the newest of
    each trial. A crash at any point loses nothing: the file is replaced in one step,
    and journals that were folded already are folded again.

    Parameters
    ----------
    folder : Path
        The run's.
    each : callable, optional
        Shown the journals' rows, some at a time.

    Raises
    ------
    OSError
        If the results cannot be written; the journals stay.
    """
    paths = journals(folder)
    _put_in_order(folder / RESULTS)
    write_results(_folded(folder / RESULTS, paths, each), folder / RESULTS)
    for path in paths:
        path.unlink()


def _folded(
    results: Path, paths: list[Path], each: Callable[[pa.Table], None] | None
) -> Iterator[pa.Table]:
    """Yield what the new file shall hold, whole data sets together."""
    import pyarrow as pa

    held: list[pa.Table] = []
    rows, last = 0, None
    # Of one data set what is stored comes first: `merge` is stable.
    for place, table in heapq.merge(
        _stored(results), _journaled(paths, each), key=lambda part: part[0]
    ):
        if rows >= _ROWS and place != last:
            yield _newest(pa.concat_tables(held))
            held, rows = [], 0
        held.append(table)
        rows, last = rows + len(table), place
    if held:
        yield _newest(pa.concat_tables(held))


def _stored(results: Path) -> Iterator[tuple[Place, pa.Table]]:
    """Yield the rows of the old file by data set, in order."""
    import pyarrow as pa

    for batch in read_batches(results):
        table = pa.Table.from_batches([batch])
        start = 0
        for place, group in itertools.groupby(_places(table)):
            length = sum(1 for _ in group)
            yield place, table.slice(start, length)
            start += length


def _places(rows: pa.Table | pa.RecordBatch) -> Iterator[Place]:
    return zip(*(rows[name].to_pylist() for name in IDENTITY[:3]), strict=True)


def _put_in_order(results: Path) -> None:
    """Sort a file that was put here by other means, in one piece."""
    import pyarrow as pa

    batches = read_batches(results, list(IDENTITY[:3]))
    places = itertools.chain.from_iterable(map(_places, batches))
    if any(later < place for place, later in itertools.pairwise(places)):
        write_results(_newest(pa.Table.from_batches(read_batches(results))), results)


def read_batches(
    results: Path, columns: list[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a results file a few thousand at a time, none if it is absent.

    Parameters
    ----------
    results : Path
        The file.
    columns : list of str, optional
        Which; all by default. What an older version did not write is null.

    Raises
    ------
    ResultsError
        If it is damaged, or something else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not results.exists():
        return
    full = schema()
    wanted = full if columns is None else pa.schema(map(full.field, columns))
    try:
        # Without a buffer, whole columns are read before the first row is given.
        with pq.ParquetFile(results, buffer_size=1 << 16) as file:
            lacks = {*wanted.names} & {*REQUIRED} - {*file.schema_arrow.names}
            if lacks:
                raise _unusable(results, f"it lacks {', '.join(sorted(lacks))}")
            for batch in file.iter_batches(batch_size=_ROWS, columns=columns):
                table = completed(pa.Table.from_batches([batch]), wanted)
                yield from table.to_batches()
    except (pa.ArrowException, OSError) as error:
        raise _unusable(results, " ".join(str(error).split())) from error


def _unusable(results: Path, why: str) -> ResultsError:
    msg = (
        f"results {str(results)!r}: not what a run wrote ({why}); move the file away, "
        f"or name another folder with --out"
    )
    return ResultsError(msg)


def _journaled(
    paths: list[Path], each: Callable[[pa.Table], None] | None
) -> Iterator[tuple[Place, pa.Table]]:
    """Yield the journals' rows by data set, in order, the oldest of each first."""
    import pyarrow as pa

    full, index = schema(), _index(paths)
    for place in sorted(index):
        rows = [{name: row.get(name) for name in COLUMNS}
                for row in _rows_at(paths, index.pop(place))]  # fmt: skip
        if rows:
            table = pa.Table.from_pylist(rows, schema=full)
            if each is not None:
                each(table)
            yield place, table


def _index(paths: list[Path]) -> dict[Place, array[int]]:
    """Return where each data set's rows begin: journal, byte, journal, byte, ..."""
    index: dict[Place, array[int]] = {}
    for number, path in enumerate(paths):
        at = 0
        with path.open("rb") as lines:
            for line in lines:
                place = _place(line)
                if place is not None:
                    index.setdefault(place, array("q")).extend((number, at))
                at += len(line)
    return index


def _place(line: bytes) -> Place | None:
    """Return the data set that a line is about, None where it is no result."""
    found = _START.match(line)
    if found:
        suite, partition, dataset = (part.decode() for part in found.groups())
        return suite, partition, dataset
    row = parse_line(line)
    if row is None or "key" not in row:
        return None
    return row["suite"], row["partition"], row["dataset"]


def _rows_at(paths: list[Path], places: array[int]) -> Iterator[Mapping[str, Any]]:
    pairs = zip(places[::2], places[1::2], strict=True)
    for number, starts in itertools.groupby(pairs, key=lambda pair: pair[0]):
        with paths[number].open("rb") as lines:
            for _, start in starts:
                lines.seek(start)
                row = parse_line(lines.readline())
                if row is not None and "key" in row:
                    yield row


def _newest(table: pa.Table) -> pa.Table:
    """Keep the newest row of each trial, in the order of `IDENTITY`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = table.append_column("#", pa.array(range(len(table))))
    newest = table.group_by(list(IDENTITY)).aggregate([("#", "count")])
    if len(newest) < len(table):
        order = pc.sort_indices(
            table, [(name, "ascending") for name in (*IDENTITY, "started_at", "#")]
        )
        table = table.take(order)
        frame = table.select(list(IDENTITY)).to_pandas()
        table = table.filter(pa.array(~frame.duplicated(keep="last")))
    return table.drop_columns(["#"]).sort_by([(name, "ascending") for name in IDENTITY])
