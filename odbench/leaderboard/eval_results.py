"""A method's results in the hub's own format, for the model repository it lives in.

The hub reads ``.eval_results/*.yaml`` of a model repository and shows the values on the
model's page and on the benchmark's. The format is the one of ``EvalResultEntry`` in
huggingface_hub and of the hub's documentation on evaluation results.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from odbench.errors import TransportError, UsageError
from odbench.leaderboard.hub import (
    ATTEMPTS,
    ask,
    client,
    is_same,
    is_temporary,
    listing,
    named,
)
from odbench.leaderboard.pairs import find_method, listed
from odbench.leaderboard.tables import Settings, build_leaderboard
from odbench.scoring.cells import Method
from odbench.scoring.metrics import ranked_metrics
from odbench.suites import coverage, load_suites

if TYPE_CHECKING:
    import pandas as pd
    from huggingface_hub import HfApi

Entry = dict[str, Any]

# The file in a model repository; files of other benchmarks stand beside it.
FILE = ".eval_results/odbench.yaml"
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The outcome of an upload.

    Attributes
    ----------
    commit : str
        The commit that holds the results.
    pull_request : str
        Address of the pull request, "" for none.
    changed : bool
        False if the repository held the same results already.
    """

    commit: str
    pull_request: str
    changed: bool


def eval_results(
    results: pd.DataFrame,
    method: str,
    *,
    benchmark: str | None = None,
    source_url: str | None = None,
) -> list[Entry]:
    """Return a method's mean results, one entry per suite, setting and ranked metric.

    Parameters
    ----------
    results : pandas.DataFrame
        Results of runs; private partitions are left out.
    method : str
        A configuration, as for ``--detectors``: ``knn``, ``knn:k=20``.
    benchmark : str, optional
        The hub data set that hosts the benchmark; the suite's own by default.
    source_url : str, optional
        Where the results can be looked up.

    Returns
    -------
    list of dict
        Entries of the hub's format. Values are those of the leaderboard, from 0 to 1
        and higher is better. The task is ``SUITE_SETTING_METRIC``, such as
        ``oddbench_one_class_auroc``.

    Raises
    ------
    UsageError
        If the method is not in the results, or a suite is no hub data set.
    """
    table = build_leaderboard(results, settings=Settings(permutations=0))
    table = table[table["partition"] == "public"]
    date = _newest(results)
    entries = []
    for suite, rows in table.groupby("suite", sort=True):
        for row in _own_rows(rows, results, method):
            where = _benchmark(str(suite), benchmark)
            entries += _entries(row, where, date, source_url)
    if not entries:
        known = listed({each.label for each in _methods(table)})
        msg = f"method {method!r}: no public results; they hold {known or 'nothing'}"
        raise UsageError(msg)
    return entries


def eval_yaml(entries: list[Entry]) -> str:
    """Return entries as the text of a ``.eval_results/*.yaml`` file."""
    # A requirement of huggingface_hub.
    import yaml

    return str(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))


