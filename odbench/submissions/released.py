"""Check tables of evaluated submissions against the audit log beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from odbench.errors import SubmissionError
from odbench.submissions.audit_log import AuditLog
from odbench.submissions.private_table import COLUMNS, latest_rows

LOG = "audit.jsonl"
_TEXTS = (
    "suite",
    "partition",
    "sets_sha256",
    "submitter",
    "method",
    "tier",
    "archive_sha256",
)
# No count, mean or number of seconds is as large.
_LARGEST = 1e12
_NUMBERS = frozenset(
    name for name in COLUMNS if name.startswith(("n_", "mean_", "median_"))
)
_NEXT = (
    "restore both from a copy, or delete the table and evaluate an archive of the log "
    "again, which writes it anew"
)


def read_log(folder: Path) -> AuditLog:
    """Read the audit log of a leaderboard's folder; it is empty if it is missing.

    Raises
    ------
    SubmissionError
        If a line was changed, removed, moved or only partly written, or holds what
        no evaluation writes.
    """
    log = AuditLog(folder / LOG)
    for number, entry in enumerate(log.entries, start=1):
        fault = _fault_of_entry(entry)
        if fault:
            msg = (
                f"audit log {str(folder / LOG)!r}: line {number}: {fault}, so no "
                f"evaluation wrote it; restore the log from a copy"
            )
            raise SubmissionError(msg)
    return log


def _fault_of_entry(entry: Mapping[str, Any]) -> str:
    """Return what an evaluation would not have logged, "" if there is nothing."""
    for name in _TEXTS:
        if not isinstance(entry.get(name), str):
            return f"{name} is missing or not a text"
    if not _is_time(entry.get("time")):
        return "time is not a time with a zone"
    row = entry.get("row")
    if not isinstance(row, dict):
        return "row is missing or not an object"
    for name in COLUMNS:
        value = row.get(name)
        wanted = (int, float) if name in _NUMBERS else (str,)
        if type(value) not in wanted:
            return f"row's {name} is missing or of another type"
        if isinstance(value, (int, float)) and not abs(value) < _LARGEST:
            return f"row's {name} is too large"
    return ""


def _is_time(text: Any) -> bool:
    """Check a time as evaluations log it; days can be added to it."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return False
    return time.tzinfo is not None and 1970 < time.year < 9000


def check_rows(file: Path, rows: Sequence[Mapping[str, Any]], log: AuditLog) -> None:
    """Refuse a table whose rows are not those that the audit log gives.

    Parameters
    ----------
    file : Path
        The table, for messages.
    rows : sequence of mapping
        Its rows: `odbench.submissions.private_table.COLUMNS`, at least one.
    log : AuditLog
        The log beside it.

    Raises
    ------
    SubmissionError
        Naming the first row that differs, both values and the next step.
    """
    about = (rows[0]["suite"], rows[0]["partition"])
    entries = [e for e in log.entries if (e["suite"], e["partition"]) == about]
    if not entries:
        msg = (
            f"table {str(file)!r}: {LOG} beside the suites has no evaluation of its "
            f"rows; restore the log from a copy"
        )
        raise SubmissionError(msg)
    # Numbers on another list of data sets (before a rotation) are not released.
    expected = latest_rows(entries, entries[-1]["sets_sha256"])
    fault = _first_fault(rows, expected)
    if fault:
        msg = f"table {str(file)!r}: {fault}; {_NEXT}"
        raise SubmissionError(msg)


def _first_fault(
    rows: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]
) -> str:
    """Return the first difference of a table from the log, "" if there is none."""
    logged = {row["method"]: row for row in expected}
    names = [row["method"] for row in rows]
    for row in rows:
        method = row["method"]
        if method not in logged:
            return f"row {method!r} is not in the audit log"
        if names.count(method) > 1:
            return f"row {method!r} is given {names.count(method)} times"
        for name in COLUMNS:
            if row[name] != logged[method][name]:
                return (
                    f"row {method!r}: {name} is {row[name]!r}, and the audit log has "
                    f"{logged[method][name]!r}"
                )
    missing = [method for method in logged if method not in names]
    if missing:
        return f"row {missing[0]!r} of the audit log is missing"
    if names != list(logged):
        return f"row {names[0]!r} comes first, and the audit log gives another order"
    return ""
