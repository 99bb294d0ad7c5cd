"""List the runs below a folder, and describe what one of them holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import ResultsError, UsageError
from odbench.provenance import recorded_run
from odbench.results import RESULTS
from odbench.results.present import VERSIONED
from odbench.sweep.finished import earlier_versions, journaled, read_frames
from odbench.sweep.folder import writer_of
from odbench.sweep.journal import journals
from odbench.sweep.request import RunRequest

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTION = "run.json"
_COLUMNS = (*VERSIONED, "generation", "status")
# The columns by which `Inventory.versions` counts results.
_VERSION = ("suite", "partition", "protocol", "detector", "config",
            "detector_version", "config_id")  # fmt: skip


@dataclass
class Inventory:
    """The contents of a run's folder.

    Attributes
    ----------
    folder : Path
        The folder.
    changed : str
        Time of the last change of results, description or journals, UTC.
    asked : dict
        The options of the last run that differ from the defaults; empty if ``run.json``
        is missing or broken.
    command : list of str
        The command of the last run, as its ``run.json`` has it.
    statuses : Counter
        Results by status.
    suites : list of str
        Suites in the results.
    earlier : int
        Number of results of earlier versions of a detector or a data set.
    versions : list of dict
        One entry per suite, partition, protocol, detector, configuration and version:
        number of results, of failed ones, latest generation, and whether it is present.
    journals : int
        Number of journals that are not folded into the results.
    journaled : int
        Number of results in them.
    writer : str
        Number of the process that writes to the folder; empty if none is known.
    """

    folder: Path
    changed: str
    asked: dict[str, Any]
    command: list[str]
    statuses: Counter[str] = field(default_factory=Counter)
    suites: list[str] = field(default_factory=list)
    earlier: int = 0
    versions: list[dict[str, Any]] = field(default_factory=list)
    journals: int = 0
    journaled: int = 0
    writer: str = ""

    @property
    def trials(self) -> int:
        """Number of results."""
        return self.statuses.total()

    @property
    def failed(self) -> int:
        """Number of results whose status is not "ok"."""
        return self.trials - self.statuses["ok"]


def find_runs(folder: Path) -> list[Path]:
    """Return the folders of runs: the given one, or those directly below it.

    Parameters
    ----------
    folder : Path
        The folder of a run, or one that holds several.

    Returns
    -------
    list of Path
        Sorted by name.

    Raises
    ------
    UsageError
        If it is not a folder.
    """
    if not folder.is_dir():
        msg = (
            f"runs {str(folder)!r}: no such folder; name the folder of your runs, or "
            f"make one with `odbench run`"
        )
        raise UsageError(msg)
    if is_run(folder):
        return [folder]
    return sorted(path for path in folder.iterdir() if path.is_dir() and is_run(path))


def is_run(folder: Path) -> bool:
    """Check whether a folder contains a run: results, a description or journals."""
    files = (folder / RESULTS, folder / DESCRIPTION)
    return any(file.is_file() for file in files) or bool(journals(folder))


def refuse_no_run(folder: Path) -> None:
    """Raise `UsageError` if a folder does not hold a run."""
    if not is_run(folder):
        fault = "holds no run" if folder.is_dir() else "no such folder"
        msg = (
            f"run {str(folder)!r}: {fault}; `odbench runs list DIR` lists those below "
            f"a folder"
        )
        raise UsageError(msg)


def inventory(folder: Path) -> Inventory:
    """Describe what a run's folder holds.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    Inventory

    Raises
    ------
    UsageError
        If it is not the folder of a run.
    ResultsError
        If the results are damaged.
    """
    refuse_no_run(folder)
    described = recorded_run(folder / DESCRIPTION)
    found = Inventory(folder, _changed(folder), _asked(described), _command(described))
    _count(found)
    found.journals = len(journals(folder))
    found.journaled = len(journaled(folder))
    # Without journals, no run is past its start or before its end.
    found.writer = writer_of(folder) if found.journals else ""
    return found


def summary_rows(folders: list[Path]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a row per run for a list, and a line for each that cannot be read.

    Parameters
    ----------
    folders : list of Path
        Folders of runs.
    """
    rows, faults = [], []
    for folder in folders:
        try:
            found = inventory(folder)
        except ResultsError as error:
            faults.append(str(error))
            continue
        except OSError as error:
            what = f"{error.filename!r}: {error.strerror}" if error.filename else error
            faults.append(f"run {str(folder)!r}: cannot be read: {what}")
            continue
        kinds = {(v["detector"], v["detector_version"]) for v in found.versions}
        rows.append(
            {
                "run": str(folder),
                "suites": found.suites,
                "trials": found.trials,
                "failed": found.failed,
                "versions": len(kinds),
                "earlier": found.earlier,
                "unfolded": found.journaled,
                "changed": found.changed,
            }
        )
    return rows, faults


def _count(found: Inventory) -> None:
    """Count the results by status and version."""
    earlier = earlier_versions(found.folder)
    counts: dict[tuple[Any, ...], Counter[str]] = {}
    for rows in read_frames(found.folder, _COLUMNS):
        found.statuses.update(rows["status"].tolist())
        found.earlier += int(earlier.holds(rows).sum())
        _count_versions(rows.assign(present=~earlier.by_version(rows)), counts)
    found.versions = [
        {**dict(zip((*_VERSION, "present"), key, strict=True)), **counts[key]}
        for key in sorted(counts)
    ]
    found.suites = list(dict.fromkeys(version["suite"] for version in found.versions))


def _count_versions(
    rows: pd.DataFrame, counts: dict[tuple[Any, ...], Counter[str]]
) -> None:
    rows = rows.fillna({"detector_version": "", "generation": 0})
    for key, group in rows.groupby([*_VERSION, "present"], sort=False):
        assert isinstance(key, tuple)
        known = counts.setdefault(key, Counter(trials=0, failed=0, generation=0))
        known["trials"] += len(group)
        known["failed"] += int((group["status"] != "ok").sum())
        newest = int(group["generation"].max())
        known["generation"] = max(known["generation"], newest)


def _changed(folder: Path) -> str:
    files = [folder / RESULTS, folder / DESCRIPTION, *journals(folder)]
    newest = max(file.stat().st_mtime for file in files if file.exists())
    return datetime.fromtimestamp(newest, UTC).isoformat(timespec="seconds")


def _asked(described: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a run that differ from the defaults."""
    asked = described.get("asked")
    if not isinstance(asked, dict):
        return {}
    usual = {option.name: option.default for option in fields(RunRequest)}
    hidden = {"show_progress"}
    return {
        name: value
        for name, value in asked.items()
        if value != usual.get(name) and name not in hidden
    }


def _command(described: dict[str, Any]) -> list[str]:
    command = described.get("command")
    if isinstance(command, str):
        return [command]
    return [str(word) for word in command] if isinstance(command, list) else []
