"""The columns of a results file, and the path of a trial's scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import UsageError
from odbench.scoring.metrics import METRICS, interval_columns

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1
# Names in the folder of a run: its results, and the folder of its trials' scores.
RESULTS = "results.parquet"
SCORES = "scores"

# Rows that agree in these columns are of the same trial.
TRIAL = (
    "suite", "partition", "dataset", "detector", "config_id", "seed", "protocol",
)  # fmt: skip

STATUSES = (
    "ok",
    "failed",
    "timeout",
    "memory",
    "killed",
    "nonfinite",
    "shape",
    "environment",
)
# The machine's fault, not the detector's: such trials are not ranked, and run again.
ENVIRONMENT = "environment"

# Column, Arrow type, whether a leaderboard requires it.
_COLUMNS = (
    # The trial.
    ("suite", "string", True),
    ("partition", "string", True),
    ("dataset", "string", True),
    ("content_sha256", "string", True),
    ("detector", "string", True),
    ("detector_version", "string", False),
    # Parameters that differ from the reference, or "default" if none does.
    ("config", "string", True),
    ("config_id", "string", True),
    ("seed", "int64", True),
    ("protocol", "string", True),
    # Its outcome; a reason wherever the status is not "ok".
    ("status", "string", True),
    ("reason", "string", False),
    # The size of the data set, after the protocol's row limit.
    ("n_train", "int64", True),
    ("n_test", "int64", True),
    ("n_columns", "int64", True),
    ("n_anomalies", "int64", True),
    # Share of anomalies among the training rows; null in other settings.
    ("contamination", "double", False),
    # How far scores depend on the rows scored with them, 0 if not at all; null where
    # it was not measured (see odbench.sweep.batch).
    ("batch_difference", "double", False),
    # How well the configuration tells held-out training rows from made-up anomalies, in
    # runs over grids and for the first seed (see odbench.sweep.selection); else null.
    ("selection", "double", False),
    # Metrics; null wherever the status is not "ok" or the labels are not public.
    *((metric.name, "double", metric.required) for metric in METRICS),
    # 95 % intervals of the trial, known where its scores were kept.
    *((name, "double", False) for name in interval_columns()),
    # Costs. Seconds are those of the detector alone: work that another detector
    # of the sweep had already done is added, and counted in shared_seconds too.
    ("fit_seconds", "double", True),
    ("score_seconds", "double", True),
    ("shared_seconds", "double", False),
    ("warmup_seconds", "double", False),
    ("peak_memory_bytes", "int64", False),
    ("started_at", "string", False),
    ("worker", "string", False),
    # The layers of the sandbox that held, such as "audit hook + landlock 7 + seccomp".
    ("sandbox", "string", False),
    # Number of the run within its folder, 1, 2, ...: of two rows, the one with the
    # larger number is newer. Rows of older versions have none.
    ("generation", "int64", False),
    # Facts that slices and pages need, so that results stand alone.
    ("domain", "string", False),
    ("archetype", "string", False),
    ("family", "string", False),
    ("label_conflict", "int64", False),
    ("duplicate_train", "double", False),
    ("test_in_train", "double", False),
    ("anomalies_in_train", "double", False),
    # These four are facts of the scored rows, the next two of the whole data set.
    ("n_distinct_test", "int64", False),
    ("n_distinct_anomalies", "int64", False),
    ("ceiling_auroc", "double", False),
    ("ceiling_ap", "double", False),
    ("trivial_share", "double", False),
    ("large_integers", "int64", False),
    ("source_url", "string", False),
    ("licence", "string", False),
    ("detector_reference", "string", False),
    ("deterministic", "bool", False),
    ("inductive", "bool", False),
    # Whether the weights of the detector were trained on this data set.
    ("seen_in_training", "bool", False),
    # Content hash, detector version, parameters, seed and protocol version in
    # one: what a resumed run compares.
    ("key", "string", False),
)

COLUMNS = tuple(name for name, _, _ in _COLUMNS)
REQUIRED = tuple(name for name, _, required in _COLUMNS if required)
STRINGS = tuple(name for name, kind, _ in _COLUMNS if kind == "string")


def scores_file(run: Path, row: Mapping[str, Any]) -> Path:
    """Return the path of a trial's scores in a run's folder.

    Parameters
    ----------
    run : Path
        The folder.
    row : mapping
        The trial's row of the results. Its key is part of the name, so that
        scores of another version, content or protocol are not confused with them.
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


def completed(table: pa.Table, full: pa.Schema | None = None) -> pa.Table:
    """Add the missing columns of `schema` to a table, such as one of an older version.

    Parameters
    ----------
    table : pyarrow.Table
        With any of the columns of `schema`; others are dropped.
    full : pyarrow.Schema, optional
        Used instead of `schema`.

    Returns
    -------
    pyarrow.Table
        The columns of `schema` in its order; added ones are null.
    """
    import pyarrow as pa

    full = schema() if full is None else full
    if table.schema.equals(full):
        # A cast would import much of Arrow to change nothing but notes of the file.
        return pa.Table.from_arrays(table.columns, schema=full)
    for field in full:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(full.names).cast(full)


def columns_as_words(columns: Iterable[str]) -> pa.Schema:
    """Return the schema of some columns, with dictionary-encoded texts."""
    import pyarrow as pa

    wanted, word = set(columns), pa.dictionary(pa.int32(), pa.string())
    if unknown := sorted(wanted - set(COLUMNS)):
        msg = (
            f"results: no column {', '.join(map(repr, unknown))}; the columns are "
            f"{', '.join(COLUMNS)}"
        )
        raise UsageError(msg)
    return pa.schema(
        [
            field.with_type(word) if pa.types.is_string(field.type) else field
            for field in schema()
            if field.name in wanted
        ]
    )
