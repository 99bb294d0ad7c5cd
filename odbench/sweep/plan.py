"""What is to be tried, what of it is done, and in which order the rest goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.sweep.estimate import Estimator
from odbench.sweep.keys import Keys
from odbench.sweep.trials import Batch, Choices, Places, Protocol, Task, Trial

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.plugins.find import Configuration

__all__ = ["Plan", "Protocol", "Task", "Trial", "make_plan", "tasks_of", "why_pending"]

STOCHASTIC_SEEDS = 5
# A task of more than this is cut along what cannot be shared, so that no core waits
# long for the last one.
_TASK_SECONDS = 20.0
_REASONS = (
    "new",
    "data set changed",
    "detector changed",
    "protocol changed",
    "failed before",
    "scores not kept",
)
# From here on the trial itself was done; what else there is has another protocol.
_SAME_TRIAL = _REASONS.index("failed before")


@dataclass
class Plan:
    """All trials that were asked for.

    Attributes
    ----------
    choices : Choices
        What each data set is tried with.
    total, done : int
        Trials asked for, and those that need not run again.
    pending : list of Batch
        What is left, by data set.
    """

    choices: Choices
    total: int = 0
    done: int = 0
    pending: list[Batch] = field(default_factory=list)


def make_plan(
    records: Iterable[DatasetRecord],
    configurations: Iterable[Configuration],
    *,
    seeds: int | None,
    protocol: Protocol,
    done: Keys,
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
    done : Keys
        Trials that need not run again.

    Returns
    -------
    Plan
    """
    chosen = tuple(configurations)
    repetitions = tuple(_seeds(one, seeds) for one in chosen)
    plan = Plan(Choices(chosen, repetitions, protocol))
    for record in records:
        places = np.flatnonzero(~done.contains(plan.choices.keys(record)))
        plan.total += len(plan.choices)
        plan.done += len(plan.choices) - len(places)
        if len(places):
            plan.pending.append(Batch(plan.choices, record, places.astype(np.int32)))
    return plan


def why_pending(plan: Plan, earlier: Iterable[tuple[Any, ...]]) -> Counter[str]:
    """Say why trials are not done.

    Parameters
    ----------
    plan : Plan
        What is left to do.
    earlier : iterable of tuple
        What earlier results depended on: suite, partition, data set, detector,
        configuration, seed, content hash, detector version, then status and key; the
        newest last.

    Returns
    -------
    Counter
        Trials by reason: "new", "detector changed", ...
    """
    choices = plan.choices
    place_of = {
        (choices.facts[number]["detector"], choices.facts[number]["config_id"], seed): i
        for i, (number, seed) in enumerate(choices.pairs)
    }
    known = {
        (batch.record.suite, batch.record.partition, batch.record.name): (
            batch.record,
            np.zeros(len(choices), dtype=np.int8),
        )
        for batch in plan.pending
    }
    for row in earlier:
        place = place_of.get(row[3:6])
        if place is not None and row[:3] in known:
            record, found = known[row[:3]]
            version = choices.facts[choices.pairs[place][0]]["detector_version"]
            if row[9] == choices.trial(record, place).key:
                found[place] = 5 if row[8] == "ok" else 4
            elif found[place] < _SAME_TRIAL:
                same = (row[6] == record.content_sha256, row[7] == version)
                found[place] = 1 if not same[0] else 2 if not same[1] else 3
    counts: Counter[str] = Counter()
    for batch, (_, found) in zip(plan.pending, known.values(), strict=True):
        counts.update(_REASONS[code] for code in found[batch.places].tolist())
    return counts


def tasks_of(plan: Plan, estimator: Estimator) -> list[Batch]:
    """Group what is pending by data set and shared work, longest first.

    Parameters
    ----------
    plan : Plan
        What is left to do.
    estimator : Estimator
        Guesses a trial's seconds from earlier results.

    Returns
    -------
    list of Batch
        Small data sets whole; a large one cut into groups that share nothing.
    """
    choices = plan.choices
    number_at = np.array([number for number, _ in choices.pairs], dtype=np.int64)
    in_order = sorted(range(len(choices)), key=lambda i: _order(choices, i))
    order: Places = np.array(in_order, dtype=np.int32)
    apart = _Apart(choices)
    batches = []
    for whole in plan.pending:
        costs = _costs(choices, whole.record, estimator)[number_at]
        is_pending = np.zeros(len(choices), dtype=np.bool_)
        is_pending[whole.places] = True
        places = order[is_pending[order]]
        parts = [places]
        if costs[places].sum() > _TASK_SECONDS:
            group = apart.groups(number_at[places])
            parts = [places[group == one] for one in range(group.max() + 1)]
        batches += [
            Batch(choices, whole.record, part, float(costs[part].sum()))
            for part in parts
        ]
    return sorted(batches, key=lambda batch: -batch.seconds)


class _Apart:
    """Part configurations so that two that share any kind of work stay together."""

    def __init__(self, choices: Choices) -> None:
        self._shares = [set(one.info.shares) for one in choices.configurations]
        self._known: dict[bytes, IntArray] = {}

    def groups(self, numbers: IntArray) -> IntArray:
        """Return the group of each of these configurations, counted from 0."""
        present = np.unique(numbers)
        # Most data sets lack the same trials.
        group_of = self._known.get(present.tobytes())
        if group_of is None:
            group_of = np.zeros(len(self._shares), dtype=np.int64)
            for group, members in enumerate(self._parted(present.tolist())):
                group_of[members] = group
            self._known[present.tobytes()] = group_of
        return group_of[numbers]

    def _parted(self, numbers: list[int]) -> list[list[int]]:
        groups: list[tuple[set[str], list[int]]] = []
        for number in numbers:
            kinds, together, apart = set(self._shares[number]), [number], []
            for other in groups:
                if other[0] & kinds:
                    kinds |= other[0]
                    together = other[1] + together
                else:
                    apart.append(other)
            groups = [*apart, (kinds, together)]
        return [together for _, together in groups]


def _costs(choices: Choices, record: DatasetRecord, estimator: Estimator) -> FloatArray:
    """Return the seconds of a trial of each configuration on a data set."""
    size = {
        "n_rows": record.n_train + record.n_test,
        "n_columns": record.n_columns,
    }
    return np.array(
        [
            estimator.seconds(facts["detector"], facts["config"], **size)
            for facts in choices.facts
        ],
        dtype=np.float64,
    )


def _order(choices: Choices, place: int) -> tuple[Any, ...]:
    number, seed = choices.pairs[place]
    facts = choices.facts[number]
    return seed, facts["detector"], facts["config"]


def _seeds(configuration: Configuration, seeds: int | None) -> int:
    if configuration.info.deterministic:
        return 1
    return STOCHASTIC_SEEDS if seeds is None else seeds
