"""Prepare a run: choose data sets and detectors, and plan the trials."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.errors import UsageError
from odbench.plugins.specs import recorded_params
from odbench.scoring.settings import ONE_CLASS, TRANSDUCTIVE
from odbench.suites import ORACLE
from odbench.sweep.backends import check_cluster
from odbench.sweep.finished import batch_independent, finished
from odbench.sweep.keys import Keys
from odbench.sweep.oracle import oracle_rows
from odbench.sweep.plan import Plan, make_batches, make_plan
from odbench.sweep.request import RunRequest
from odbench.sweep.time_left import TimeLeft
from odbench.sweep.trial_times import TrialTimes
from odbench.sweep.trials import Batch

if TYPE_CHECKING:
    from odbench.data.catalog import Sources, SuiteListing
    from odbench.data.dataset import DatasetRecord
    from odbench.plugins.find import Configuration
    from odbench.suites import Suite


@dataclass
class Prepared:
    """A run that is ready to start.

    Attributes
    ----------
    plan : Plan
        All trials that were asked for.
    records : list of DatasetRecord
        Their data sets.
    batches : list of Batch
        The pending trials, in the order in which they start.
    time_left : TimeLeft
        Estimated time of the pending trials, one after another.
    never_timed : int
        Number of pending trials whose configuration was never timed.
    faults : list of str
        Data sets that cannot be used, one line each.
    times : TrialTimes
        The times of earlier trials; this run adds its own.
    oracle : list of dict
        New results of the oracle, which need no trial.
    configurations : dict
        ``config_id`` -> full parameters, as JSON values.
    """

    plan: Plan
    records: list[DatasetRecord]
    batches: list[Batch]
    time_left: TimeLeft
    never_timed: int
    faults: list[str]
    times: TrialTimes
    oracle: list[dict[str, Any]]
    configurations: dict[str, dict[str, Any]]


def prepare(request: RunRequest, *, pull: bool = True) -> Prepared:
    """Choose data sets and detectors, and plan the trials.

    Parameters
    ----------
    request : RunRequest
        The request.
    pull : bool
        Download the data sets that pending trials need, and weights of detectors.

    Returns
    -------
    Prepared

    Raises
    ------
    OdbenchError
        If a name is unknown, nothing is selected, or trials are pending and no
        scheduler answers.
    """
    from odbench.data.catalog import Sources
    from odbench.data.store import Store

    configurations = _with_weights(_configurations(request), fetch=pull)
    sources = Sources(request.mirror)
    records, faults = _records(request, sources), list[str]()
    done = _finished(request)

    one_class = None
    if request.setting.name == TRANSDUCTIVE:
        one_class = batch_independent(request.folder)

    def planned() -> Plan:
        return make_plan(
            _reaching(records, request.setting.contamination),
            configurations,
            seeds=request.seeds,
            protocol=request.setting,
            done=done,
            one_class=one_class,
        )

    plan = planned()
    if pull and plan.pending:
        # Before hours of downloads, which a wrong address would make vain.
        check_cluster(request.backend, request.scheduler)
        wanted = {batch.record.id for batch in plan.pending}
        records, failed = _pull(records, wanted, request, sources)
        faults += failed
        plan = planned()
    records = _told_reaching(records, request)
    times = TrialTimes(Store.default().root / "timings.json")
    batches = make_batches(plan, times)
    never_timed = _never_timed(plan, times)
    time_left = TimeLeft(batches, times)
    oracle = _oracle(request, records, plan, done)
    params = {one.id: recorded_params(one.params) for one in configurations}
    return Prepared(
        plan, records, batches, time_left, never_timed, faults, times, oracle, params
    )


def without_finished(request: RunRequest, prepared: Prepared) -> Prepared:
    """Return the run without the trials that were finished since it was prepared.

    Another process may have run them while this one waited for its data sets.

    Parameters
    ----------
    request : RunRequest
        The request.
    prepared : Prepared
        From `prepare`; it stays as it is.
    """
    done, plan = _finished(request), prepared.plan
    batches = [batch.without(done) for batch in prepared.batches]
    oracle = [row for row in prepared.oracle if row["key"] not in done]
    left = sum(map(len, batches)) + len(oracle)
    if left == sum(map(len, prepared.batches)) + len(prepared.oracle):
        return prepared
    batches = [batch for batch in batches if len(batch)]
    pending = [batch.without(done) for batch in plan.pending]
    plan = replace(
        plan,
        done=plan.total - left,
        pending=[batch for batch in pending if len(batch)],
    )
    time_left = TimeLeft(batches, prepared.times)
    return replace(
        prepared, plan=plan, batches=batches, oracle=oracle, time_left=time_left
    )


def _finished(request: RunRequest) -> Keys:
    """Return the keys of the trials that this request need not run again."""
    return finished(
        request.folder,
        only_ok=request.retry_failed,
        with_scores=request.keeps_scores,
        with_selection=request.grid,
    )


def _reaching(
    records: list[DatasetRecord], contamination: float | None
) -> list[DatasetRecord]:
    """Return the data sets with enough anomalies for a share of contamination.

    Those that were never measured are kept: their anomalies are not known yet.
    """
    from odbench.data.protocol import reaches

    if not contamination:
        return records
    return [
        one
        for one in records
        if one.n_anomalies is None
        or reaches(one.n_train, one.n_test, one.n_anomalies, contamination)
    ]


def _told_reaching(
    records: list[DatasetRecord], request: RunRequest
) -> list[DatasetRecord]:
    """Return the data sets of `_reaching`, and say how many were left out."""
    contamination = request.setting.contamination
    kept = _reaching(records, contamination)
    left_out = len(records) - len(kept)
    if left_out and not kept:
        msg = (
            f"protocol {request.setting.label!r}: no data set has enough anomalies; "
            f"use a smaller share"
        )
        raise UsageError(msg)
    if left_out and request.show_progress:
        say(
            f"{left_out} of {len(records)} data sets have too few anomalies for "
            f"{contamination:.3g} of the training rows and are left out"
        )
    return kept


def _never_timed(plan: Plan, times: TrialTimes) -> int:
    """Count the pending trials whose configuration was never timed."""
    protocol = plan.variants.protocol.label
    is_new = np.array(
        [
            not times.knows(facts["detector"], facts["config"], protocol)
            for number, _ in plan.variants.pairs
            for facts in [plan.variants.facts[number]]
        ],
        dtype=np.bool_,
    )
    return int(sum(is_new[batch.indices].sum() for batch in plan.pending))


def _oracle(
    request: RunRequest, records: list[DatasetRecord], plan: Plan, done: Keys
) -> list[dict[str, Any]]:
    """Return the new results of the oracle, if named, and count them in the plan."""
    if ORACLE not in (request.detectors or ()):
        return []
    rows = oracle_rows(records, request.setting)
    new = [row for row in rows if row["key"] not in done]
    plan.total += len(rows)
    plan.done += len(rows) - len(new)
    return new


def _configurations(request: RunRequest) -> list[Configuration]:
    from odbench.plugins.find import core_zoo, find_detectors, grid_of

    if request.detectors is None:
        chosen = core_zoo()
    else:
        chosen = find_detectors([d for d in request.detectors if d != ORACLE])
    if request.grid:
        points = [point for one in chosen for point in (one, *grid_of(one))]
        chosen = list({point.id: point for point in points}.values())
    if not chosen and ORACLE not in (request.detectors or ()):
        msg = "detectors: none selected; `odbench detectors list` lists them"
        raise UsageError(msg)
    return chosen


def _with_weights(chosen: list[Configuration], *, fetch: bool) -> list[Configuration]:
    """Obtain trained weights before the first trial, or say which are not here."""
    from odbench.plugins.weights import missing, pin_all

    lacking = {} if fetch else {f.name: one for one in chosen for f in missing(one)}
    for name, one in lacking.items():
        say(f"{one.info.name}: {name} is not on this machine; the run will fetch it")
    return pin_all(chosen, fetch=fetch)


def _records(request: RunRequest, sources: Sources) -> list[DatasetRecord]:
    """Select data sets from those that each suite's source lists."""
    from odbench.data.catalog import choose, resolve
    from odbench.data.listing import list_suite

    records: dict[str, DatasetRecord] = {}
    found: dict[str, SuiteListing] = {}
    roots: dict[str, str] = {}
    for name in request.suites:
        resolved = resolve(name, sources)
        suite, _ = resolved
        _check_one_folder(suite, roots)
        # A suite is listed once, even if several of its subsets are named.
        if suite.name not in found:
            found[suite.name] = list_suite(suite, request.partition, sources=sources)
            if request.show_progress:
                _tell_meant(suite, request)
                place = "the hub" if sources.mirror is None else "this mirror"
                _tell_missing(found[suite.name], place)
                is_open = request.partition == "public" and suite.transport != "folder"
                if sources.mirror is not None and is_open:
                    _tell_unlisted(found[suite.name])
        chosen = choose(
            name,
            resolved,
            found[suite.name].records,
            partition=request.partition,
            pattern=request.datasets,
            limit=request.limit,
            mirror=sources.mirror,
        )
        records.update((record.id, _measured(record)) for record in chosen)
    return list(records.values())


