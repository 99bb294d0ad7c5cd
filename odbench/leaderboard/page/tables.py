"""Tables as the page holds them: lists of numbers, methods by their number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.leaderboard.formats import rounded
from odbench.leaderboard.page.records import Records
from odbench.leaderboard.tables import p_best_column, per_metric
from odbench.scoring.cells import Method
from odbench.scoring.metrics import ranked_metrics
from odbench.scoring.policy import POLICIES
from odbench.submissions.rules import MOST_DECIMALS

if TYPE_CHECKING:
    import pandas as pd

# Columns of a leaderboard that are the same in all rows, or known otherwise.
_LEFT_OUT = frozenset(
    ("suite", "partition", "protocol", "detector", "config", "config_id",
     "n_total", "n_families", "n_trials", "slice", "level", "view",
     *per_metric("detectable_{}", "may_be_best_{}"))
)  # fmt: skip
# Columns that only the table over all data sets shows.
_ONLY_WHOLE = frozenset(
    ("n_seeds", "win_rate_low", "win_rate_high",
     *per_metric("gap_{}_low", "gap_{}_high"),
     *(p_best_column(metric.name) for metric in ranked_metrics()),
     *per_metric("rank_{}_low", "rank_{}_high", "mean_{}_low", "mean_{}_high"))
)  # fmt: skip


class Methods:
    """Numbers the methods of all tables, in the order in which they appear.

    Parameters
    ----------
    records : Records
        What is known of single methods. One that is not there is a view over
        several configurations.

    Attributes
    ----------
    rows : list of dict
        What the page is told about each method.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self.rows: list[dict[str, Any]] = []
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._keys: set[str] = set()

    def number(self, detector: str, config: str, config_id: str) -> int:
        """Return a method's number, a new one where it was not seen before."""
        identity = (detector, config, config_id)
        if identity not in self._numbers:
            self._numbers[identity] = len(self.rows)
            self.rows.append(self._row(*identity))
        return self._numbers[identity]

    def of(self, table: pd.DataFrame) -> list[int]:
        """Return the number of the method of each row of a table."""
        parts = [table[name].tolist() for name in ("detector", "config", "config_id")]
        return [
            self.number(str(d), str(c), i if isinstance(i, str) else "")
            for d, c, i in zip(*parts, strict=True)
        ]

    def _row(self, detector: str, config: str, config_id: str) -> dict[str, Any]:
        facts = self.records.methods.get((detector, config, config_id))
        key = config_id or f"{detector}~{config}"
        while key in self._keys:
            key += "~"
        self._keys.add(key)
        return {
            "key": key,
            "detector": detector,
            "config": config,
            "config_id": config_id,
            "view": facts is None,
            **(facts or {}),
        }


def whole_columns(
    table: pd.DataFrame, methods: Methods, *, private: bool = False
) -> dict[str, Any]:
    """Turn a leaderboard into lists, rounded as in the CSV files.

    Parameters
    ----------
    table : pandas.DataFrame
        From `odbench.leaderboard.tables.table_of`.
    methods : Methods
        Numbers the rows' methods.
    private : bool
        Whether to round as far as a private partition asks for.

    Returns
    -------
    dict
        ``method`` and a list for each column that has a value; ``decimals`` where
        the rounding should show.
    """
    if not private:
        return _columns(rounded(table), methods, _LEFT_OUT)
    numbers = rounded(table, decimals=MOST_DECIMALS)
    return {**_columns(numbers, methods, _LEFT_OUT), "decimals": MOST_DECIMALS}


def part_columns(numbers: pd.DataFrame, methods: Methods) -> dict[str, Any]:
    """Turn the leaderboard of a slice, rounded before, into lists."""
    return _columns(numbers, methods, _LEFT_OUT | _ONLY_WHOLE)


def _columns(
    table: pd.DataFrame, methods: Methods, left_out: frozenset[str]
) -> dict[str, Any]:
    columns: dict[str, Any] = {"method": methods.of(table)}
    for name in table.columns:
        if name in left_out:
            continue
        values = listed(table[name])
        if any(value is not None for value in values):
            columns[str(name)] = values
    return columns


def listed(column: pd.Series[Any]) -> list[Any]:
    """Return values as JSON knows them: None for a gap, whole numbers as such."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan).tolist()
    return [None if math.isnan(v) else int(v) if v.is_integer() else v for v in values]


def policy_columns(
    wide: pd.DataFrame, methods: Methods, known: Sequence[Method]
) -> dict[str, Any]:
    """Turn the table of failure policies into one small table a policy.

    Parameters
    ----------
    wide : pandas.DataFrame
        From `odbench.leaderboard.comparisons.policy_table`.
    methods : Methods
        Numbers the rows' methods.
    known : sequence of Method
        The methods with their identifiers, which the table lacks.

    Returns
    -------
    dict
        By policy: ``method``, ``n_sets``, ``place``, ``mean_auroc``. A policy that
        leaves no data set is left out.
    """
    ids = {(m.detector, m.config): m.config_id for m in known}
    pairs = zip(wide["detector"].tolist(), wide["config"].tolist(), strict=True)
    numbers = [methods.number(d, c, ids[d, c]) for d, c in pairs]
    tables: dict[str, Any] = {}
    for policy in POLICIES:
        sizes = [n for n in listed(wide[f"n_datasets.{policy}"]) if n]
        if sizes:
            tables[policy] = {
                "method": numbers,
                "n_sets": sizes[0],
                "place": listed(wide[f"place.{policy}"]),
                "mean_auroc": listed(wide[f"mean_auroc.{policy}"].round(6)),
            }
    return tables
