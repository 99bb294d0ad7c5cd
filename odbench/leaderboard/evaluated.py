"""Tables of evaluated submissions, read back for the page, Markdown and terminal.

Their numbers were rounded when they were released (`odbench.submissions.evaluate`);
nothing new is computed from them here.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from odbench.errors import SubmissionError
from odbench.leaderboard.terminal import align, shortened
from odbench.submissions.private_table import COLUMNS
from odbench.submissions.released import check_rows, read_log
from odbench.submissions.rules import FEWEST_SETS, MOST_DECIMALS, TIERS
from odbench.text import markdown_text

NAMES = ("private.csv", "submissions.csv")
_LONGEST_NAME = 36
_WHOLE = ("n_datasets", "n_failed")
_SHARES = ("mean_auroc", "mean_ap", "mean_ap_adjusted")
_SECONDS = ("median_fit_seconds", "median_score_seconds")


class Evaluated(NamedTuple):
    """The evaluated submissions of one suite and partition.

    Attributes
    ----------
    suite, partition : str
        Suite and partition that they were scored on.
    file : str
        Path of the table below the leaderboard's folder.
    sha256 : str
        Hash of the table.
    rows : tuple of dict
        `odbench.submissions.private_table.COLUMNS`, numbers as such; best mean AUROC
        first.
    """

    suite: str
    partition: str
    file: str
    sha256: str
    rows: tuple[dict[str, Any], ...]


def read_evaluated(folder: Path) -> list[Evaluated]:
    """Read every table of evaluated submissions below a leaderboard's folder.

    Parameters
    ----------
    folder : Path
        May be missing. Tables of results with the same name are skipped. The audit log
        is in the folder itself.

    Returns
    -------
    list of Evaluated
        Sorted by suite and partition; tables without rows are left out.

    Raises
    ------
    SubmissionError
        If a table is not in the form that an evaluation writes or does not match the
        audit log, or the log was changed.
    """
    found, log = [], read_log(folder)
    for file in sorted(path for name in NAMES for path in folder.glob(f"*/{name}")):
        content = file.read_bytes()
        if is_evaluated(content):
            for table in _table(file, content):
                check_rows(file, table.rows, log)
                found.append(table)
    return sorted(found)


def is_evaluated(content: bytes) -> bool:
    """Say whether a table holds submissions, judging by its header."""
    return b"archive_sha256" in content.split(b"\n", 1)[0]


def _table(file: Path, content: bytes) -> list[Evaluated]:
    where = f"table {str(file)!r}"
    try:
        lines = content.decode("utf-8").splitlines()
        reader = csv.DictReader(lines, strict=True)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            msg = f"{where}: columns differ from those that an evaluation writes"
            raise SubmissionError(msg)
        rows = tuple(_row(row) for row in reader)
    except (ValueError, TypeError, csv.Error) as error:
        msg = (
            f"{where}: not written by an evaluation ({error}); restore it, or "
            "delete it and evaluate again"
        )
        raise SubmissionError(msg) from error
    about = {(row["suite"], row["partition"]) for row in rows}
    if not about:
        return []
    partition = "private" if file.name == NAMES[0] else "public"
    if about != {(file.parent.name, partition)}:
        msg = f"{where}: has rows of another suite or partition; restore it"
        raise SubmissionError(msg)
    return [
        Evaluated(
            suite=file.parent.name,
            partition=partition,
            file=f"{file.parent.name}/{file.name}",
            sha256=hashlib.sha256(content).hexdigest(),
            rows=rows,
        )
    ]


def _row(row: Mapping[str, str | None]) -> dict[str, Any]:
    """Parse one row; refuse values that an evaluation would not release."""
    read: dict[str, Any] = {name: str(row[name] or "") for name in COLUMNS}
    read |= {name: int(read[name]) for name in _WHOLE}
    read |= {name: float(read[name]) for name in (*_SHARES, *_SECONDS)}
    exact = [n for n in _SHARES if round(read[n], MOST_DECIMALS) != read[n]]
    if exact or not all(math.isfinite(read[name]) for name in _SECONDS):
        msg = f"{', '.join(exact) or 'seconds'}: not rounded, or not finite"
        raise ValueError(msg)
    if read["n_datasets"] < FEWEST_SETS or read["tier"] not in TIERS:
        msg = f"tier {read['tier']!r} over {read['n_datasets']} data sets"
        raise ValueError(msg)
    return read


def markdown_lines(evaluated: Evaluated) -> list[str]:
    """Write a table of submissions as lines of Markdown.

    Parameters
    ----------
    evaluated : Evaluated
        The table.

    Returns
    -------
    list of str
    """
    headings, body = _cells(evaluated.rows)
    marks = [":--" if name in ("method", "tier") else "--:" for name in headings]
    lines = [_joined(headings), _joined(marks)]
    lines += [_joined([markdown_text(cell) for cell in line]) for line in body]
    return lines


def render_evaluated(evaluated: Evaluated) -> str:
    """Render a table of submissions for a terminal, without a newline at the end."""
    headings, body = _cells(evaluated.rows)
    n, sets = len(body), evaluated.rows[0]["n_datasets"]
    title = (
        f"{evaluated.suite} / {evaluated.partition}, evaluated submissions: {n} "
        f"method{'' if n == 1 else 's'} on {sets} data sets"
    )
    order = "sorted by mean_auroc (higher is better)"
    for line in body:
        line[1] = shortened(line[1], _LONGEST_NAME)
    lines = align([headings, *body], left=(1, 2))
    return "\n".join([title, order, "", *lines])


def _joined(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    headings = [
        "",
        "method",
        "tier",
        "sets",
        "failed",
        "AUROC",
        "AP",
        "seconds",
        "date",
    ]
    body = [
        [
            str(place),
            row["method"],
            row["tier"],
            str(row["n_datasets"]),
            str(row["n_failed"]),
            # Points, as in the other tables; one decimal of them was released.
            f"{100 * row['mean_auroc']:.1f}",
            f"{100 * row['mean_ap']:.1f}",
            f"{row['median_fit_seconds'] + row['median_score_seconds']:.3g}",
            row["evaluated"],
        ]
        for place, row in enumerate(rows, 1)
    ]
    return headings, body
