"""Facts that the page takes from single trials: methods, hashes and failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from odbench.results import TRIAL
from odbench.results.schema import ENVIRONMENT

if TYPE_CHECKING:
    import pandas as pd

# Maximum length of a reason on the page, in characters; logs are cut.
REASON_LENGTH = 300
GROUP = ["suite", "partition", "protocol"]
_METHOD = ["detector", "config", "config_id"]


@dataclass(frozen=True)
class Records:
    """Facts from the results that the tables do not hold.

    Attributes
    ----------
    methods : dict
        Facts of each (detector, config, config_id): ``version``, ``reference``,
        ``deterministic``, ``inductive``; None if unknown.
    contents : dict
        SHA-256 of each (suite, partition, data set).
    failures : pandas.DataFrame
        Failed trials, counted by group, method, data set, status and reason.
    """

    methods: Mapping[tuple[str, str, str], dict[str, Any]]
    contents: Mapping[tuple[str, str, str], str]
    failures: pd.DataFrame

    def failures_of(self, suite: str, partition: str, protocol: str) -> pd.DataFrame:
        """Return the failures of one suite, partition and protocol."""
        wanted = dict(zip(GROUP, (suite, partition, protocol), strict=True))
        rows = self.failures
        for name, value in wanted.items():
            rows = rows[rows[name] == value]
        return rows


def records_of(results: pd.DataFrame) -> Records:
    """Collect the facts that the page takes from single trials.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial, with the columns of `odbench.results`.

    Returns
    -------
    Records
    """
    keys = ["suite", "partition", "dataset"]
    contents = results[[*keys, "content_sha256"]].drop_duplicates(keys)
    return Records(
        methods=_methods(results),
        contents={tuple(row[:3]): row[3] for row in contents.itertuples(index=False)},
        failures=_failures(results),
    )


def _methods(results: pd.DataFrame) -> dict[tuple[str, str, str], dict[str, Any]]:
    optional = {
        "version": "detector_version",
        "reference": "detector_reference",
        "deterministic": "deterministic",
        "inductive": "inductive",
    }
    known = {k: name for k, name in optional.items() if name in results.columns}
    columns = [*_METHOD, *known.values()]
    rows = results[columns].drop_duplicates()
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows.to_dict("records"):
        key = (str(row["detector"]), str(row["config"]), str(row["config_id"]))
        facts = found.setdefault(key, dict.fromkeys(optional))
        for name, column in known.items():
            facts[name] = _joined(facts[name], row[column])
    return found


def _joined(before: Any, value: Any) -> Any:
    """Combine a fact with another row's; different texts are joined by commas."""
    if value is None or value == "" or (isinstance(value, float) and isnan(value)):
        return before
    if isinstance(value, str):
        parts = [] if before is None else str(before).split(", ")
        return ", ".join(sorted({*parts, value}))
    return bool(value)


def _failures(results: pd.DataFrame) -> pd.DataFrame:
    # As in tables: a fault of the machine is none of the detector, and a trial that
    # several runs have counts once.
    bad = results[~results["status"].isin(["ok", ENVIRONMENT])].drop_duplicates(TRIAL)
    reason = (
        bad["reason"] if "reason" in bad.columns else bad["status"].map(lambda _: "")
    )
    short = reason.fillna("").astype(str).map(_shortened)
    keys = [*GROUP, *_METHOD, "dataset", "status"]
    table = bad[keys].astype(str).assign(reason=short)
    counted = table.groupby([*keys, "reason"], sort=True).size()
    return counted.rename("failed").reset_index()


def _shortened(reason: str) -> str:
    one_line = " ".join(reason.split())
    if len(one_line) <= REASON_LENGTH:
        return one_line
    return one_line[: REASON_LENGTH - 1] + "…"
