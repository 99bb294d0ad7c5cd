"""Checks of a results file before it is used.

Results are published and shared, so a file may come from anybody. Its unpacked size is
bounded before any row is read; then names and numbers are checked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import ResultsError, UsageError
from odbench.scoring.metrics import METRICS, interval_columns
from odbench.scoring.settings import CONTAMINATED, SETTINGS, Protocol
from odbench.text import is_plain

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Maximum number of trials per file. Each needs up to about 1 KiB of memory.
MAX_TRIALS = 10_000_000
# Maximum bytes per text. A sweep cuts reasons at 500 characters.
MAX_TEXT = 10_000
# Maximum bytes of all texts, per trial and at least. A sweep writes 600 per trial.
_TEXT_PER_TRIAL = 1 << 10
_TEXT_ANYWAY = 1 << 24

_PLACE = re.compile(r"[a-z0-9_-]{1,40}")
# Values that become parts of a path in a leaderboard's folder.
_PLACES = ("suite", "partition")
_NAMES = ("protocol", "dataset", "detector", "config", "config_id")
# Names that are a link on the page, so that an empty one could not be seen.
_NAMED = ("dataset", "detector")
_SHARES = (
    *interval_columns(),
    "label_conflict", "duplicate_train", "test_in_train", "anomalies_in_train",
    "trivial_share",
)  # fmt: skip
# Values are divided by these.
_CEILINGS = ("ceiling_auroc", "ceiling_ap")
_LOWEST_CEILING = 1e-8
_COUNTS = (
    "n_train", "n_test", "n_columns", "n_anomalies", "peak_memory_bytes",
    "n_distinct_test", "n_distinct_anomalies", "large_integers",
    "fit_seconds", "score_seconds", "shared_seconds", "warmup_seconds", "generation",
)  # fmt: skip
_MOST_SECONDS = 1e15
# Rounding may take a metric out of its range by this much.
_ROUNDING = 1e-9


def check_size(stored: pq.ParquetFile, file: Path, wanted: list[str]) -> None:
    """Refuse a file whose declared size is too large, before any row is read.

    Parameters
    ----------
    stored : pyarrow.parquet.ParquetFile
        Open; only its metadata is read.
    file : Path
        Path of the file, for messages.
    wanted : list of str
        Columns that will be read.

    Raises
    ------
    ResultsError
        If there are too many trials, more trials than bytes, or columns of lists,
        records or bytes, whose size the metadata does not tell.
    """
    import pyarrow as pa

    trials, size = stored.metadata.num_rows, file.stat().st_size
    # Trials differ, so each takes at least one byte even when compressed.
    if trials > min(MAX_TRIALS, size):
        msg = (
            f"results {str(file)!r}: {trials} trials in {size} bytes; at most "
            f"{MAX_TRIALS} are read, and no more than the file has bytes; build from "
            f"several smaller files"
        )
        raise ResultsError(msg)
    flat = (pa.types.is_primitive, pa.types.is_null, pa.types.is_dictionary,
            pa.types.is_string, pa.types.is_large_string)  # fmt: skip
    names = stored.schema_arrow.names
    for name in wanted:
        if names.count(name) > 1:
            msg = f"results {str(file)!r}: column {name} is given twice; wanted it once"
            raise ResultsError(msg)
        kind = stored.schema_arrow.field(name).type
        if not any(is_flat(kind) for is_flat in flat):
            msg = (
                f"results {str(file)!r}: column {name} is of type {kind}; wanted a "
                f"number or a text in each row"
            )
            raise ResultsError(msg)


def check_texts(table: pa.Table, file: Path) -> None:
    """Refuse texts that are too long, singly or in total.

    Parameters
    ----------
    table : pyarrow.Table
        With texts as indices into a dictionary.
    file : Path
        Where it comes from.

    Raises
    ------
    ResultsError
        Naming the longest text, or the total size.
    pyarrow.ArrowException
        If a text is not UTF-8.
    """
    import pyarrow.compute as pc

    total = 0
    for name, chunk in _dictionaries(table):
        # Bytes that are not UTF-8 make Arrow raise.
        chunk.dictionary.validate(full=True)
        lengths = pc.binary_length(chunk.dictionary)
        longest = pc.max(lengths).as_py() or 0
        if longest > MAX_TEXT:
            msg = (
                f"results {str(file)!r}: a {name} of {longest} bytes; wanted at most "
                f"{MAX_TEXT}; shorten it"
            )
            raise ResultsError(msg)
        total += pc.sum(lengths.cast("int64").take(chunk.indices)).as_py() or 0
    most = _TEXT_ANYWAY + _TEXT_PER_TRIAL * len(table)
    if total > most:
        msg = (
            f"results {str(file)!r}: {total} bytes of text in {len(table)} trials; at "
            f"most {most} are read; shorten the longest texts"
        )
        raise ResultsError(msg)


def check_values(table: pa.Table, file: Path, *, statuses: tuple[str, ...]) -> None:
    """Refuse invalid names and impossible numbers.

    Parameters
    ----------
    table : pyarrow.Table
        Texts as for `check_texts`; missing columns are skipped.
    file : Path
        Where it comes from.
    statuses : tuple of str
        The valid values of `status`.

    Raises
    ------
    ResultsError
        Naming the column, the value, and what is allowed.
    """
    for name, chunk in _dictionaries(table):
        if name not in (*_PLACES, *_NAMES, "detector_version", "status"):
            continue
        if chunk.null_count and name != "detector_version":
            _refuse(file, name, None, "one in every row")
        for text in chunk.dictionary.to_pylist():
            if name in _PLACES and not _PLACE.fullmatch(text):
                _refuse(file, name, text, "1 to 40 of a-z, 0-9, _ and -")
            if name == "status" and text not in statuses:
                _refuse(file, name, text, ", ".join(statuses))
            if not is_plain(text) or (name in _NAMED and not text.strip()):
                _refuse(file, name, text, "one line of visible characters")
            if name == "protocol":
                _check_protocol(text, file)
    for metric in METRICS:
        _check_range(table, file, metric.name, metric.lowest, metric.highest)
    for names, least, most in (
        (_SHARES, 0.0, 1.0),
        (_CEILINGS, _LOWEST_CEILING, 1.0),
        (_COUNTS, 0.0, _MOST_SECONDS),
    ):
        for name in names:
            _check_range(table, file, name, least, most)
    _check_anomalies(table, file)
    _check_scores(table, file)


def _check_protocol(label: str, file: Path) -> None:
    """Refuse a protocol that no run has, which would be ranked as one of its own."""
    try:
        known = Protocol.parse(label).label
    except UsageError:
        known = ""
    if label != known:
        wanted = f"{', '.join(list(SETTINGS)[:3])} or {CONTAMINATED}=SHARE"
        _refuse(file, "protocol", label, wanted)


def _check_range(
    table: pa.Table, file: Path, name: str, low: float, high: float
) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in table.column_names or pa.types.is_null(table[name].type):
        return
    ends = pc.min_max(table[name])
    for end in (ends["min"].as_py(), ends["max"].as_py()):
        # Some writers store NaN for a missing value.
        if end is None or math.isnan(end):
            continue
        if not low - _ROUNDING <= end <= high + _ROUNDING:
            _refuse(file, name, end, f"{low:g} to {high:g}")


def _check_anomalies(table: pa.Table, file: Path) -> None:
    """Refuse a test split of one class that has metrics, which do not exist there."""
    import pyarrow.compute as pc

    if not {"n_test", "n_anomalies"} <= set(table.column_names):
        return
    bad = table.filter(pc.greater_equal(table["n_anomalies"], table["n_test"]))
    if len(bad):
        n, rows = bad["n_anomalies"][0].as_py(), bad["n_test"][0].as_py()
        _refuse(file, "n_anomalies", n, f"fewer than the {rows} test rows")
    primary = next(metric.name for metric in METRICS if metric.required)
    if primary not in table.column_names:
        return
    known = pc.invert(pc.is_null(table[primary], nan_is_null=True))
    if len(table.filter(pc.and_(pc.equal(table["n_anomalies"], 0), known))):
        _refuse(file, "n_anomalies", 0, f"1 or more wherever there is an {primary}")


def _check_scores(table: pa.Table, file: Path) -> None:
    """Refuse trials that have the primary metric but not the other required ones."""
    import pyarrow.compute as pc

    primary, *others = (metric.name for metric in METRICS if metric.required)
    if not {primary, *others, "status"} <= set(table.column_names):
        return
    known = pc.invert(pc.is_null(table[primary], nan_is_null=True))
    good = pc.equal(table["status"].cast("string"), "ok")
    for name in others:
        half = pc.and_(known, pc.is_null(table[name], nan_is_null=True))
        if pc.any(pc.and_(half, good)).as_py():
            _refuse(file, name, None, f"one wherever there is an {primary}")


def _dictionaries(table: pa.Table) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa

    for name in table.column_names:
        if pa.types.is_dictionary(table[name].type):
            for chunk in table[name].chunks:
                yield name, chunk


def _refuse(file: Path, name: str, value: Any, wanted: str) -> None:
    shown = value[:60] if isinstance(value, str) else value
    msg = (
        f"results {str(file)!r}: {name} {shown!r}; wanted {wanted}; leave the file "
        f"out, or ask for a new one"
    )
    raise ResultsError(msg)
