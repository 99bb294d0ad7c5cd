"""The published results that travel with odbench, and a run's place among them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from odbench.errors import ResultsError, UsageError
from odbench.files import whole_file
from odbench.leaderboard.load import read_present
from odbench.leaderboard.tables import Settings, build_leaderboard
from odbench.results import RESULTS
from odbench.scoring.cells import FACTS
from odbench.scoring.settings import (
    ONE_CLASS,
    TRANSDUCTIVE,
    among,
    batch_dependent,
    by_setting,
    needs_independence,
)
from odbench.text import counted
from odbench.threads import spare_threads

if TYPE_CHECKING:
    import pandas as pd

# Columns that identify a table's content in one setting, and a configuration.
_TABLE = ["suite", "partition", "protocol", "dataset", "content_sha256"]
_METHOD = ["detector", "config"]
_VERSION = [*_METHOD, "config_id", "detector_version"]
# The hash of the source in the version of an editable install.
_HASH = r" \+ [0-9a-f]{12}\b"
_SECONDS = ["fit_seconds", "score_seconds"]
_COLUMNS = [*_TABLE, *_VERSION, "seed", "status", "auroc", "ap", *_SECONDS,
            "inductive", "batch_difference"]  # fmt: skip
# The column of a leaderboard that tells a run's own rows from published ones.
SOURCE = "source"
OWN, OTHERS = "run", "published"


class Published(NamedTuple):
    """Published results.

    Attributes
    ----------
    trials : pandas.DataFrame
        One row per trial: the table and its hash, the configuration, seed, status,
        AUROC and AP (exact), seconds (three digits), whether it is inductive.
    note : str
        Version, date and machine of the results.
    runs : dict of str to str
        SHA-256 of each results file that they come from, by the run's name.
    """

    trials: pd.DataFrame
    note: str
    runs: dict[str, str]


class Beside(NamedTuple):
    """A run's results and the published ones on the same tables.

    Attributes
    ----------
    results : pandas.DataFrame
        One row per trial, ready for `odbench.build_leaderboard`.
    own : set of tuple of str
        Detector and configuration of the run's own rows.
    lines : list of str
        What was matched and what was left out, one line per fact.
    """

    results: pd.DataFrame
    own: set[tuple[str, str]]
    lines: list[str]


def write_published(runs: Sequence[Path], path: Path, *, note: str) -> None:
    """Write the compact file of published results.

    Parameters
    ----------
    runs : sequence of Path
        Folders of runs, each with a ``results.parquet``.
    path : Path
        The file; replaced in one step.
    note : str
        Version, date and machine of the results, for readers.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    trials = pd.concat([read_present(run) for run in runs], ignore_index=True)
    trials = trials[_COLUMNS].sort_values([*_VERSION, *_TABLE, "seed"])
    for name in (*_SECONDS, "batch_difference"):
        trials[name] = trials[name].map(lambda value: float(f"{value:.3g}"))
        trials[name] = trials[name].astype("float32")
    for name in (*_TABLE, *_VERSION, "status"):
        trials[name] = trials[name].astype("category")
    told = {"note": note, "runs": {run.name: _digest(run / RESULTS) for run in runs}}
    table = pa.Table.from_pandas(trials, preserve_index=False)
    table = table.replace_schema_metadata({"odbench": json.dumps(told)})
    with whole_file(path) as sink:
        pq.write_table(table, sink, compression="zstd", compression_level=19)


