"""Everything the page knows, as one JSON object: tables, data sets, results, failures.

All numbers come from the same functions as the CSV tables. Results on single data
sets are packed (`odbench.leaderboard.page.pack`); those of private partitions stay
out, because exact values give labels away.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.leaderboard.comparisons import rank_diagram
from odbench.leaderboard.evaluated import Evaluated
from odbench.leaderboard.formats import rounded
from odbench.leaderboard.page import figures
from odbench.leaderboard.page.failures import failures_of
from odbench.leaderboard.page.pack import (
    pack_halves,
    pack_members,
    pack_seconds,
    pack_unit,
    pack_words,
)
from odbench.leaderboard.page.records import Records
from odbench.leaderboard.page.tables import (
    Methods,
    part_columns,
    policy_columns,
    whole_columns,
)
from odbench.leaderboard.slices import slices_of
from odbench.leaderboard.tables import DEFAULT, Settings, families_of
from odbench.scoring import aggregate
from odbench.scoring.cells import ENDS, Cells
from odbench.scoring.clusters import Clusters
from odbench.scoring.metrics import Metric, ranked_metrics
from odbench.scoring.policy import Quality
from odbench.scoring.settings import describe
from odbench.submissions.rules import MOST_DECIMALS
from odbench.suites import load_suites

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
_NUMBER_FACTS = (
    "n_train", "n_test", "n_columns", "n_anomalies", "label_conflict",
    "n_distinct_anomalies", "large_integers",
)  # fmt: skip
_SHARE_FACTS = (
    "duplicate_train", "test_in_train", "anomalies_in_train", "ceiling_auroc",
    "ceiling_ap", "trivial_share",
)  # fmt: skip
_WORD_FACTS = ("domain", "archetype", "family", "licence", "source_url")
_PRIVATE_FILES = ("private",)
_PUBLIC_FILES = (
    "public", "per_dataset", "slices", "views", "regret", "power", "complete_case",
    "policies", "pareto", "significance", "conclusions",
)  # fmt: skip
_VIEW_KEYS = {
    "default": "default", "grid mean": "mean", "selected without labels": "selected",
    "oracle": "oracle",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Group:
    """One suite, partition and protocol with the tables made from it.

    Attributes
    ----------
    quality : Quality
        One value per data set and method, failures counted as in the main table.
    table : pandas.DataFrame
        Its leaderboard.
    slices : pandas.DataFrame or None
        From `odbench.leaderboard.slices.slice_table`; None for a private partition.
    views : pandas.DataFrame or None
        From `odbench.leaderboard.views.view_table`, where there is a grid.
    policies : pandas.DataFrame or None
        From `odbench.leaderboard.comparisons.policy_table`.
    settings : Settings
        Permutations, clusters, seed.
    """

    quality: Quality
    table: pd.DataFrame
    slices: pd.DataFrame | None = None
    views: pd.DataFrame | None = None
    policies: pd.DataFrame | None = None
    settings: Settings = DEFAULT

    @property
    def key(self) -> tuple[str, str, str]:
        """Suite, partition and protocol."""
        cells = self.quality.cells
        return (cells.suite, cells.partition, cells.protocol)

    @property
    def private(self) -> bool:
        """Whether only aggregates may be shown."""
        return self.quality.cells.partition == "private"


def page_data(
    groups: Collection[Group],
    records: Records,
    *,
    title: str,
    files: Collection[str],
    evaluated: Collection[Evaluated] = (),
) -> dict[str, Any]:
    """Collect everything the page shows.

    Parameters
    ----------
    groups : collection of Group
        In the order of the page.
    records : Records
        Facts and failures of single trials.
    title : str
        Heading of the page.
    files : collection of str
        Paths of the files beside the page that it may link to.
    evaluated : collection of Evaluated
        Tables of evaluated submissions that stand beside the page.

    Returns
    -------
    dict
        Ready for JSON; the same input gives the same dict.
    """
    methods = Methods(records)
    boards = [_board(group, records, methods, files) for group in groups]
    names = list(dict.fromkeys(group.key[0] for group in groups))
    names += [e.suite for e in evaluated if e.suite not in names]
    suites = [_suite(name) for name in names]
    return {
        "schema": SCHEMA,
        "title": title,
        "suites": suites,
        "metrics": [_metric(metric) for metric in ranked_metrics()],
        "methods": methods.rows,
        "boards": boards,
        "closed": _closed(groups, names, evaluated),
        "submissions": [each._asdict() for each in evaluated],
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "label": metric.label,
        "meaning": metric.meaning,
        "chance": metric.chance,
        "interval": metric.interval,
    }


def _suite(name: str) -> dict[str, Any]:
    described = load_suites().get(name)
    return {
        "name": name,
        "title": name if described is None else described.short_title,
        "sizes": {} if described is None else dict(described.sizes),
    }


def _closed(
    groups: Collection[Group], names: list[str], evaluated: Collection[Evaluated]
) -> list[list[str]]:
    """List the partitions that have submissions, or that exist, without results."""
    known = {group.key[:2] for group in groups}
    known_suites = load_suites()
    wanted = {
        (name, "private")
        for name in names
        if name in known_suites and "private" in known_suites[name].sizes
    }
    wanted |= {(each.suite, each.partition) for each in evaluated}
    return [list(pair) for pair in sorted(wanted - known)]


def _board(
    group: Group, records: Records, methods: Methods, files: Collection[str]
) -> dict[str, Any]:
    suite, partition, protocol = group.key
    cells = group.quality.cells
    order = [methods.number(m.detector, m.config, m.config_id) for m in cells.methods]
    paths = {
        name: path
        for name in (_PRIVATE_FILES if group.private else _PUBLIC_FILES)
        if (path := f"{suite}/{name}.csv") in files
    }
    ranks = {} if group.private else _ranks(group.quality)
    return {
        "suite": suite,
        "partition": partition,
        "protocol": protocol,
        "setting": " ".join(describe(protocol)),
        "n_sets": len(cells.datasets),
        "n_families": int(group.table["n_families"].iloc[0]),
        "detectable": _detectable(group),
        "n_methods": len(order),
        "n_trials": int(cells.trials.sum()),
        "methods": order,
        "files": paths,
        "sets": None if group.private else _sets(group.quality, records),
        "cells": None if group.private else _cells(group.quality, ranks),
        "slices": list(_slices(group, ranks, methods)),
        "policies": None
        if group.policies is None
        else policy_columns(group.policies, methods, cells.methods),
        **failures_of(
            records.failures_of(*group.key),
            {str(name): t for t, name in enumerate(cells.datasets)},
            methods,
            private=group.private,
        ),
    }


def _detectable(group: Group) -> dict[str, float]:
    """Return the difference that the table shows with power 0.8, where known."""
    limits = {
        metric.name: float(group.table[f"detectable_{metric.name}"].iloc[0])
        for metric in ranked_metrics()
    }
    decimals = MOST_DECIMALS if group.private else 4
    return {k: round(v, decimals) for k, v in limits.items() if not np.isnan(v)}


def _ranks(quality: Quality) -> dict[str, FloatArray]:
    return {
        name: aggregate.ranks(values, quality.last)
        for name, values in quality.values.items()
    }


def _sets(quality: Quality, records: Records) -> dict[str, Any]:
    cells = quality.cells
    facts = cells.facts
    names = [str(name) for name in cells.datasets]
    content = [
        records.contents.get((cells.suite, cells.partition, name)) for name in names
    ]
    sets: dict[str, Any] = {"name": names, "content_sha256": content}
    for name in (*_NUMBER_FACTS, *_SHARE_FACTS):
        values = facts[name].astype("float64").to_numpy()
        whole = name in _NUMBER_FACTS
        sets[name] = [
            None if np.isnan(v) else int(v) if whole else round(float(v), 5)
            for v in values
        ]
    for name in _WORD_FACTS:
        sets[name] = pack_words(facts[name].astype(object).tolist())
    for name, reached in quality.values.items():
        sets[f"median_{name}"] = pack_unit(np.median(reached, axis=1))
        sets[f"best_{name}"] = pack_unit(reached.max(axis=1))
    return {k: v for k, v in sets.items() if not _empty(v)}


def _empty(values: Any) -> bool:
    if isinstance(values, list):
        return all(value is None or value == "" for value in values)
    return bool(values.get("words") == [])


def _cells(quality: Quality, ranks: dict[str, FloatArray]) -> dict[str, Any]:
    """Pack one column a method after the other."""
    cells = quality.cells
    return {
        **{name: pack_unit(values.T) for name, values in quality.values.items()},
        **{f"rank_{name}": pack_halves(rank.T) for name, rank in ranks.items()},
        "fit_seconds": pack_seconds(cells.fit_seconds.T),
        "score_seconds": pack_seconds(cells.score_seconds.T),
        "trials": _exceptions(cells.trials, np.median(cells.trials, axis=0)),
        "failed": _exceptions(cells.failed, np.zeros(len(cells.methods))),
        **_seen(cells),
        **_ends(cells),
    }


def _seen(cells: Cells) -> dict[str, Any]:
    """Mark the data sets that weights of a method were trained on, if there are any."""
    if not cells.seen.any():
        return {}
    none = np.zeros(len(cells.methods))
    return {"seen": _exceptions(cells.seen.astype(np.int64), none)}


def _ends(cells: Cells) -> dict[str, Any]:
    """Pack the intervals, where there are any."""
    if cells.intervals is None or np.isnan(cells.intervals).all():
        return {}
    return {name: pack_unit(cells.intervals[:, :, k].T) for k, name in enumerate(ENDS)}


def _exceptions(counts: np.ndarray, usual: np.ndarray) -> dict[str, Any]:
    """Write counts that are nearly always the same: the usual one, and the others."""
    usual = np.asarray(usual, dtype=np.int64)
    places = np.flatnonzero((counts != usual).T)
    values = counts.T.ravel()[places]
    return {
        "kind": "exceptions",
        "usual": usual.tolist(),
        "places": np.diff(places, prepend=0).tolist(),
        "values": values.tolist(),
    }


def _slices(
    group: Group, ranks: Mapping[str, FloatArray], methods: Methods
) -> Iterator[dict[str, Any]]:
    """Yield the slice that holds everything, then all others."""
    tables = {"each": whole_columns(group.table, methods, private=group.private)}
    if group.views is not None:
        for view, rows in group.views.groupby("view", sort=False):
            tables[_VIEW_KEYS[str(view)]] = whole_columns(rows, methods)
    parts = [] if group.slices is None else list(slices_of(group.quality))
    n = len(group.quality.cells.datasets)
    members = np.array([np.ones(n, dtype=bool), *(part.rows for part in parts)])
    clusters = families_of(group.quality.cells, group.settings)
    drawn = _rank_figures(ranks, members, clusters)
    yield {
        "key": "all",
        "group": "",
        "label": "All data sets",
        "members": None,
        "n_sets": n,
        "tables": tables,
        "pareto": _pareto(group, group.table, methods),
        **drawn[0],
    }
    if group.slices is None or not parts:
        return
    # Rounded once: the tables are many and small.
    numbers = rounded(group.slices)
    tables_by_level = group.slices.groupby(["slice", "level"], sort=False).indices
    used = {"all"}
    for part, figure in zip(parts, drawn[1:], strict=True):
        places = tables_by_level[(part.slice, part.level)]
        yield {
            "key": _slug(part.slice, part.level, used),
            "group": part.slice.capitalize(),
            "label": part.level.replace("<=", "≤").replace(">=", "≥"),
            "members": pack_members(part.rows),
            "n_sets": int(part.rows.sum()),
            "tables": {"each": part_columns(numbers.iloc[places], methods)},
            "pareto": _pareto(group, group.slices.iloc[places], methods),
            **figure,
        }


def _pareto(group: Group, table: pd.DataFrame, methods: Methods) -> dict[str, Any]:
    shown = rounded(table, decimals=MOST_DECIMALS) if group.private else table
    return figures.pareto_points(shown, methods.of(table))


def _rank_figures(
    ranks: Mapping[str, FloatArray], members: BoolArray, clusters: Clusters
) -> list[dict[str, Any]]:
    """Collect win rates and rank tests of each part, where they may be shown."""
    drawn: list[dict[str, Any]] = [{} for _ in members]
    for metric, rank in ranks.items():
        m = rank.shape[1]
        if m < 2:
            continue
        above = np.triu_indices(m, k=1)
        shares = figures.win_shares(rank, members)
        for part, share, body in zip(members, shares, drawn, strict=True):
            body.setdefault("wins", {})[metric] = pack_unit(share[above])
            body.setdefault("tests", {})[metric] = rank_diagram(
                rank[part], clusters.part(part)
            )
    return drawn


def _slug(slice_name: str, level: str, used: set[str]) -> str:
    """Name a slice in an address: letters, digits and hyphens."""
    signs = (("<=", "max "), (">=", "min "), ("<", "under "), (">", "over "))
    text = f"{slice_name} {level}".lower()
    for sign, word in signs:
        text = text.replace(sign, word)
    slug = re.sub(r"[^a-z0-9]+", "-", text).strip("-")
    while slug in used:
        slug += "-"
    used.add(slug)
    return slug
