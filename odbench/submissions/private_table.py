"""The table of evaluated submissions, derived from the audit log alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from odbench.errors import SubmissionError
from odbench.submissions.dataset_list import DatasetList
from odbench.submissions.names import same_name
from odbench.submissions.strict_json import write_whole

COLUMNS = (
    "suite",
    "partition",
    "method",
    "version",
    "authors",
    "submitter",
    "kind",
    "configuration",
    "training_data",
    "tier",
    "n_datasets",
    "n_failed",
    "mean_auroc",
    "mean_ap",
    "mean_ap_adjusted",
    "median_fit_seconds",
    "median_score_seconds",
    "hardware",
    "code_url",
    "evaluated",
    "archive_sha256",
    "sets_sha256",
)


def table_file(leaderboard: Path, sets: DatasetList) -> Path:
    """Return the path of the table for a list of data sets.

    For a public partition the name is ``submissions.csv``, because ``public.csv`` is
    built from published results.

    Parameters
    ----------
    leaderboard : Path
        The leaderboard's folder.
    sets : DatasetList
        The data sets.

    Returns
    -------
    Path
    """
    name = "private.csv" if sets.partition == "private" else "submissions.csv"
    return leaderboard / sets.suite / name


def released_rows(
    entries: Sequence[Mapping[str, Any]], sets: DatasetList
) -> list[dict[str, Any]]:
    """Return the rows of the table: each method's latest, best mean AUROC first.

    Parameters
    ----------
    entries : sequence of mapping
        The audit log of the suite and partition.
    sets : DatasetList
        Rows for another list (before a rotation) are omitted, because their numbers
        cannot be compared.

    Returns
    -------
    list of dict
        Rows with `COLUMNS`.
    """
    return latest_rows(entries, sets.sha256)


def latest_rows(
    entries: Sequence[Mapping[str, Any]], sets_sha256: str
) -> list[dict[str, Any]]:
    """Return each method's latest row on a list of data sets, given its hash."""
    rows: list[dict[str, Any]] = []
    for entry in entries:
        if entry["sets_sha256"] != sets_sha256:
            continue
        rows = [row for row in rows if not same_name(row["method"], entry["method"])]
        # The log sorts its keys, so the table's column order is restored here.
        rows.append({name: entry["row"][name] for name in COLUMNS})
    return sorted(rows, key=lambda row: (-row["mean_auroc"], row["method"]))


def write_table(
    file: Path, entries: Sequence[Mapping[str, Any]], sets: DatasetList
) -> None:
    """Write the table, whole or not at all."""
    write_whole(file, _render(entries, sets))


def check_table(
    file: Path, entries: Sequence[Mapping[str, Any]], sets: DatasetList
) -> None:
    """Refuse a table that does not match the audit log.

    Parameters
    ----------
    file : Path
        The table; it need not exist.
    entries : sequence of mapping
        The audit log of the suite and partition.
    sets : DatasetList
        The data sets.

    Raises
    ------
    SubmissionError
        If the table was edited. It may be one evaluation behind, because an
        interruption between writing log and table leaves it so.
    """
    if not file.is_file():
        return
    content = file.read_bytes()
    if not content.startswith(_render([], sets)):
        msg = (
            f"table {str(file)!r}: was not written by an evaluation (`leaderboard "
            f"build` also writes that name); evaluate into another folder"
        )
        raise SubmissionError(msg)
    stale = [entry for entry in entries if entry["sets_sha256"] != sets.sha256]
    fine = {_render(entries, sets), _render(entries[:-1], sets)}
    if content in fine:
        return
    # Before the first evaluation after a rotation, the file holds the old list's table.
    if stale and len(stale) == len(entries):
        return
    msg = (
        f"table {str(file)!r}: does not match the audit log; restore both from a "
        f"copy, or delete the table and evaluate again"
    )
    raise SubmissionError(msg)


def _render(entries: Sequence[Mapping[str, Any]], sets: DatasetList) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(released_rows(entries, sets))
    return text.getvalue().encode()
