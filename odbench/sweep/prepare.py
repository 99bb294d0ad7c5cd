"""Choose data sets and detectors, and find out what is left to do."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.errors import UsageError
from odbench.plugins.specs import plain
from odbench.sweep.estimate import Estimator
from odbench.sweep.finished import finished
from odbench.sweep.keys import Keys
from odbench.sweep.oracle import NAME as ORACLE
from odbench.sweep.oracle import oracle_rows
from odbench.sweep.plan import Plan, make_plan, tasks_of
from odbench.sweep.request import Request
from odbench.sweep.trials import Batch, Protocol

if TYPE_CHECKING:
    from odbench.data.catalog import Sources, SuiteListing
    from odbench.data.dataset import DatasetRecord
    from odbench.plugins.find import Configuration


@dataclass
class Prepared:
    """What a request comes to, before anything is run.

    Attributes
    ----------
    plan : Plan
        Trials done and to do.
    batches : list of Batch
        What is to do, in its order.
    seconds : float
        Estimate of all trials together, one after another.
    unknown : int
        Trials to do of which no like was ever timed.
    faults : list of str
        Data sets that cannot be used, one line each.
    estimator : Estimator
        To be taught by this run.
    oracle : list of dict
        Results that are known without running anything.
    configurations : dict
        The full parameters of what was asked for, as JSON knows them, by
        ``config_id``.
    """

    plan: Plan
    batches: list[Batch]
    seconds: float
    unknown: int
    faults: list[str]
    estimator: Estimator
    oracle: list[dict[str, Any]]
    configurations: dict[str, dict[str, Any]]


def prepare(request: Request, *, pull: bool = True) -> Prepared:
    """Choose data sets and detectors, and find out what is left to do.

    Parameters
    ----------
    request : Request
        What was asked.
    pull : bool
        Bring missing data onto this machine.

    Raises
    ------
    OdbenchError
        If a name is unknown, or nothing is selected.
    """
    from odbench.data.catalog import Sources
    from odbench.data.store import Store

    configurations = _configurations(request)
    sources = Sources(request.mirror)
    records, faults = _records(request, sources), list[str]()
    done = finished(
        request.folder,
        only_ok=request.retry_failed,
        with_scores=request.keeps_scores,
    )

    def planned() -> Plan:
        return make_plan(
            records,
            configurations,
            seeds=request.seeds,
            protocol=_protocol(request),
            done=done,
        )

    plan = planned()
    if pull and plan.pending:
        wanted = {batch.record.id for batch in plan.pending}
        records, failed = _pull(records, wanted, request, sources)
        faults += failed
        plan = planned()
    estimator = Estimator(Store.default().root / "timings.json")
    batches = tasks_of(plan, estimator)
    unknown = _never_timed(plan, estimator)
    seconds = sum(batch.seconds for batch in batches)
    oracle = _oracle(request, records, plan, done)
    params = {one.id: plain(one.params) for one in configurations}
    return Prepared(plan, batches, seconds, unknown, faults, estimator, oracle, params)


def _never_timed(plan: Plan, estimator: Estimator) -> int:
    """Count the trials to do of which no like was ever timed."""
    is_new = np.array(
        [
            not estimator.knows(facts["detector"], facts["config"])
            for number, _ in plan.choices.pairs
            for facts in [plan.choices.facts[number]]
        ],
        dtype=np.bool_,
    )
    return int(sum(is_new[batch.places].sum() for batch in plan.pending))


def _oracle(
    request: Request, records: list[DatasetRecord], plan: Plan, done: Keys
) -> list[dict[str, Any]]:
    """Return the oracle's rows that were asked for, and count them in the plan."""
    if ORACLE not in (request.detectors or ()):
        return []
    rows = oracle_rows(records, _protocol(request))
    new = [row for row in rows if row["key"] not in done]
    plan.total += len(rows)
    plan.done += len(rows) - len(new)
    return new


def hidden_places(mirror: str | None) -> tuple[Path, ...]:
    """Return what a detector's process must not read.

    Parameters
    ----------
    mirror : str or None
        The mirror that was named; ``ODBENCH_MIRROR`` counts too.
    """
    from odbench.data.catalog import label_places

    here = Path.cwd().resolve()
    around = {here, *here.parents}
    hidden: list[Path] = []
    for place in label_places(mirror):
        folder = place.resolve()
        if folder in around and folder.is_dir():
            # A mirror around the working folder must not hide the user's own code.
            hidden += [entry for entry in folder.iterdir() if entry not in around]
        else:
            hidden.append(folder)
    return tuple(hidden)


def _protocol(request: Request) -> Protocol:
    if request.contamination:
        return Protocol(name="contaminated", contamination=request.contamination)
    return Protocol()


def _configurations(request: Request) -> list[Configuration]:
    from odbench.plugins.find import core_zoo, find_detectors, grid_of

    if request.detectors is None:
        chosen = core_zoo()
    else:
        chosen = find_detectors([d for d in request.detectors if d != ORACLE])
    if request.grid:
        points = [point for one in chosen for point in (one, *grid_of(one))]
        chosen = list({point.id: point for point in points}.values())
    if not chosen and ORACLE not in (request.detectors or ()):
        msg = "detectors: none selected; `odbench detectors list` shows what there is"
        raise UsageError(msg)
    return chosen


def _records(request: Request, sources: Sources) -> list[DatasetRecord]:
    """Select data sets from those that each suite's source lists."""
    from odbench.data.catalog import choose, resolve
    from odbench.data.listing import list_suite

    records: dict[str, DatasetRecord] = {}
    found: dict[str, SuiteListing] = {}
    for name in request.suites:
        resolved = resolve(name)
        suite, _ = resolved
        # A suite is listed once, whatever parts of it are named.
        if suite.name not in found:
            found[suite.name] = list_suite(suite, request.partition, sources=sources)
            if request.show_progress:
                place = "the hub" if sources.mirror is None else "this mirror"
                _tell_missing(found[suite.name], place)
        chosen = choose(
            name,
            resolved,
            found[suite.name].records,
            partition=request.partition,
            pattern=request.datasets,
            limit=request.limit,
        )
        records.update((record.id, _measured(record)) for record in chosen)
    return list(records.values())


def _measured(record: DatasetRecord) -> DatasetRecord:
    """Return what the store measured of a data set that no manifest describes."""
    from odbench.data.store import Store

    stored = None if record.content_sha256 else Store.default().find(record)
    return record if stored is None else stored.record


def _tell_missing(listing: SuiteListing, place: str) -> None:
    if listing.missing:
        some = ", ".join(row.name for row in listing.missing[:3])
        more = ", ..." if len(listing.missing) > 3 else ""
        say(
            f"{len(listing.missing)} data sets are not in {place} and will be skipped: "
            f"{some}{more}"
        )


def say(line: str) -> None:
    """Tell the user something that is no result."""
    sys.stderr.write(f"odbench: {line}\n")


def _pull(
    records: list[DatasetRecord], wanted: set[str], request: Request, sources: Sources
) -> tuple[list[DatasetRecord], list[str]]:
    """Bring what is wanted into the store; a data set that fails is left out."""
    from odbench.data.catalog import ensure

    needed = [record for record in records if record.id in wanted]
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