def read_published(path: Path | None = None) -> Published:
    """Read the published results that are shipped with odbench.

    Parameters
    ----------
    path : Path, optional
        Another file than the shipped one.

    Returns
    -------
    Published

    Raises
    ------
    ResultsError
        If the file is damaged or missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    shipped = files("odbench.leaderboard") / "assets" / "published.parquet"
    where = str(shipped if path is None else path)
    spare_threads()
    try:
        table = pq.read_table(where).select(_COLUMNS)
        told = json.loads(table.schema.metadata[b"odbench"])
        note, runs = str(told["note"]), dict(told["runs"])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        msg = f"published results {where!r}: cannot be read; install odbench again"
        raise ResultsError(msg) from error
    trials = table.to_pandas()
    words = trials.select_dtypes("category").columns
    return Published(trials.astype(dict.fromkeys(words, "object")), note, runs)


def rank_published(published: Published, suite: str) -> pd.DataFrame:
    """Rank the published configurations of a suite.

    Parameters
    ----------
    published : Published
        From `read_published`.
    suite : str
        A suite with published results.

    Returns
    -------
    pandas.DataFrame
        The columns of a leaderboard, highest mean AUROC first. Those that need facts
        about data sets or sign flips (adjusted AP, intervals of places) mean nothing.

    Warns
    -----
    UserWarning
        Once for each configuration that is ranked in another setting.
    """
    # Facts that the compact file leaves out, and that the means do not need.
    facts = published.trials.assign(n_test=2, n_anomalies=1)
    # Of all suites, because a batch may have changed scores on another one.
    table = build_leaderboard(facts, settings=Settings(permutations=0))
    return table[table["suite"] == suite].reset_index(drop=True)


def join_published(results: pd.DataFrame, published: Published) -> Beside:
    """Put published results beside a run's own, on the tables that both have.

    A table matches if suite, partition, setting, name and content hash agree; all
    other tables are left out on both sides. Where the run has transductive results,
    published one-class results count as transductive, too. A published configuration
    that the run has in the same version on every such table is left out; if the run has
    it in another version or on fewer tables, its published twin is called
    ``NAME (published)``. An editable install counts as its version while every score
    is the published one.

    Parameters
    ----------
    results : pandas.DataFrame
        Present results of a run, the columns of `odbench.results`.
    published : Published
        From `read_published`.

    Returns
    -------
    Beside

    Raises
    ------
    UsageError
        If no table matches.
    """
    import pandas as pd

    trials = _also_transductive(published.trials, results)
    tables = results[_TABLE].drop_duplicates()
    known = trials[_TABLE].drop_duplicates()
    both = tables.merge(known, on=_TABLE)
    if both.empty:
        raise UsageError(_no_match(tables, known))
    own = results.merge(both, on=_TABLE)
    others = trials.merge(both, on=_TABLE)
    others, dependent = _in_settings_of(own, others)
    twins_of = _also_transductive(own, results)
    others, repeated = _without_twins(others, twins_of, both)
    own_methods = set(own[_METHOD].itertuples(index=False, name=None))
    twins = [pair in own_methods for pair in others[_METHOD].itertuples(index=False)]
    others.loc[twins, "detector"] += " (published)"
    facts = own[_TABLE + list(FACTS)].drop_duplicates(_TABLE)
    joined = pd.concat([own, others.merge(facts, on=_TABLE)], ignore_index=True)
    lines = _match_lines(tables, known, both)
    lines += _left_out(repeated, "the run has them itself, in the same version")
    lines += _left_out(dependent, "their scores depend on the batch")
    lines.append(f"Published results: {published.note}")
    return Beside(joined, own_methods, lines)


def mark_own(table: pd.DataFrame, own: set[tuple[str, str]]) -> pd.DataFrame:
    """Return a leaderboard with a column `SOURCE`: ``run`` or ``published``."""
    methods = table[_METHOD].itertuples(index=False, name=None)
    return table.assign(**{SOURCE: [OWN if m in own else OTHERS for m in methods]})


def _also_transductive(trials: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Count one-class trials as transductive ones, where a run has such results.

    A configuration with transductive trials of its own keeps those.
    """
    import pandas as pd

    group = ["suite", "partition"]
    wanted = results.loc[results["protocol"] == TRANSDUCTIVE, group]
    one_class = trials[trials["protocol"] == ONE_CLASS]
    added = one_class[among(one_class, wanted, group)].assign(protocol=TRANSDUCTIVE)
    method = [*group, *_METHOD, "config_id"]
    own = trials.loc[trials["protocol"] == TRANSDUCTIVE, method]
    added = added[~among(added, own, method)]
    return pd.concat([trials, added], ignore_index=True) if len(added) else trials


