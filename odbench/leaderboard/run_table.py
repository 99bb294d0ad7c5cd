"""The leaderboard of a run, computed from its results and cached until they change."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from odbench.errors import ResultsError
from odbench.files import write_text
from odbench.leaderboard.tables import GROUP, build_leaderboard
from odbench.leaderboard.terminal import render_table
from odbench.results import RESULTS, read_results
from odbench.scoring.cells import USED

if TYPE_CHECKING:
    import pandas as pd

BOARD = "leaderboard.csv"
# The last table, with a fingerprint of its inputs.
_KEPT = ".leaderboard.json"
# Causes of change between two runs into one folder, and the column that shows each.
_VERSIONS = (
    (("config", "detector"), "detector_version"),
    (("config", "detector"), "config_id"),
    (("dataset",), "content_sha256"),
)
_NAMED = 3


class RunTable(NamedTuple):
    """The leaderboard of a run, as text.

    Attributes
    ----------
    text : str
        The table, for a terminal.
    remarks : list of str
        Remarks for the reader, one line each.
    is_empty : bool
        True if there is nothing to rank because no labels are public.
    """

    text: str
    remarks: list[str]
    is_empty: bool


def table_of_run(folder: Path) -> RunTable:
    """Compute the leaderboard of a run and write ``leaderboard.csv`` in its folder.

    If the results, the scoring code and the file are unchanged since the last call,
    the cached table is returned, because rating hundreds of configurations takes
    seconds.

    Parameters
    ----------
    folder : Path
        The folder of a run that has a ``results.parquet``.

    Returns
    -------
    RunTable

    Raises
    ------
    ResultsError
        If the results cannot be read, or do not belong in one table.
    OSError
        If the folder cannot be written.
    """
    made_of = _fingerprint(folder / RESULTS)
    kept = _kept(folder)
    if kept is None or kept["of"] != made_of:
        kept = {"of": made_of, **_made(folder)}
        write_text(folder / _KEPT, json.dumps(kept))
    remarks = [str(line) for line in kept["told"]]
    return RunTable(str(kept["table"]), remarks, bool(kept["empty"]))


def _made(folder: Path) -> dict[str, Any]:
    """Compute the table, write ``leaderboard.csv``, and return the cache entry."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        try:
            board = build_leaderboard(read_results(folder, USED))
        except ResultsError:
            # Something changed, and not all affected trials have been run again.
            results = read_results(folder, (*USED, "started_at"))
            board = build_leaderboard(_present(results))
    text = board.to_csv(index=False)
    write_text(folder / BOARD, text)
    return {
        "board": _digest(text.encode()),
        "told": [str(warning.message) for warning in told],
        "table": render_table(board),
        "empty": board.empty,
    }


def _present(results: pd.DataFrame) -> pd.DataFrame:
    """Drop trials of earlier versions; the newest trial tells the present version."""
    results = results.sort_values("started_at", kind="stable", na_position="first")
    for thing, version in _VERSIONS:
        alike = results.groupby([*GROUP, *thing], observed=True)
        newest = alike[version].transform("last")
        is_old = results[version].astype(str) != newest.astype(str)
        if is_old.any():
            names = results.loc[is_old, thing[-1]].astype(str).unique()
            more = ", ..." if len(names) > _NAMED else ""
            warnings.warn(
                f"{is_old.sum()} trials are of earlier versions and not in the table: "
                f"{', '.join(sorted(names)[:_NAMED])}{more}; the same command without "
                f"--limit or --datasets runs their current versions",
                stacklevel=2,
            )
            results = results[~is_old]
    return results


def _kept(folder: Path) -> dict[str, Any] | None:
    """Return the cache entry; None if there is none or the table was edited."""
    try:
        kept = json.loads((folder / _KEPT).read_text(encoding="utf-8"))
        same = kept["board"] == _digest((folder / BOARD).read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    complete = (
        isinstance(kept.get("told"), list) and {"of", "table", "empty"} <= kept.keys()
    )
    return kept if same and complete else None


def _fingerprint(results: Path) -> str:
    """Return a fingerprint of the results and of the code that makes a table."""
    import platform
    from importlib.metadata import version

    import odbench

    here = Path(odbench.__file__).parent
    digest = hashlib.sha256(platform.python_version().encode())
    for library in ("numpy", "pandas", "pyarrow"):
        digest.update(f"|{library} {version(library)}".encode())
    for part in ("scoring", "leaderboard"):
        for source in sorted((here / part).glob("*.py")):
            digest.update(source.read_bytes())
    with results.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