def _measured(record: DatasetRecord) -> DatasetRecord:
    """Return the stored record of a data set that no manifest describes."""
    from odbench.data.intact import find_intact
    from odbench.data.store import Store

    if record.content_sha256:
        return record
    # Only an undamaged copy can say how the table was measured.
    stored = find_intact(Store.default(), record)
    return record if stored is None else stored.record


def _check_one_folder(suite: Suite, roots: dict[str, str]) -> None:
    """Refuse two folders of one name: their data sets would have the same ids."""
    other = roots.setdefault(suite.name, suite.root)
    if other != suite.root:
        msg = (
            f"suite {suite.name}: is the name of {other!r} and of {suite.root!r}; set "
            f"another `name` in the suite.toml of one"
        )
        raise UsageError(msg)


def _tell_meant(suite: Suite, request: RunRequest) -> None:
    """Say that a suite is meant for another setting than the default one."""
    setting = request.setting.label
    if setting == ONE_CLASS and suite.protocol != setting:
        say(
            f"suite {suite.name} is meant for the setting {suite.protocol!r}, and this "
            f"run is {setting!r}; add --protocol {suite.protocol} to run it so"
        )


def _tell_unlisted(listing: SuiteListing) -> None:
    if listing.added:
        say(
            f"{len(listing.added)} files of this mirror have no manifest row; are they "
            f"your own? `odbench suites new` makes a suite of them"
        )