def _in_settings_of(
    own: pd.DataFrame, others: pd.DataFrame
) -> tuple[pd.DataFrame, int]:
    """Leave out configurations that would open a setting that the run does not have.

    A one-class result whose scores depend on the batch counts as transductive.
    """
    if TRANSDUCTIVE in set(by_setting(own)["protocol"]):
        return others, 0
    independent = others["protocol"].map(needs_independence).to_numpy(dtype=bool)
    found = batch_dependent(others[independent])
    moved = independent & among(others, found, _METHOD)
    return others[~moved], len(others.loc[moved, _METHOD].drop_duplicates())


def _without_twins(
    others: pd.DataFrame, own: pd.DataFrame, both: pd.DataFrame
) -> tuple[pd.DataFrame, int]:
    """Leave out the configurations that the run has itself, on as many tables."""
    import pandas as pd

    group = ["suite", "partition", "protocol"]
    needed = both.groupby(group).size().rename("needed").reset_index()
    own = own.assign(detector_version=_released(own, others))
    counts = own[_VERSION + _TABLE].drop_duplicates().groupby([*group, *_VERSION])
    covered = counts.size().rename("covered").reset_index().merge(needed, on=group)
    whole = covered[covered["covered"] == covered["needed"]]
    keys = [*group, *_VERSION]
    index = pd.MultiIndex.from_frame(others[keys])
    twin = index.isin(pd.MultiIndex.from_frame(whole[keys]))
    repeated = others.loc[twin, _METHOD].drop_duplicates()
    return others[~twin].copy(), len(repeated)


def _released(own: pd.DataFrame, others: pd.DataFrame) -> pd.Series[str]:
    """Return versions: without the source's hash where all scores are published ones.

    The version of an editable install has such a hash.
    """
    import pandas as pd

    versions = own["detector_version"]
    plain = versions.str.replace(_HASH, "", regex=True)
    trial = [*_TABLE, *_VERSION, "seed", "auroc", "ap"]
    index = pd.MultiIndex.from_frame(own.assign(detector_version=plain)[trial])
    equal = pd.Series(index.isin(pd.MultiIndex.from_frame(others[trial])), own.index)
    whole = equal.groupby([own[name] for name in _VERSION]).transform("all")
    return versions.mask(whole, plain)


def _match_lines(
    tables: pd.DataFrame, known: pd.DataFrame, both: pd.DataFrame
) -> list[str]:
    """Say per suite and setting how many tables match, and why others do not."""
    lines = []
    group = ["suite", "partition", "protocol"]
    for values, rows in tables.groupby(group, sort=True):
        suite, partition, protocol = values
        here = _of(both, group, values)
        there = _of(known, group, values)
        line = (
            f"{suite} / {partition}, {protocol}: compared on "
            f"{counted(len(here), 'data set')}, of the run's {len(rows)} and the "
            f"published {len(there)}"
        )
        changed = rows["dataset"].isin(there["dataset"]).sum() - len(here)
        have = "has" if changed == 1 else "have"
        lines.append(line + (f"; {changed} {have} other content" if changed else ""))
    return lines


def _of(table: pd.DataFrame, group: list[str], values: object) -> pd.DataFrame:
    """Return the rows of one group."""
    return table[(table[group] == list(values)).all(axis=1)]  # type: ignore[call-overload]


def _left_out(configurations: int, why: str) -> list[str]:
    if not configurations:
        return []
    return [f"published configurations left out: {configurations} ({why})"]


def _no_match(tables: pd.DataFrame, known: pd.DataFrame) -> str:
    def spelled(rows: pd.DataFrame) -> str:
        pairs = rows[["suite", "protocol"]].drop_duplicates()
        return ", ".join(f"{a} ({b})" for a, b in sorted(pairs.itertuples(index=False)))

    changed = len(tables.merge(known, on=_TABLE[:-1]))
    why = f"; {changed} have the same name but other content" if changed else ""
    return (
        f"--with-published: none of the run's {len(tables)} data sets is published: "
        f"got {spelled(tables)}, published are {spelled(known)}{why}; show the run "
        f"without --with-published"
    )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
