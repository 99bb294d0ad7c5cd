"""The leaderboard of a run, computed from its results and cached until they change."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from odbench.arrays import BoolArray
from odbench.files import write_text
from odbench.leaderboard.tables import build_leaderboard
from odbench.leaderboard.terminal import render_table
from odbench.results import RESULTS, read_results, select_present
from odbench.results.schema import ENVIRONMENT
from odbench.scoring.cells import USED
from odbench.scoring.settings import ONE_CLASS, TRANSDUCTIVE
from odbench.text import counted, printable

if TYPE_CHECKING:
    import pandas as pd

BOARD = "leaderboard.csv"
# The last table, with a fingerprint of its inputs.
_KEPT = ".leaderboard.json"
_DATASET = ["suite", "partition", "dataset"]
_METHOD = ["detector", "config_id"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The trials that a run was asked for.

    Attributes
    ----------
    datasets : frozenset of tuple of str
        Suite, partition and name of each data set.
    configurations : frozenset of tuple of str
        Detector and ``config_id`` of each configuration.
    protocol : str
        The setting.
    seeds : int, optional
        Seeds from 0 to this number, excluded; all by default.
    """

    datasets: frozenset[tuple[str, str, str]]
    configurations: frozenset[tuple[str, str]]
    protocol: str
    seeds: int | None = None


class RunTable(NamedTuple):
    """The leaderboard of a run, as text.

    Attributes
    ----------
    text : str
        The table, for a terminal.
    remarks : list of str
        Remarks for the reader, one line each.
    is_unlabelled : bool
        True if there is nothing to rank because no labels are public.
    """

    text: str
    remarks: list[str]
    is_unlabelled: bool


def table_of_run(
    folder: Path, asked: Asked | None = None, *, width: int | None = None
) -> RunTable:
    """Compute the leaderboard of a run and write ``leaderboard.csv`` in its folder.

    The file has all results in the folder, the table only those that were asked for.

    If the results, the scoring code and the file are unchanged since the last call,
    the cached table is returned, because rating hundreds of configurations takes
    seconds.

    Parameters
    ----------
    folder : Path
        The folder of a run that has a ``results.parquet``.
    asked : Asked, optional
        The trials to show; a remark then counts the other ones. All by default.
    width : int, optional
        Characters per line of the terminal; see `render_table`.

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
    made_of = _fingerprint(folder / RESULTS, asked)
    kept = _kept(folder)
    if kept is None or kept["of"] != made_of:
        kept = {"of": made_of, **_made(folder, asked)}
    if "text" not in kept or kept.get("width") != width:
        kept |= {"width": width, "text": _rendered(kept["table"], width)}
        write_text(folder / _KEPT, json.dumps(kept))
    remarks = [str(line) for line in kept["told"]]
    return RunTable(str(kept["text"]), remarks, bool(kept["unlabelled"]))


def _rendered(table: dict[str, list[Any]], width: int | None) -> str:
    # Imported only here: a repeated call shows the text that is kept.
    import pandas as pd

    return render_table(pd.DataFrame(table), width=width)


def _made(folder: Path, asked: Asked | None) -> dict[str, Any]:
    """Compute the table, write ``leaderboard.csv``, and return the cache entry."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        results, remarks = select_present(read_results(folder, USED), run=folder)
        board = build_leaderboard(results)
    text = board.to_csv(index=False)
    write_text(folder / BOARD, text)
    unknown = results["n_anomalies"].isna()
    if asked is not None:
        chosen = _is_asked(results, asked)
        unknown = unknown[chosen]
        if not chosen.all():
            remarks.append(_rest(results, asked, chosen, folder))
        if not chosen.all() or asked.protocol == TRANSDUCTIVE:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always", UserWarning)
                board = build_leaderboard(_as_asked(results[chosen], asked))
    return {
        "board": _digest(text.encode()),
        "told": [*remarks, *(str(warning.message) for warning in told)],
        "table": board.astype(object).to_dict("list"),
        "unlabelled": bool(unknown.all()),
    }


