"""Failed trials for the page: counts by kind, and single failures with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from odbench.leaderboard.page.pack import pack_words
from odbench.leaderboard.page.tables import Methods

if TYPE_CHECKING:
    import pandas as pd


def failures_of(
    rows: pd.DataFrame, places: Mapping[str, int], methods: Methods, *, private: bool
) -> dict[str, Any]:
    """Collect the failures of one suite, partition and protocol.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `odbench.leaderboard.page.records.Records.failures_of`.
    places : mapping of str to int
        The data sets of the page and their numbers; failures on other data sets, those
        without labels, are omitted.
    methods : Methods
        Gives the number of each row's method.
    private : bool
        Whether to return only counts, as for a private partition.

    Returns
    -------
    dict
        ``failure_counts`` and, unless private, ``failures``; ready for JSON.
    """
    mine = rows[rows["dataset"].isin(list(places))]
    found: dict[str, Any] = {"failure_counts": _counts(mine, methods)}
    if private:
        return found
    status = pack_words(mine["status"].tolist())
    reason = pack_words(mine["reason"].tolist())
    found["failures"] = {
        "set": [places[name] for name in mine["dataset"]],
        "method": methods.of(mine),
        "failed": mine["failed"].tolist(),
        "status": status["codes"],
        "statuses": status["words"],
        "reason": reason["codes"],
        "reasons": reason["words"],
    }
    return found


def _counts(rows: pd.DataFrame, methods: Methods) -> dict[str, Any]:
    columns = ["detector", "config", "config_id"]
    statuses = sorted(rows["status"].unique())
    if not statuses:
        return {"statuses": [], "method": [], "failed": [], "counts": []}
    counts = rows.pivot_table(
        index=columns, columns="status", values="failed", aggfunc="sum", fill_value=0
    )[statuses].astype(int)
    return {
        "statuses": statuses,
        "method": methods.of(counts.reset_index()),
        "failed": counts.sum(axis=1).tolist(),
        "counts": counts.to_numpy().tolist(),
    }
