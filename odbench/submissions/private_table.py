"""The table of evaluated submissions, written from the audit log alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from odbench.errors import SubmissionError
from odbench.submissions.dataset_list import SetList
from odbench.submissions.rules import same
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


def table_file(leaderboard: Path, sets: SetList) -> Path:
    """Return where the table of a set list stands in a leaderboard's folder.

    The public partition has a table of its own name: ``public.csv`` is built from
    published results, this one from submitted scores.
    """
    name = "private.csv" if sets.partition == "private" else "submissions.csv"
    return leaderboard / sets.suite / name


def released(
    entries: Sequence[Mapping[str, Any]], sets: SetList
) -> list[dict[str, Any]]:
    """Return the rows of the table: each method's last one, best mean AUROC first.

    Parameters
    ----------
    entries : sequence of mapping
        The audit log of the suite and partition.
    sets : SetList
        Rows about another list (data sets that were rotated out) are left out: their
        numbers cannot be compared.

    Returns
    -------
    list of dict
        With `COLUMNS`.
    """
    rows: list[dict[str, Any]] = []
    for entry in entries:
        if entry["sets_sha256"] != sets.sha256:
            continue
        rows = [row for row in rows if not same(row["method"], entry["method"])]
        # The log sorts its keys; a row has the order of the table.
        rows.append({name: entry["row"][name] for name in COLUMNS})
    return sorted(rows, key=lambda row: (-row["mean_auroc"], row["method"]))


def write(file: Path, entries: Sequence[Mapping[str, Any]], sets: SetList) -> None:
    """Write the table, whole or not at all."""
    write_whole(file, _render(entries, sets))


def check_table(
    file: Path, entries: Sequence[Mapping[str, Any]], sets: SetList
) -> None:
    """Refuse a table that is not what the audit log makes of it.

    Raises
    ------
    SubmissionError
        If it was edited. One evaluation behind is fine: that is what an interruption
        between log and table leaves.
    """
    if not file.is_file():
        return
    content = file.read_bytes()
    if not content.startswith(_render([], sets)):
        msg = (
            f"table {str(file)!r}: was not written by an evaluation (`leaderboard "
            f"build` writes one of that name); evaluate into another folder"
        )
        raise SubmissionError(msg)
    stale = [entry for entry in entries if entry["sets_sha256"] != sets.sha256]
    fine = {_render(entries, sets), _render(entries[:-1], sets)}
    if content in fine:
        return
    # After a rotation the file still holds the last table of the former list.
    if stale and len(stale) == len(entries):
        return
    msg = (
        f"table {str(file)!r}: is not what the audit log makes of it; restore them "
        f"from a copy, or delete the table to have it written again"
    )
    raise SubmissionError(msg)


def _render(entries: Sequence[Mapping[str, Any]], sets: SetList) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(released(entries, sets))
    return text.getvalue().encode()
