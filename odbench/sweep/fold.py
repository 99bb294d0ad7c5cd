"""Fold a run's journals into its results, a few data sets at a time.

Rows are read by data set and written in order. Memory therefore holds only the offset
of each line (16 bytes) and the rows of a few data sets, however many trials there are.
"""

from __future__ import annotations

import heapq
import itertools
import os
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
    TRIAL,
    completed,
    schema,
    write_results,
)
from odbench.results.schema import ENVIRONMENT
from odbench.sweep.journal import generation_of, journals, parse_line

if TYPE_CHECKING:
    import pyarrow as pa

# Suite, partition and name of a data set.
DatasetKey: TypeAlias = tuple[str, str, str]
# Whole data sets are sorted and written together until they have this many rows.
_ROWS = 4096
# Rows of the journals become a table together until there are this many: a table of
# one row takes as long to make as one of hundreds.
_TOGETHER = 512
# The start of a row as a worker writes it. Rows with their fields in another order are
# parsed as JSON, which is slower.
_WORD = rb'"([ !#-\[\]-~]*)"'
_START = re.compile(
    rb'\{"suite":' + _WORD + rb',"partition":' + _WORD + rb',"dataset":' + _WORD + rb","
)


def is_folded(folder: Path) -> bool:
    """Say whether the results are complete: no journal is left to fold."""
    return (folder / RESULTS).exists() and not journals(folder)


def fold(folder: Path, *, each: Callable[[pa.Table], None] | None = None) -> None:
    """Fold the journals into ``results.parquet`` and remove them.

    Of each trial the row of the latest generation is kept; within one generation, the
    last one of the journals. A row of a trial that the machine did not allow replaces
    no other. The order of rows does not depend on which trial ended first. A crash at
    any point loses nothing: the file is replaced in one step, and folding the same
    journals again changes nothing.

    Parameters
    ----------
    folder : Path
        The run's folder.
    each : callable, optional
        Called with the rows of the journals, some at a time.

    Raises
    ------
    OSError
        If the results cannot be written; the journals stay.
    """
    paths = journals(folder)
    _put_in_order(folder / RESULTS)
    write_results(_folded(folder / RESULTS, paths, each), folder / RESULTS)
    # The oldest go first: a crash in between leaves the newer rows to fold again.
    for path in paths:
        path.unlink()


def stored_generation(folder: Path) -> int:
    """Return the latest generation among the rows of the results, 0 if none has one."""
    if not (folder / RESULTS).exists():
        return 0
    import pyarrow.compute as pc

    newest = 0
    for batch in read_batches(folder / RESULTS, ["generation"]):
        newest = max(newest, pc.max(batch["generation"]).as_py() or 0)
    return newest


def _folded(
    results: Path, paths: list[Path], each: Callable[[pa.Table], None] | None
) -> Iterator[pa.Table]:
    """Yield the rows of the new file, whole data sets at a time."""
    import pyarrow as pa

    held: list[pa.Table] = []
    rows, last = 0, None
    # Stored rows of a data set come before new ones, because `merge` is stable.
    for key, table in heapq.merge(
        _stored(results), _journaled(paths, each), key=lambda part: part[0]
    ):
        if rows >= _ROWS and key != last:
            yield _newest(pa.concat_tables(held))
            held, rows = [], 0
        held.append(table)
        rows, last = rows + len(table), key
    if held:
        yield _newest(pa.concat_tables(held))


def _stored(results: Path) -> Iterator[tuple[DatasetKey, pa.Table]]:
    """Yield the rows of the old file by data set, in order."""
    import pyarrow as pa

    for batch in read_batches(results):
        yield from _by_dataset(pa.Table.from_batches([batch]))


def _by_dataset(table: pa.Table) -> Iterator[tuple[DatasetKey, pa.Table]]:
    """Yield the rows of each data set; the table is in their order."""
    start = 0
    for key, group in itertools.groupby(_dataset_keys(table)):
        length = sum(1 for _ in group)
        yield key, table.slice(start, length)
        start += length


def _dataset_keys(rows: pa.Table | pa.RecordBatch) -> Iterator[DatasetKey]:
    return zip(*(rows[name].to_pylist() for name in TRIAL[:3]), strict=True)


def _put_in_order(results: Path) -> None:
    """Sort a results file that was not written by `fold`, all in memory."""
    import pyarrow as pa

    batches = read_batches(results, list(TRIAL[:3]))
    keys = itertools.chain.from_iterable(map(_dataset_keys, batches))
    if any(later < key for key, later in itertools.pairwise(keys)):
        write_results(_newest(pa.Table.from_batches(read_batches(results))), results)


