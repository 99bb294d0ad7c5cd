"""The work behind each tool: from checked arguments to facts that JSON can hold."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from odbench.errors import UsageError
from odbench.mcp.advice import for_client
from odbench.mcp.folder import Folder
from odbench.text import printable

if TYPE_CHECKING:
    import pandas as pd

    from odbench.tables.scored import Scored
    from odbench.tables.source import Source

Answer = dict[str, Any]
# Characters of a text, entries of a list, and digits of a number, in an answer.
_TEXT, _LIST, _DIGITS = 300, 100, 6
_RUN = "name the folder of a run, or a leaderboard's CSV file such as public.csv"
_DETECTOR = (
    "detector", "core", "params", "deterministic", "inductive", "missing", "summary",
    "reference",
)  # fmt: skip
_LEADERBOARD = (
    "suite", "partition", "protocol", "detector", "config", "n_datasets", "n_failed",
    "n_missing", "mean_auroc", "mean_ap", "rank_auroc", "elo_auroc",
    "median_fit_seconds", "median_score_seconds",
)  # fmt: skip
_TRIAL = (
    "suite", "partition", "protocol", "dataset", "detector", "config", "seed",
    "status", "auroc", "ap", "fit_seconds", "score_seconds",
)  # fmt: skip


def list_suites(_folder: Folder) -> Answer:
    """List the suites."""
    from odbench.api.lists import list_suites as listed

    return {"suites": _rows(listed())}


def list_detectors(_folder: Folder) -> Answer:
    """List the installed detectors with their parameters."""
    from odbench.api.lists import list_detectors as listed

    return {"detectors": _rows(listed(), _DETECTOR)}


def list_tables(folder: Folder) -> Answer:
    """List the tables in the folder."""
    return {"tables": folder.tables()}


def published_results(_folder: Folder, *, suite: str, dataset: str, top: int) -> Answer:
    """Rank the published results of a suite, or list those on one data set."""
    from odbench.leaderboard.published import rank_published, read_published

    published = read_published()
    trials = published.trials
    if suite not in set(trials["suite"]):
        known = ", ".join(sorted(set(trials["suite"])))
        msg = f"suite {suite!r}: no published results; wanted one of {known}"
        raise UsageError(msg)
    told: Answer = {"source": published.note, "order": "highest mean AUROC first"}
    if not dataset:
        return {**told, **_board(rank_published(published, suite), top)}
    found = trials[(trials["suite"] == suite) & (trials["dataset"] == dataset)]
    if found.empty:
        msg = f"data set {dataset!r}: no published results in suite {suite!r}"
        raise UsageError(msg)
    found = found.sort_values("auroc", ascending=False, kind="stable")
    told["order"] = "highest AUROC first"
    return {**told, "trials": _rows(found[:top], _TRIAL), **_remark(found[:top])}


def _board(table: pd.DataFrame, top: int) -> Answer:
    """Return the first rows of a leaderboard."""
    return {"leaderboard": _rows(table[:top], _LEADERBOARD), **_remark(table[:top])}


def _remark(rows: pd.DataFrame) -> Answer:
    """Say that the oracle is no detector, where it is among the rows."""
    from odbench.suites import ORACLE, ORACLE_WORDS

    return {"note": ORACLE_WORDS} if (rows["detector"] == ORACLE).any() else {}


def run_results(folder: Folder, *, run: str, top: int) -> Answer:
    """Rank the results of a run, or read a leaderboard's CSV file."""
    from pathlib import Path

    from odbench.leaderboard.load import load_leaderboard, read_present
    from odbench.leaderboard.tables import Settings, build_leaderboard
    from odbench.results import RESULTS

    is_file = run.lower().endswith((".csv", ".parquet"))
    name = run if is_file else f"{run}/{RESULTS}"
    path = Path(folder.open(name, (".csv", ".parquet"), step=_RUN))
    told: Answer = {"order": "highest mean AUROC first"}
    if run.lower().endswith(".csv"):
        return {**told, **_board(load_leaderboard(path), top)}
    results = read_present(path)
    # Without sign flips, which places and their intervals need and means do not.
    table = build_leaderboard(results, settings=Settings(permutations=0))
    told["trials"] = {
        str(k): int(n) for k, n in results["status"].value_counts().items()
    }
    return {**told, **_board(table, top)}


def score_table(folder: Folder, *, top: int, **options: Any) -> Answer:
    """Score a table; return the facts about it and its most anomalous rows."""
    _, scored = _scored(folder, **options)
    facts = scored.summary()
    facts["verdict"] = for_client(facts["verdict"])
    facts["notes"] = [for_client(note) for note in facts["notes"]]
    facts["columns"] = [
        {**column, "note": for_client(column["note"])} for column in facts["columns"]
    ]
    told = _cut({**facts, "rows": scored.rows(scored.top(top))})
    return {"n_columns": len(scored.columns), **told}


