"""The settings in which detectors are judged, and which trials count in each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from odbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

# The columns of results that identify a configuration, a table and a trial.
METHOD = ("detector", "config", "config_id")
_GROUP = ["suite", "partition"]
_TRIAL = [*_GROUP, "dataset", *METHOD, "seed"]

# In the contaminated setting inliers must be the majority of the training rows.
CONTAMINATION_LIMIT = 0.5
# A detector depends on the batch if the scores of some rows change by more than this
# part of the scores' spread when other rows are scored with them.
BATCH_TOLERANCE = 1e-3

ONE_CLASS = "one-class"
TRANSDUCTIVE = "transductive"
UNSUPERVISED = "unsupervised"
CONTAMINATED = "contaminated"


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to judge detectors. Numbers of different settings never mix.

    Attributes
    ----------
    name : str
        As users type it, without a share.
    sees : str
        The rows that a detector gets.
    scores : str
        The rows whose scores are judged.
    valid_for : str
        The detectors that are ranked.
    """

    name: str
    sees: str
    scores: str
    valid_for: str


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            ONE_CLASS,
            sees="training rows, inliers only",
            scores="test rows, each independent of the others",
            valid_for="detectors whose scores do not depend on the batch",
        ),
        Setting(
            TRANSDUCTIVE,
            sees="training rows, inliers only, and all test rows without labels",
            scores="test rows",
            valid_for="any detector",
        ),
        Setting(
            UNSUPERVISED,
            sees="one table without labels: training and test rows, shuffled",
            scores="the same rows",
            valid_for="any detector",
        ),
        Setting(
            CONTAMINATED,
            sees="training rows, a share of them anomalies",
            scores="test rows, the same for every share",
            valid_for="detectors whose scores do not depend on the batch",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A setting, with the share of anomalies in training if it has one.

    Attributes
    ----------
    name : str
        A key of `SETTINGS`.
    contamination : float or None
        Share of anomalies among the training rows; None in the other settings.
    """

    name: str = ONE_CLASS
    contamination: float | None = None

    @classmethod
    def parse(cls, text: str) -> Protocol:
        """Return the protocol that a text names, such as "contaminated=0.05".

        Raises
        ------
        UsageError
            If there is no such setting, or the share is missing or impossible.
        """
        name, equals, share = text.partition("=")
        wanted = f"{', '.join(list(SETTINGS)[:3])} or {CONTAMINATED}=SHARE"
        if name not in SETTINGS or bool(equals) != (name == CONTAMINATED):
            msg = f"protocol: got {text!r}, wanted {wanted}, such as {CONTAMINATED}=.05"
            raise UsageError(msg)
        if not equals:
            return cls(name=name)
        try:
            value = float(share)
        except ValueError:
            value = math.nan
        if not 0 <= value < CONTAMINATION_LIMIT:
            msg = (
                f"protocol: got {text!r}, wanted a share from 0 to below "
                f"{CONTAMINATION_LIMIT}, such as {CONTAMINATED}=0.05"
            )
            raise UsageError(msg)
        return cls(name=name, contamination=value)

    @property
    def label(self) -> str:
        """The protocol's name in results and leaderboards."""
        if self.contamination is None:
            return self.name
        return f"{self.name}={self.contamination:g}"

    @property
    def setting(self) -> Setting:
        """The setting."""
        return SETTINGS[self.name]

    @property
    def is_one_table(self) -> bool:
        """Whether a detector scores the rows that it was fitted on."""
        return self.name == UNSUPERVISED


def needs_independence(label: str) -> bool:
    """Check whether a protocol ranks only detectors that ignore the batch."""
    return label.partition("=")[0] in {ONE_CLASS, CONTAMINATED}


def describe(label: str) -> list[str]:
    """Describe the setting of a protocol's table in one or two sentences."""
    setting = SETTINGS.get(label.partition("=")[0])
    if setting is None:
        return []
    lines = [f"Detectors see {setting.sees}. Scored: {setting.scores}."]
    if setting.name == TRANSDUCTIVE:
        lines.append(
            "The number of test rows minus that of training rows is, up to one, the "
            "number of anomalies on 92 % of OddBench's sets and all of OvRBench's."
        )
    return lines


def by_setting(results: pd.DataFrame) -> pd.DataFrame:
    """Move each trial to the settings in which it counts.

    One-class and contaminated results of a configuration whose scores depend on the
    batch (`batch_dependent`) are not ranked there; its one-class results count as
    transductive ones. Where there is a transductive table, the one-class results of all
    other configurations count in it, too: they would be the same.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial, the columns of `odbench.results`.

    Returns
    -------
    pandas.DataFrame
        One row per trial and setting; `results` itself if nothing moves.
    """
    import pandas as pd

    # With `score_batch`, scores depend on the batch in the transductive setting alone.
    judged = _needs_independence(results)
    moved = judged & among(results, batch_dependent(results[judged]), METHOD)
    transductive = results["protocol"] == TRANSDUCTIVE
    if not moved.any() and not transductive.any():
        return results
    one_class = results["protocol"] == ONE_CLASS
    own = results[transductive]
    kept = results[~moved]
    candidates = results[one_class].assign(protocol=TRANSDUCTIVE)
    groups = pd.concat([own[_GROUP], results.loc[moved & one_class, _GROUP]])
    wanted = among(candidates, groups, _GROUP) & ~among(candidates, own, _TRIAL)
    return pd.concat([kept, candidates[wanted]], ignore_index=True)


def batch_dependent(results: pd.DataFrame) -> pd.DataFrame:
    """Find the configurations whose scores depend on the batch.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial. The measured ``batch_difference`` decides; for configurations
        without any, as in results of older versions, ``inductive`` does.

    Returns
    -------
    pandas.DataFrame
        One row per configuration, with `METHOD` and ``batch_difference``: the largest
        measured one, NaN where nothing was measured.
    """
    import pandas as pd

    columns = [*METHOD, "batch_difference"]
    if "batch_difference" in results.columns:
        rows = results[columns]
        measured = rows[rows["batch_difference"].notna()]
        found = measured[measured["batch_difference"] > BATCH_TOLERANCE]
    else:
        measured = found = results[list(METHOD)].iloc[:0].assign(batch_difference=0.0)
    if "inductive" in results.columns:
        told = results[results["inductive"].isin([False])]
        told = told[list(METHOD)].drop_duplicates().assign(batch_difference=math.nan)
        found = pd.concat([found, told[~among(told, measured, METHOD)]])
    groups = found.groupby(list(METHOD), observed=True)["batch_difference"]
    return groups.max().reset_index()


def not_ranked(results: pd.DataFrame) -> list[str]:
    """Return a line for each configuration that is not ranked in its setting."""
    if not {"protocol", *METHOD} <= set(results.columns):
        return []
    import pandas as pd

    rows = results[_needs_independence(results)]
    lines = []
    for one in batch_dependent(rows).to_dict("records"):
        own = rows[among(rows, pd.DataFrame([one]), METHOD)]
        protocols = sorted(map(str, own["protocol"].unique()))
        name = str(one["detector"])
        if one["config"] != "default":
            name += f":{one['config']}"
        lines.append(_reason(name, float(one["batch_difference"]), protocols))
    return lines


def _needs_independence(results: pd.DataFrame) -> pd.Series[bool]:
    """Mark the rows of protocols that rank only detectors that ignore the batch."""
    # There are few protocols and many rows.
    labels = results["protocol"].unique()
    wanted = [label for label in labels if needs_independence(str(label))]
    return results["protocol"].isin(wanted)


def _reason(name: str, difference: float, protocols: list[str]) -> str:
    how = (
        "declared not inductive"
        if math.isnan(difference)
        else f"measured difference {difference:.2g} of their spread"
    )
    advice = "; see the transductive table" if ONE_CLASS in protocols else ""
    return (
        f"{name}: not ranked in the setting {' and '.join(protocols)}, because its "
        f"scores depend on the batch ({how}){advice}"
    )


def among(
    rows: pd.DataFrame, others: pd.DataFrame, columns: Sequence[str]
) -> pd.Series[bool]:
    """Mark the rows whose columns agree with any of the others.

    Parameters
    ----------
    rows, others : pandas.DataFrame
    columns : sequence of str
        Columns that both have.

    Returns
    -------
    pandas.Series of bool
        With the index of `rows`.
    """
    import pandas as pd

    names = list(columns)
    if others.empty:
        return pd.Series(data=False, index=rows.index)
    known = set(others[names].drop_duplicates().itertuples(index=False, name=None))
    keys = rows[names].drop_duplicates()
    chosen = keys[[key in known for key in keys.itertuples(index=False, name=None)]]
    if len(chosen) < len(keys):
        found = rows[names].merge(chosen.assign(_found=True), on=names, how="left")
        return pd.Series(found["_found"].notna().to_numpy(), index=rows.index)
    return pd.Series(data=True, index=rows.index)