def read_batches(
    results: Path, columns: list[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a results file a few thousand at a time, none if it is missing.

    Parameters
    ----------
    results : Path
        The file.
    columns : list of str, optional
        All by default. Columns that an older version did not write are null.

    Raises
    ------
    ResultsError
        If the file is damaged or was not written by a run.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not results.exists():
        return
    full = schema()
    wanted = full if columns is None else pa.schema(map(full.field, columns))
    try:
        # Without a buffer, whole columns are read before the first row is returned. No
        # threads are used, because Arrow waits for ever for one that may not start.
        with (
            pa.OSFile(os.fsencode(results)) as source,
            pq.ParquetFile(
                source,
                buffer_size=1 << 16,
                pre_buffer=False,
                page_checksum_verification=True,
            ) as file,
        ):
            _check_columns(results, file.schema_arrow.names, wanted.names)
            for batch in file.iter_batches(
                batch_size=_ROWS, columns=columns, use_threads=False
            ):
                table = completed(pa.Table.from_batches([batch]), wanted)
                yield from table.to_batches()
    except MemoryError:
        # Arrow's is an ArrowException as well, and says nothing about the file.
        raise
    # A damaged name of a column is a ValueError.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unusable(results, " ".join(str(error).split())) from error


def _check_columns(results: Path, stored: list[str], wanted: list[str]) -> None:
    """Refuse a file that lacks a required column or has one twice."""
    missing = {*wanted} & {*REQUIRED} - {*stored}
    if missing:
        raise _unusable(results, f"missing: {', '.join(sorted(missing))}")
    doubled = [name for name in wanted if stored.count(name) > 1]
    if doubled:
        raise _unusable(results, f"given twice: {', '.join(doubled)}")


def _unusable(results: Path, why: str) -> ResultsError:
    msg = (
        f"results {str(results)!r}: not written by a run ({why}); move the file away, "
        f"and `odbench run` measures again, or name another folder"
    )
    return ResultsError(msg)


def _journaled(
    paths: list[Path], each: Callable[[pa.Table], None] | None
) -> Iterator[tuple[DatasetKey, pa.Table]]:
    """Yield the rows of the journals by data set, in order, the oldest first."""
    full, index = schema(), _index(paths)
    rows: list[dict[str, Any]] = []
    last = max(index, default=None)
    for key in sorted(index):
        rows += ({name: row.get(name) for name in COLUMNS}
                 for row in _rows_at(paths, index.pop(key)))  # fmt: skip
        if len(rows) >= _TOGETHER or key == last:
            table = _table(rows, full)
            if each is not None:
                each(table)
            yield from _by_dataset(table)
            rows = []


def _table(rows: list[dict[str, Any]], full: pa.Schema) -> pa.Table:
    """Return rows as a table, without those of impossible types."""
    import pyarrow as pa

    try:
        return pa.Table.from_pylist(rows, schema=full)
    except (MemoryError, pa.ArrowCancelled):
        # These are ArrowExceptions as well, but the rows are whole.
        raise
    except (pa.ArrowException, OverflowError, UnicodeError):
        if len(rows) == 1:
            return full.empty_table()
    # Only a damaged line of an older version comes here.
    return pa.concat_tables(_table([row], full) for row in rows)


def _index(paths: list[Path]) -> dict[DatasetKey, array[int]]:
    """Return the positions of each data set's rows: journal, offset, journal, ..."""
    index: dict[DatasetKey, array[int]] = {}
    for number, path in enumerate(paths):
        at = 0
        with path.open("rb") as lines:
            for line in lines:
                key = _dataset_key(line)
                if key is not None:
                    index.setdefault(key, array("q")).extend((number, at))
                at += len(line)
    return index


def _dataset_key(line: bytes) -> DatasetKey | None:
    """Return the data set of a line, or None if the line is not a result."""
    found = _START.match(line)
    if found:
        # A damaged line is left out when it is read whole.
        suite, partition, dataset = (g.decode(errors="replace") for g in found.groups())
        return suite, partition, dataset
    row = parse_line(line)
    if row is None or "key" not in row:
        return None
    return row["suite"], row["partition"], row["dataset"]


def _rows_at(paths: list[Path], positions: array[int]) -> Iterator[Mapping[str, Any]]:
    pairs = zip(positions[::2], positions[1::2], strict=True)
    for number, starts in itertools.groupby(pairs, key=lambda pair: pair[0]):
        generation = generation_of(paths[number])
        with paths[number].open("rb") as lines:
            for _, start in starts:
                lines.seek(start)
                row = parse_line(lines.readline())
                if row is not None and "key" in row:
                    yield {**row, "generation": generation}


def _newest(table: pa.Table) -> pa.Table:
    """Keep the newest measured row of each trial, in the order of `TRIAL`.

    That is the row of the latest generation, and of several such rows the last one. A
    fault of the machine measures nothing, so its row is kept only if there is no other.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = table.append_column("#", pa.array(range(len(table))))
    # Arrow waits for ever for a thread that it may not start, so it uses none here.
    groups = table.group_by(list(TRIAL), use_threads=False)
    newest = groups.aggregate([("#", "count")])
    if len(newest) < len(table):
        # Rows of older versions have no generation and are older than all others.
        generation = pc.fill_null(table["generation"], 0)
        table = table.append_column("generation#", generation)
        is_measured = pc.fill_null(pc.not_equal(table["status"], ENVIRONMENT), True)
        table = table.append_column("measured#", is_measured.cast("int8"))
        keys = (*TRIAL, "measured#", "generation#", "#")
        order = pc.sort_indices(table, [(name, "ascending") for name in keys])
        table = table.take(order).drop_columns(["measured#", "generation#"])
        frame = table.select(list(TRIAL)).to_pandas(use_threads=False)
        table = table.filter(pa.array(~frame.duplicated(keep="last")))
    table = table.drop_columns(["#"])
    order = pc.sort_indices(table, [(name, "ascending") for name in TRIAL])
    return table.take(order)