def send_eval_results(
    text: str,
    repo: str,
    *,
    pull_request: bool = False,
    api: HfApi | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Sent:
    """Put results into a model repository, in one commit or none if they are there.

    The commit names its parent. If another commit came in between, or an answer was
    lost, the repository is looked at again; a pull request is asked for only once.

    Parameters
    ----------
    text : str
        From `eval_yaml`.
    repo : str
        ``owner/name`` of a model repository that exists.
    pull_request : bool
        Open a pull request instead, which needs no right to write.
    api : HfApi, optional
        The client; the default one uses ``HF_ENDPOINT`` and ``HF_TOKEN``.
    pause : callable
        Sleeps for the given number of seconds before another attempt.

    Returns
    -------
    Sent

    Raises
    ------
    UsageError
        If there is no such model repository.
    TransportError
        If the hub does not accept the commit.
    """
    hub = api or client()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _send(hub, text, repo, pull_request=pull_request)
        except TransportError as error:
            last = pull_request or attempt == ATTEMPTS
            if last or not is_temporary(error.__cause__):
                raise
            pause(2.0**attempt)
    raise AssertionError


def _send(hub: HfApi, text: str, repo: str, *, pull_request: bool) -> Sent:
    from huggingface_hub import CommitOperationAdd

    what, content = named(repo, "model"), text.encode()
    head, files = ask(lambda: listing(hub, repo, "model"), what)
    if head is None:
        msg = f"{what}: does not exist; create it on the hub first"
        raise UsageError(msg)
    if FILE in files and is_same(content, files[FILE]):
        return Sent(commit=head, pull_request="", changed=False)
    done = ask(
        lambda: hub.create_commit(
            repo,
            [CommitOperationAdd(path_in_repo=FILE, path_or_fileobj=content)],
            commit_message="Add results on odbench",
            repo_type="model",
            parent_commit=head,
            create_pr=pull_request,
        ),
        what,
    )
    return Sent(commit=str(done.oid), pull_request=str(done.pr_url or ""), changed=True)


def _own_rows(rows: pd.DataFrame, results: pd.DataFrame, method: str) -> list[Any]:
    """Return a method's rows of one suite: those of the settings that it was run in.

    One-class results also stand in the transductive table; as a result of its own, they
    count only where the method depends on the batch and has no other table.
    """
    groups = (group for _, group in rows.groupby("protocol", sort=True))
    found = [row for row in (_row_of(group, method) for group in groups) if row]
    names = {row.detector for row in found}
    run_in = set(results.loc[results["detector"].isin(names), "protocol"])
    return [row for row in found if row.protocol in run_in] or found


def _entries(
    row: Any, benchmark: str, date: str | None, source_url: str | None
) -> list[Entry]:
    covered = coverage(row.suite, "public", int(row.n_datasets))
    name = Method(row.detector, row.config, "").label
    told = (
        f"{name}, {row.protocol}: mean over {covered}, {int(row.n_failed)} of "
        f"{int(row.n_trials)} trials failed and count as 0"
    )
    common: Entry = {"date": date} if date else {}
    if source_url:
        common["source"] = {"url": source_url, "name": "odbench"}
    return [
        {
            "dataset": {
                "id": benchmark,
                "task_id": task_id(row.suite, row.protocol, metric.name),
            },
            "value": round(float(getattr(row, f"mean_{metric.name}")), _DIGITS),
            **common,
            "notes": told,
        }
        for metric in ranked_metrics()
    ]


def task_id(suite: str, protocol: str, metric: str) -> str:
    """Return the name of a task, which the benchmark's ``eval.yaml`` must list.

    Examples
    --------
    >>> task_id("oddbench", "one-class", "auroc")
    'oddbench_one_class_auroc'
    """
    return re.sub(r"[^a-z0-9]+", "_", f"{suite} {protocol} {metric}".lower())


def _benchmark(suite: str, given: str | None) -> str:
    """Return the hub data set of a suite."""
    described = load_suites().get(suite)
    if given is None and (described is None or described.transport != "hub"):
        msg = (
            f"suite {suite!r}: is not a data set on the hub; name the one that hosts "
            f"the benchmark with --benchmark owner/name"
        )
        raise UsageError(msg)
    found = given if given is not None else described.repository if described else ""
    named(found, "dataset")
    return found


def _methods(table: pd.DataFrame) -> list[Method]:
    ids = table[["detector", "config", "config_id"]].astype(str)
    return [Method(*row) for row in ids.itertuples(index=False, name=None)]


def _row_of(rows: pd.DataFrame, method: str) -> Any:
    """Return a method's row of a table, None if it has none."""
    at = find_method(_methods(rows), method)
    return None if at is None else next(rows.iloc[[at]].itertuples(index=False))


def _newest(results: pd.DataFrame) -> str | None:
    """Return the date of the newest trial."""
    import pandas as pd

    newest = pd.to_datetime(results["started_at"], utc=True, errors="coerce").max()
    return None if pd.isna(newest) else newest.strftime("%Y-%m-%d")
