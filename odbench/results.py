"""The hinge: one row a trial, written by a sweep and read by everything after it.

Whoever has a results file can rebuild every leaderboard from it, without data,
detectors, GPU or network.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import ResultsError
from odbench.results_checks import check_size, check_texts, check_values

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SCHEMA_VERSION = 1
# Where a run keeps the scores of its trials.
SCORES = "scores"

STATUSES = ("ok", "failed", "timeout", "memory", "killed", "nonfinite", "shape")

# Column, Arrow type, whether it must be there for a leaderboard.
_COLUMNS = (
    # What was tried.
    ("suite", "string", True),
    ("partition", "string", True),
    ("dataset", "string", True),
    ("content_sha256", "string", True),
    ("detector", "string", True),
    ("detector_version", "string", False),
    # Parameters that differ from the reference, "default" where none does.
    ("config", "string", True),
    ("config_id", "string", True),
    ("seed", "int64", True),
    ("protocol", "string", True),
    # How it ended; a reason wherever it is not "ok".
    ("status", "string", True),
    ("reason", "string", False),
    # The data set, after the protocol's row limit.
    ("n_train", "int64", True),
    ("n_test", "int64", True),
    ("n_columns", "int64", True),
    ("n_anomalies", "int64", True),
    # Scores of the scores; null wherever the status is not "ok" or the labels
    # are not public.
    ("auroc", "double", True),
    ("ap", "double", True),
    ("ap_adjusted", "double", False),
    ("f1", "double", False),
    # 95 % intervals of the trial, known where its scores were kept.
    ("auroc_low", "double", False),
    ("auroc_high", "double", False),
    ("ap_low", "double", False),
    ("ap_high", "double", False),
    # Costs. Seconds are those of the detector alone: work that another detector
    # of the sweep had already done is added, and counted in shared_seconds too.
    ("fit_seconds", "double", True),
    ("score_seconds", "double", True),
    ("shared_seconds", "double", False),
    ("warmup_seconds", "double", False),
    ("peak_memory_bytes", "int64", False),
    ("started_at", "string", False),
    ("worker", "string", False),
    # Facts that slices and pages need, so that results stand alone.
    ("domain", "string", False),
    ("archetype", "string", False),
    ("family", "string", False),
    ("label_conflict", "int64", False),
    ("duplicate_train", "double", False),
    ("test_in_train", "double", False),
    ("anomalies_in_train", "double", False),
    ("source_url", "string", False),
    ("licence", "string", False),
    ("detector_reference", "string", False),
    ("deterministic", "bool", False),
    ("inductive", "bool", False),
    # Content hash, detector version, parameters, seed and protocol version in
    # one: what a resumed run compares.
    ("key", "string", False),
)

COLUMNS = tuple(name for name, _, _ in _COLUMNS)
REQUIRED = tuple(name for name, _, required in _COLUMNS if required)


def scores_file(run: Path, row: Mapping[str, Any]) -> Path:
    """Return where the scores of a trial are kept in a run's folder.

    Parameters
    ----------
    run : Path
        The folder.
    row : mapping
        The trial's row of the results. Its key ends the name, so that scores of
        another version, content or protocol are never taken for its own.
    """
    folder = run.joinpath(SCORES, row["suite"], row["partition"], row["dataset"])
    detector = row["detector"].replace("/", "_")
    return folder / f"{detector}-{row['config_id']}-{row['seed']}-{row['key']}.npy"


def schema() -> pa.Schema:
    """Return the Arrow schema of a results file."""
    import pyarrow as pa

    return pa.schema(
        [(name, getattr(pa, {"double": "float64", "bool": "bool_"}.get(t, t))())
         for name, t, _ in _COLUMNS],
        metadata={"odbench_results": str(SCHEMA_VERSION)},
    )  # fmt: skip


def write_results(rows: pa.Table | Iterable[pa.Table], path: Path) -> None:
    """Write a results file whole or not at all.

    Parameters
    ----------
    rows : pyarrow.Table or iterable of them
        Columns of `schema`, in its order. Several tables are written one by one, so
        that no more than one need be in memory.
    path : Path
        Where to; replaced in one step once the new file is on the disk.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    full = schema()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as sink:
            with pq.ParquetWriter(sink, full, compression="zstd") as writer:
                for table in [rows] if isinstance(rows, pa.Table) else rows:
                    writer.write_table(table.cast(full))
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_results(
    path: Path | str, columns: Iterable[str] | None = None
) -> pd.DataFrame:
    """Read a results file, or the results of a run's folder, as a data frame.

    Parameters
    ----------
    path : Path or str
        A ``results.parquet`` or the folder of a run that holds one.
    columns : iterable of str, optional
        Which of `COLUMNS`, where not all are needed. Words then come as sorted
        categories, in a fraction of the memory.

    Returns
    -------
    pandas.DataFrame
        One row a trial; every column of `COLUMNS` that is wanted, in that order, null
        where the file lacks an optional one.

    Raises
    ------
    ResultsError
        If there is no such file, it cannot be read, it lacks a column, it unpacks to
        more than results do, or holds a name or a number that no trial can have.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = Path(path)
    if file.is_dir():
        file /= "results.parquet"
    if not file.is_file():
        msg = (
            f"results {str(path)!r}: no such file; name a results.parquet or the "
            f"folder that `odbench run --out` wrote"
        )
        raise ResultsError(msg)
    full = schema() if columns is None else _some_of(columns)
    # Texts are looked at as places in a list of distinct ones: a reason that all rows
    # share is held once, until it is known how long it is.
    try:
        with pq.ParquetFile(file) as described:
            names = described.schema_arrow.names
            wanted = [name for name in full.names if name in names]
            check_size(described, file, wanted)
        words = [n for n, kind, _ in _COLUMNS if kind == "string" and n in wanted]
        with pq.ParquetFile(file, read_dictionary=words) as stored:
            table = stored.read(wanted)
        check_texts(table, file)
    except (pa.ArrowException, OSError) as error:
        msg = f"results {str(file)!r}: not a readable Parquet file ({error})"
        raise ResultsError(msg) from error
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        msg = (
            f"results {str(file)!r}: lacks {', '.join(missing)}; wanted the columns "
            f"of results schema {SCHEMA_VERSION} (see docs/results.md)"
        )
        raise ResultsError(msg)
    try:
        coded = completed(table, _some_of(full.names))
        check_values(coded, file, statuses=STATUSES)
        table = coded if columns is not None else completed(table, full)
    except pa.ArrowException as error:
        msg = f"results {str(file)!r}: a column has the wrong type ({error})"
        raise ResultsError(msg) from error
    frame: pd.DataFrame = table.to_pandas()
    for name in frame.select_dtypes("category").columns:
        in_order = sorted(frame[name].cat.categories)
        frame[name] = frame[name].cat.set_categories(in_order)
    return frame


def completed(table: pa.Table, full: pa.Schema | None = None) -> pa.Table:
    """Give a table, such as one of an older version, every column of `schema`.

    Parameters
    ----------
    table : pyarrow.Table
        Any of the columns of `schema`; others are left out.
    full : pyarrow.Schema, optional
        Wanted instead of `schema`.

    Returns
    -------
    pyarrow.Table
        The columns of `schema` in its order, null where the table had none.
    """
    import pyarrow as pa

    full = schema() if full is None else full
    for field in full:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(full.names).cast(full)


def _some_of(columns: Iterable[str]) -> pa.Schema:
    """Return the schema of some columns, words as numbers into a list."""
    import pyarrow as pa

    wanted, word = set(columns), pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            field.with_type(word) if pa.types.is_string(field.type) else field
            for field in schema()
            if field.name in wanted
        ]
    )
