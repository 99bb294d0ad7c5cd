"""Load a leaderboard from a run, a results file, a built folder or a CSV file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from odbench.errors import ResultsError, UsageError
from odbench.leaderboard.evaluated import is_evaluated
from odbench.leaderboard.slices import slice_table
from odbench.leaderboard.tables import (
    COLUMNS,
    DEFAULT,
    GROUP,
    Settings,
    build_leaderboard,
)
from odbench.results import RESULTS, read_results, select_present
from odbench.results.pending import is_pending, pending_words
from odbench.scoring.cells import split_results
from odbench.scoring.policy import Policy, apply_policy
from odbench.text import text_of_cell

if TYPE_CHECKING:
    import pandas as pd

# Policies that a built folder has a full table for, and the name of its file.
_BUILT: dict[Policy, str] = {"main": "public", "complete-case": "complete_case"}
# Columns that every leaderboard file must have.
_LEAST = ("suite", "partition", "detector", "config", "elo_auroc", "total_rank")


class Part(NamedTuple):
    """The leaderboard of all data sets or of one slice.

    Attributes
    ----------
    slice, level : str
        Name and level of the slice; "" for all data sets.
    table : pandas.DataFrame
        The leaderboard.
    """

    slice: str
    level: str
    table: pd.DataFrame


def load_leaderboard(
    path: Path, *, policy: Policy = "main", settings: Settings = DEFAULT
) -> pd.DataFrame:
    """Read or compute the leaderboard at a path.

    Parameters
    ----------
    path : Path
        A run's folder or results file (computed), a folder that `odbench
        leaderboard build` wrote, or a leaderboard's CSV file (read).
    policy : str
        How failures count; a built folder has "main" and "complete-case".
    settings : Settings
        Settings for a table that is computed.

    Returns
    -------
    pandas.DataFrame
        All suites, in the columns of a leaderboard.

    Raises
    ------
    ResultsError
        If there is no leaderboard or no results at that path.
    UsageError
        If a built folder has no table for the policy.
    """
    if _is_results(path):
        return build_leaderboard(read_present(path), policy=policy, settings=settings)
    _say_fixed(path, settings)
    if path.is_file():
        return _read_csv(path, parts=False)
    if policy not in _BUILT:
        msg = (
            f"leaderboard {str(path)!r}: no table for policy {policy!r}; wanted "
            f"{' or '.join(_BUILT)}, or name the run to compute it from"
        )
        raise UsageError(msg)
    names = [f"{_BUILT[policy]}.csv"] + ["private.csv"] * (policy == "main")
    return _joined(path, names)


def read_present(path: Path) -> pd.DataFrame:
    """Read the results of a run without its earlier versions, which a warning counts.

    Parameters
    ----------
    path : Path
        A results file or a run's folder.

    Returns
    -------
    pandas.DataFrame
        One row per trial.

    Raises
    ------
    ResultsError
        If the results cannot be read.
    """
    results, remarks = select_present(read_results(path), run=path)
    if is_pending(path):
        remarks = [*remarks, pending_words(path)]
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    return results


def of_suite(results: pd.DataFrame, suite: str | None) -> pd.DataFrame:
    """Return the results on a suite, or all of them without one.

    Raises
    ------
    UsageError
        If there are none on it.
    """
    if suite is None:
        return results
    chosen = results[results["suite"] == suite]
    if chosen.empty:
        there = ", ".join(sorted(set(results["suite"])))
        msg = f"--suite {suite!r}: not in these results; wanted {there}"
        raise UsageError(msg)
    return chosen


def is_built(path: Path) -> bool:
    """Say whether a path has results or tables of results, not only submissions."""
    return path.is_file() or _is_results(path) or any(path.glob("*/public.csv"))


def load_slices(
    path: Path, name: str, *, policy: Policy = "main", settings: Settings = DEFAULT
) -> list[Part]:
    """Read or compute the leaderboards of one slice.

    Parameters
    ----------
    path : Path
        As for `load_leaderboard`; a CSV file has no slices.
    name : str
        ``"size"`` for all levels of a slice, ``"size=< 1k rows"`` for one.
    policy : str
        How failures count; a built folder has "main" only.
    settings : Settings
        Settings for tables that are computed.

    Returns
    -------
    list of Part

    Raises
    ------
    ResultsError
        If there are no slices at that path.
    UsageError
        If there is no such slice or level.
    """
    if _is_results(path):
        return slices_of(read_present(path), name, policy=policy, settings=settings)
    _say_fixed(path, settings)
    if policy != "main":
        msg = f"leaderboard {str(path)!r}: slices exist for policy 'main' only"
        raise UsageError(msg)
    return _parts(_joined(path, ["slices.csv"]), name)


def slices_of(
    results: pd.DataFrame,
    name: str,
    *,
    policy: Policy = "main",
    settings: Settings = DEFAULT,
) -> list[Part]:
    """Compute the leaderboards of one slice of results; see `load_slices`."""
    import pandas as pd

    tables = [
        slice_table(apply_policy(cells, policy), settings)
        for cells in split_results(results)
    ]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return _parts(table, name)


def _parts(table: pd.DataFrame, name: str) -> list[Part]:
    wanted, _, level = name.partition("=")
    known = list(dict.fromkeys(zip(table["slice"], table["level"], strict=True)))
    chosen = [
        pair for pair in known if pair[0] == wanted and level.strip() in ("", pair[1])
    ]
    if not chosen:
        there = ", ".join(f"{a}={b}" for a, b in known)
        msg = f"slice {name!r}: not in these results; wanted one of {there}"
        raise UsageError(msg)
    return [
        Part(a, b, table[(table["slice"] == a) & (table["level"] == b)])
        for a, b in chosen
    ]


def _say_fixed(path: Path, settings: Settings) -> None:
    """Warn that settings do not change tables that were built before."""
    if settings != DEFAULT:
        message = (
            f"leaderboard {str(path)!r}: is as it was built; --permutations, --cluster "
            f"and --seed change tables of a run alone"
        )
        warnings.warn(message, stacklevel=3)


def _is_results(path: Path) -> bool:
    return path.suffix == ".parquet" or (path / RESULTS).is_file()


def _joined(folder: Path, names: list[str]) -> pd.DataFrame:
    """Read and join the files with the given names, for every suite of a folder."""
    import pandas as pd

    files = [file for name in names for file in sorted(folder.glob(f"*/{name}"))]
    files = [file for file in files if not _of_submissions(file)]
    if not files and is_pending(folder):
        raise ResultsError(pending_words(folder))
    if not files:
        msg = (
            f"leaderboard {str(folder)!r}: has neither results.parquet nor "
            f"*/{names[0]}; name a run, a results file or a folder that "
            "`odbench leaderboard build` wrote"
        )
        raise ResultsError(msg)
    together = pd.concat([_read_csv(file) for file in files], ignore_index=True)
    return together.sort_values(list(GROUP), kind="stable", ignore_index=True)


def _of_submissions(file: Path) -> bool:
    """Say whether a private table holds submissions, which have no ratings."""
    return file.name == "private.csv" and is_evaluated(file.read_bytes())


def _read_csv(file: Path, *, parts: bool = True) -> pd.DataFrame:
    """Read a table; without `parts`, refuse one with several rows per method."""
    import pandas as pd

    words = ("suite", "partition", "protocol", "detector", "config", "config_id")
    try:
        table = pd.read_csv(
            file, dtype=dict.fromkeys(words, str), keep_default_na=False, na_values=[""]
        )
    except (ValueError, OSError) as error:
        msg = f"leaderboard {str(file)!r}: not a readable CSV file ({error})"
        raise ResultsError(msg) from error
    for name in table.columns.intersection(list(words)):
        table[name] = table[name].map(text_of_cell, na_action="ignore")
    missing = [name for name in _LEAST if name not in table.columns]
    if missing:
        msg = f"leaderboard {str(file)!r}: missing columns: {', '.join(missing)}"
        raise ResultsError(msg)
    split = [name for name in ("slice", "view") if name in table.columns]
    if split and not parts:
        msg = (
            f"leaderboard {str(file)!r}: has a row per {split[0]}, which are not one "
            f"table; wanted a public.csv, or the folder with `show --slice NAME`"
        )
        raise ResultsError(msg)
    first = [name for name in ("slice", "level", *COLUMNS) if name in table.columns]
    return table[first]
