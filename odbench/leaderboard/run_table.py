"""The leaderboard of a run, computed from its results and cached until they change."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from odbench.files import write_text
from odbench.leaderboard.tables import build_leaderboard
from odbench.leaderboard.terminal import render_table
from odbench.results import RESULTS, read_results, select_present
from odbench.scoring.cells import USED

BOARD = "leaderboard.csv"
# The last table, with a fingerprint of its inputs.
_KEPT = ".leaderboard.json"


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
        results, remarks = select_present(read_results(folder, USED), run=folder)
        board = build_leaderboard(results)
    text = board.to_csv(index=False)
    write_text(folder / BOARD, text)
    return {
        "board": _digest(text.encode()),
        "told": [*remarks, *(str(warning.message) for warning in told)],
        "table": render_table(board),
        "empty": board.empty,
    }


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
    """Return a fingerprint of the results, their place and the code of tables.

    Remarks name the place.
    """
    import platform
    from importlib.metadata import version

    import odbench

    here = Path(odbench.__file__).parent
    digest = hashlib.sha256(platform.python_version().encode())
    for library in ("numpy", "pandas", "pyarrow"):
        digest.update(f"|{library} {version(library)}".encode())
    for part in ("results", "scoring", "leaderboard"):
        for source in sorted((here / part).glob("*.py")):
            digest.update(source.read_bytes())
    digest.update(os.fsencode(results))
    with results.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
