"""The parts of a private partition's results that may be shown: rounded aggregates."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from odbench.leaderboard.formats import rounded
from odbench.scoring.cells import Cells
from odbench.scoring.metrics import METRICS
from odbench.submissions.rules import FEWEST_SETS, MOST_DECIMALS
from odbench.threads import spare_threads

if TYPE_CHECKING:
    import pandas as pd

# Rounded numbers are not exact.
_ROUNDING = 1e-9


def may_be_shown(cells: Cells) -> bool:
    """Check whether aggregates of a suite, partition and protocol may be shown.

    Those of a private partition of too few data sets may not, which a warning says.
    """
    if cells.partition != "private" or len(cells.datasets) >= FEWEST_SETS:
        return True
    message = (
        f"leaderboard of {cells.suite}/private ({cells.protocol}): "
        f"{len(cells.datasets)} scored data sets; wanted at least "
        f"{FEWEST_SETS}, so it is left out"
    )
    warnings.warn(message, stacklevel=2)
    return False


def shown_table(table: pd.DataFrame, partition: str) -> pd.DataFrame:
    """Return a leaderboard, rounded if it is of a private partition."""
    return rounded(table, decimals=MOST_DECIMALS) if partition == "private" else table


def holds_exact_results(file: Path) -> bool:
    """Check whether a file holds results of a private partition that are not rounded.

    Parameters
    ----------
    file : Path
        A results file holds such results if a trial of a private partition has a
        metric, a CSV table if a row of one names a data set or has a mean with more
        than `MOST_DECIMALS` decimals. A CSV table with a partition that was saved with
        other separators or in UTF-16 counts as one that does. Files of other kinds hold
        none.

    Returns
    -------
    bool
    """
    if file.suffix == ".parquet":
        return _has_private_trials(file)
    return file.suffix == ".csv" and _has_exact_rows(file)


def _has_private_trials(file: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    spare_threads()
    try:
        names = set(pq.read_schema(file).names)
        metrics = [metric.name for metric in METRICS if metric.name in names]
        if "partition" not in names:
            return False
        table = pq.read_table(file, columns=["partition", *metrics])
    except (OSError, pa.ArrowException):
        # A file that cannot be read shows nothing to anybody.
        return False
    rows = table.to_pandas()
    private = rows.loc[rows["partition"].astype(str) == "private", metrics]
    return bool(private.notna().to_numpy().any())


def _has_exact_rows(file: Path) -> bool:
    # Spreadsheets put a byte order mark before the first column's name.
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        rows = csv.reader(text)
        try:
            header = next(rows, [])
            if "partition" not in header:
                return "partition" in "".join(header).replace("\0", "")
            return any(_is_exact(header, row) for row in rows)
        except csv.Error:
            # A field that is too long for this reader is not for others.
            return True


def _is_exact(header: list[str], row: list[str]) -> bool:
    fields = dict(zip(header, row, strict=False))
    if fields.get("partition") != "private":
        return False
    means = (text for name, text in fields.items() if name.startswith("mean_"))
    return "dataset" in fields or any(map(_has_more_decimals, means))


def _has_more_decimals(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return abs(value - round(value, MOST_DECIMALS)) > _ROUNDING