def _is_asked(results: pd.DataFrame, asked: Asked) -> BoolArray:
    """Mark the results that were asked for.

    One-class results count in the transductive setting, too.
    """
    protocols = {asked.protocol}
    if asked.protocol == TRANSDUCTIVE:
        protocols.add(ONE_CLASS)
    chosen = np.asarray(results["protocol"].isin(protocols), dtype=np.bool_)
    if asked.seeds is not None:
        chosen = chosen & (results["seed"] < asked.seeds).to_numpy(dtype=np.bool_)
    chosen = chosen & _are_among(results, _DATASET, asked.datasets)
    return chosen & _are_among(results, _METHOD, asked.configurations)


def _as_asked(results: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Count one-class results as transductive ones where those were asked for.

    A run in that setting skips the trials whose scores would be the same.
    """
    if asked.protocol != TRANSDUCTIVE:
        return results
    # One-class results stand in where the machine was at fault.
    counted = results[results["status"] != ENVIRONMENT]
    in_order = counted.sort_values("protocol", key=lambda p: p != TRANSDUCTIVE)
    trial = [*_DATASET, "detector", "config_id", "seed"]
    return in_order.drop_duplicates(trial).assign(protocol=TRANSDUCTIVE)


def _are_among(
    results: pd.DataFrame, columns: list[str], wanted: Collection[tuple[str, ...]]
) -> BoolArray:
    """Mark the rows whose columns are wanted; few combinations, many rows."""
    groups = results.groupby(columns, observed=True, sort=False, dropna=False)
    codes = groups.ngroup().to_numpy()
    _, first = np.unique(codes, return_index=True)
    distinct = results[columns].iloc[first].itertuples(index=False, name=None)
    known = np.array([row in wanted for row in distinct], dtype=np.bool_)
    return np.asarray(known[codes], dtype=np.bool_)


def _rest(results: pd.DataFrame, asked: Asked, chosen: BoolArray, folder: Path) -> str:
    """Say in one line which results of the folder are not in the table."""
    rest = results[~chosen]
    others = rest[~_are_among(rest, _METHOD, asked.configurations)]
    names = sorted(map(str, others["detector"].unique()))
    sets = rest[~_are_among(rest, _DATASET, asked.datasets)]
    protocols = sorted(set(map(str, rest["protocol"].unique())) - {asked.protocol})
    parts = []
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        parts.append(f"of {', '.join(names[:3])}{more}")
    if len(sets):
        parts.append(
            f"on {counted(len(sets[_DATASET].drop_duplicates()), 'other data set')}"
        )
    if protocols:
        parts.append(f"in the setting {', '.join(protocols)}")
    if asked.seeds is not None and (rest["seed"] >= asked.seeds).any():
        seeds = sorted(set(rest["seed"]) - set(range(asked.seeds)))
        parts.append(f"with {counted(len(seeds), 'other seed')}")
    all_of_it = f"odbench leaderboard show {shlex.quote(str(folder))}"
    return printable(
        f"{counted(len(rest), 'result')} that this call did not ask for "
        f"{'is' if len(rest) == 1 else 'are'} not in the table "
        f"({'; '.join(parts)}); `{all_of_it}` shows all"
    )


def _kept(folder: Path) -> dict[str, Any] | None:
    """Return the cache entry; None if there is none or the table was edited."""
    try:
        kept = json.loads((folder / _KEPT).read_text(encoding="utf-8"))
        same = kept["board"] == _digest((folder / BOARD).read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    complete = (
        isinstance(kept.get("told"), list)
        and isinstance(kept.get("table"), dict)
        and {"of", "unlabelled"} <= set(kept)
    )
    return kept if same and complete else None


def _fingerprint(results: Path, asked: Asked | None) -> str:
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
    if asked is not None:
        parts = [sorted(asked.datasets), sorted(asked.configurations), asked.protocol]
        digest.update(json.dumps(parts).encode())
    with results.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