def explain_row(folder: Folder, *, row: int, **options: Any) -> Answer:
    """Score a table; return one row's values, score and reasons."""
    import numpy as np

    from odbench.tables.sample import take_rows

    source, scored = _scored(folder, **options)
    last = source.n_rows + len(source.left_out) - 1
    if row > last:
        msg = f"row {row}: {source.name} has rows 0 to {last}"
        raise UsageError(msg)
    if row in source.left_out:
        msg = f"row {row}: repeats the header of {source.name}; name another row"
        raise UsageError(msg)
    place = row - int(np.searchsorted(source.left_out, row))
    values = take_rows(source, np.array([place])).to_pylist()[0]
    told = {**scored.rows(np.array([place]))[0], "n_rows": source.n_rows}
    told["reasons"] = [asdict(each) for each in scored.reasons.get(place, ())]
    told["values"] = dict(list(values.items())[:_LIST])
    if place not in scored.reasons:
        told["note"] = (
            f"reasons are given for the {len(scored.reasons)} rows of the lowest ranks"
        )
    return _cut({"table": source.name, "detector": scored.detector, **told})


def recommend_detector(
    folder: Folder,
    *,
    table: str,
    reference: str,
    max_seconds: float | None,
    explainable: bool,
    top: int,
) -> Answer:
    """Recommend a detector for a table from published results."""
    from odbench.tables.recommend import Limits
    from odbench.tables.recommend import recommend_detector as recommended
    from odbench.tables.recommend_screen import verdict

    against = _source(folder, reference) if reference else None
    limits = Limits(max_seconds, None, explainable)
    advice = recommended(_source(folder, table), against, limits)
    told = asdict(advice)
    return _cut({**told, "verdict": verdict(advice), "rows": told["rows"][:top]})


TASKS: Mapping[str, Callable[..., Answer]] = MappingProxyType(
    {
        task.__name__: task
        for task in (
            list_suites,
            list_detectors,
            list_tables,
            published_results,
            run_results,
            score_table,
            explain_row,
            recommend_detector,
        )
    }
)


def answer(folder: Folder, task: str, arguments: Mapping[str, Any]) -> Answer:
    """Do a task; warnings become its ``warnings``."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", UserWarning)
        told = TASKS[task](folder, **arguments)
    lines = [folder.spell(for_client(str(each.message))) for each in raised]
    return {**told, "warnings": lines} if lines else told


def _scored(
    folder: Folder,
    *,
    table: str,
    reference: str,
    detector: str,
    id_column: str,
    ignore: list[str],
    fdr: float,
) -> tuple[Source, Scored]:
    from odbench.tables.score import Request, score_table

    source = _source(folder, table)
    request = Request(
        table=source,
        reference=_source(folder, reference) if reference else None,
        detector=installed_only(detector),
        id_name=id_column,
        roles={"ignored": ignore},
        fdr=fdr,
    )
    return source, score_table(request)[0]


def _source(folder: Folder, name: str) -> Source:
    from odbench.tables.read import read_source

    return replace(read_source(folder.open(name)), name=name)


def installed_only(detector: str) -> str:
    """Refuse code that is not installed, and parameters that could name a file.

    Parameters
    ----------
    detector : str
        An argument of `odbench.find_detector`.

    Returns
    -------
    str
        The same.

    Raises
    ------
    UsageError
        If it names a module, a file or a pickled object, or a parameter is a path.
    """
    from odbench.plugins.specs import is_import, split_spec

    target, given = split_spec(detector)
    if is_import(target):
        msg = (
            f"detector {detector[:100]!r}: this server runs installed detectors only; "
            f"list_detectors lists them"
        )
        raise UsageError(msg)
    for name, value in given.items():
        if isinstance(value, str) and (os.sep in value or value.startswith("~")):
            msg = f"detector {target!r}: parameter {name!r} is a path; leave it out"
            raise UsageError(msg)
    return detector


def _rows(table: pd.DataFrame, columns: tuple[str, ...] = ()) -> list[Answer]:
    """Return the rows of a table, with the columns that it has; NaN is None."""
    chosen = [c for c in columns or table.columns if c in table.columns]
    records = table[chosen].astype(object).to_dict("records")
    return [_cut({str(k): v for k, v in row.items()}) for row in records]


def _cut(row: Mapping[str, Any]) -> Answer:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: short, visible, finite."""
    if hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value[:_LIST]]
    text = str(value)
    return printable(text if len(text) <= _TEXT else f"{text[:_TEXT]}…")
