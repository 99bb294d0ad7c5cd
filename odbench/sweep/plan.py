"""What is to be tried, what of it is done, and in which order the rest goes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from odbench.data.protocol import PROTOCOL_VERSION, ROW_LIMIT
from odbench.sweep.estimate import Estimator

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.plugins import Configuration

STOCHASTIC_SEEDS = 5
# A task of more than this is cut along what cannot be shared, so that no core waits
# long for the last one.
_TASK_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How a data set becomes a trial's rows.

    Attributes
    ----------
    name : str
        "one-class" or "contaminated".
    contamination : float
        Share of anomalies among the training rows, 0 for one-class.
    """

    name: str = "one-class"
    contamination: float = 0.0

    @property
    def label(self) -> str:
        """What results and leaderboards call it."""
        if self.contamination:
            return f"{self.name}-{self.contamination:g}"
        return self.name


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration on one data set with one seed.

    Attributes
    ----------
    spec : str
        How the detector's process finds the configuration.
    seed : int
        0, 1, ...: which repetition this is.
    random_state : int
        What a stochastic detector is given; follows from data set, configuration
        and seed alone.
    key : str
        32 hex digits over everything that a result depends on.
    facts : mapping
        Columns of the results that are known beforehand.
    """

    spec: str
    seed: int
    random_state: int
    key: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """Trials of one data set that one worker does in a row.

    Attributes
    ----------
    record : DatasetRecord
        The data set.
    protocol : Protocol
        How its rows are chosen.
    trials : tuple of Trial
        In the order in which they run.
    seconds : float
        The estimate, for the order of tasks.
    """

    record: DatasetRecord
    protocol: Protocol
    trials: tuple[Trial, ...]
    seconds: float


@dataclass
class Plan:
    """All trials that were asked for.

    Attributes
    ----------
    total, done : int
        Trials asked for, and those that need not run again.
    pending : list of (DatasetRecord, list of (Trial, Configuration))
        What is left.
    reasons : Counter
        Why trials are not done: "new", "detector changed", ...
    """

    protocol: Protocol
    total: int = 0
    done: int = 0
    pending: list[tuple[DatasetRecord, list[tuple[Trial, Configuration]]]] = field(
        default_factory=list
    )
    reasons: Counter[str] = field(default_factory=Counter)


def make_plan(
    records: Iterable[DatasetRecord],
    configurations: Iterable[Configuration],
    *,
    seeds: int | None,
    protocol: Protocol,
    done: Mapping[str, str],
    earlier: Mapping[tuple[str, str, str, int], Mapping[str, str]],
) -> Plan:
    """Lay out every trial and leave out what is done.

    Parameters
    ----------
    records : iterable of DatasetRecord
        Measured: with a content hash.
    configurations : iterable of Configuration
        Each once.
    seeds : int or None
        Repetitions of stochastic detectors, None for 5; others run once.
    protocol : Protocol
        For all of them.
    done : mapping of key to status
        Trials that need not run again.
    earlier : mapping of (suite/partition/data set, detector, configuration, seed)
        What earlier results of the same trial depended on, to say why it must run
        again.

    Returns
    -------
    Plan
    """
    plan = Plan(protocol)
    chosen = [(one, _facts(one), _seeds(one, seeds)) for one in configurations]
    for record in records:
        pending = []
        for configuration, facts, repetitions in chosen:
            for seed in range(repetitions):
                plan.total += 1
                key = key_of(record, facts, seed, protocol)
                if key in done:
                    plan.done += 1
                    continue
                trial = _trial(record, configuration, facts, seed, key)
                pending.append((trial, configuration))
                plan.reasons[_reason(record, trial, earlier)] += 1
        if pending:
            plan.pending.append((record, pending))
    return plan


def tasks_of(plan: Plan, estimator: Estimator) -> list[Task]:
    """Group what is pending by data set and shared work, longest first.

    Parameters
    ----------
    plan : Plan
        What is left to do.
    estimator : Estimator
        Guesses a trial's seconds from earlier results.

    Returns
    -------
    list of Task
        Small data sets whole; a large one cut into groups that share nothing.
    """
    tasks = []
    for record, pending in plan.pending:
        costs = {
            trial.key: estimator.seconds(
                str(trial.facts["detector"]), str(trial.facts["config"]), record
            )
            for trial, _ in pending
        }
        whole = sum(costs.values()) <= _TASK_SECONDS
        for group in [pending] if whole else _unshared(pending):
            trials = tuple(trial for trial, _ in sorted(group, key=_order))
            seconds = sum(costs[trial.key] for trial in trials)
            tasks.append(Task(record, plan.protocol, trials, seconds))
    return sorted(tasks, key=lambda task: -task.seconds)


def _unshared(
    pending: list[tuple[Trial, Configuration]],
) -> list[list[tuple[Trial, Configuration]]]:
    """Part trials so that two that share any kind of work stay together."""
    groups: list[tuple[set[str], list[tuple[Trial, Configuration]]]] = []
    for trial, configuration in pending:
        kinds, together = set(configuration.info.shares), [(trial, configuration)]
        apart = []
        for other in groups:
            if other[0] & kinds:
                kinds |= other[0]
                together = other[1] + together
            else:
                apart.append(other)
        groups = [*apart, (kinds, together)]
    return [together for _, together in groups]


def _order(item: tuple[Trial, Configuration]) -> tuple[Any, ...]:
    trial, _ = item
    return trial.seed, trial.facts["detector"], trial.facts["config"]


def _seeds(configuration: Configuration, seeds: int | None) -> int:
    if configuration.info.deterministic:
        return 1
    return STOCHASTIC_SEEDS if seeds is None else seeds


def _facts(configuration: Configuration) -> dict[str, Any]:
    info = configuration.info
    return {
        "detector": info.name,
        "detector_version": configuration.version,
        "config": configuration.label,
        "config_id": configuration.id,
        "detector_reference": info.reference,
        "deterministic": info.deterministic,
        "inductive": info.inductive,
    }


def _trial(
    record: DatasetRecord,
    configuration: Configuration,
    facts: Mapping[str, Any],
    seed: int,
    key: str,
) -> Trial:
    name = _name(facts, seed)
    random_state = int(_digest(f"{record.id}|{name}")[:8], 16) & 0x7FFFFFFF
    return Trial(configuration.spec, seed, random_state, key, facts)


def key_of(
    record: DatasetRecord, facts: Mapping[str, Any], seed: int, protocol: Protocol
) -> str:
    """Return 32 hex digits over everything that a trial's result depends on."""
    return _digest(
        f"{record.partition}|{record.id}|{record.content_sha256}|{_name(facts, seed)}"
        f"|{facts['detector_version']}|{protocol.label}|{PROTOCOL_VERSION}|{ROW_LIMIT}"
    )


def _name(facts: Mapping[str, Any], seed: int) -> str:
    return f"{facts['detector']}|{facts['config_id']}|{seed}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _reason(
    record: DatasetRecord,
    trial: Trial,
    earlier: Mapping[tuple[str, str, str, int], Mapping[str, str]],
) -> str:
    where = f"{record.suite}/{record.partition}/{record.name}"
    facts = trial.facts
    before = earlier.get((where, facts["detector"], facts["config_id"], trial.seed))
    if before is None:
        return "new"
    if before["content_sha256"] != record.content_sha256:
        return "data set changed"
    if before["detector_version"] != facts["detector_version"]:
        return "detector changed"
    return "protocol changed"