def _tell_missing(listing: SuiteListing, place: str) -> None:
    if listing.missing:
        some = ", ".join(row.name for row in listing.missing[:3])
        more = ", ..." if len(listing.missing) > 3 else ""
        say(
            f"{len(listing.missing)} data sets are not in {place} and will be skipped: "
            f"{some}{more}"
        )


def say(line: str) -> None:
    """Write a line for the user to stderr."""
    sys.stderr.write(f"odbench: {line}\n")


def _pull(
    records: list[DatasetRecord],
    wanted: set[str],
    request: RunRequest,
    sources: Sources,
) -> tuple[list[DatasetRecord], list[str]]:
    """Download the wanted data sets; one that fails is left out and reported.

    Workers compare the stored files with their hashes before they use them. Here this
    is done only where facts for the plan are read from those files.
    """
    from odbench.data.catalog import ensure
    from odbench.data.store import Store

    store = Store.default()
    needed = [
        record
        for record in records
        if record.id in wanted
        if not (_is_described(record) and store.find(record) is not None)
    ]
    measured: dict[str, DatasetRecord | None] = {}
    faults = []
    for record, outcome in ensure(
        needed, sources=sources, progress=request.show_progress
    ):
        if isinstance(outcome, Exception):
            faults.append(str(outcome))
            measured[record.id] = None
        else:
            measured[record.id] = outcome.record
    kept = [measured.get(record.id, record) for record in records]
    return [record for record in kept if record is not None], faults


def _is_described(record: DatasetRecord) -> bool:
    """Say whether the manifest knows a data set's content and all facts about it."""
    from odbench.data.dataset import BEYOND_DUPLICATES

    facts = (getattr(record, name) for name in BEYOND_DUPLICATES)
    is_measured = bool(record.content_sha256) and record.n_train > 0
    return is_measured and all(fact is not None for fact in facts)
