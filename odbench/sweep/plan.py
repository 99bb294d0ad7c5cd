"""Plan a run: which trials, which of them are done, and the order of the others."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.scoring.settings import TRANSDUCTIVE, Protocol
from odbench.sweep.keys import Keys
from odbench.sweep.trial_times import TrialTimes
from odbench.sweep.trials import Batch, Indices, Variants

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.plugins.find import Configuration

STOCHASTIC_SEEDS = 5
# A longer batch is split into parts that share no work, so that the other cores do not
# wait long for the last one. Parts are no shorter than needed, because handing a batch
# to a cluster costs about 10 ms.
_BATCH_SECONDS = 20.0
_PART_SECONDS = 5.0
_REASONS = (
    "new",
    "data set changed",
    "detector changed",
    "protocol changed",
    "failed before",
    "scores not kept",
)
(
    _NEW,
    _DATASET_CHANGED,
    _DETECTOR_CHANGED,
    _PROTOCOL_CHANGED,
    _FAILED,
    _NO_SCORES,
) = range(len(_REASONS))


@dataclass
class Plan:
    """All trials that were asked for.

    Attributes
    ----------
    variants : Variants
        The configurations x seeds that are tried on each data set.
    total, done : int
        Trials asked for, and those that need not run again.
    pending : list of Batch
        The other trials, one batch per data set.
    """

    variants: Variants
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
    one_class: Keys | None = None,
) -> Plan:
    """List all trials and leave out those that are done.

    Parameters
    ----------
    records : iterable of DatasetRecord
        Data sets whose content hash is known.
    configurations : iterable of Configuration
        Each once.
    seeds : int or None
        Repetitions of stochastic detectors, None for 5; others run once.
    protocol : Protocol
        The protocol of all trials.
    done : Keys
        Trials that need not run again.
    one_class : Keys, optional
        One-class trials of detectors that ignore the batch. In the transductive setting
        they give the same scores, so they need not run again either, unless the
        detector has ``score_batch``.

    Returns
    -------
    Plan
    """
    chosen = tuple(configurations)
    repetitions = tuple(_repetitions(one, seeds) for one in chosen)
    plan = Plan(Variants(chosen, repetitions, protocol))
    same = None
    if protocol.name == TRANSDUCTIVE and one_class is not None:
        same = Variants(chosen, repetitions, Protocol())
    # Detectors with scores for batches have other scores in the transductive setting.
    own_scores = np.array(
        [chosen[number].info.scores_batch for number, _ in plan.variants.pairs],
        dtype=np.bool_,
    )
    for record in records:
        is_done = done.contains(plan.variants.keys(record))
        if same is not None and one_class is not None:
            is_done |= ~own_scores & one_class.contains(same.keys(record))
        indices = np.flatnonzero(~is_done)
        plan.total += len(plan.variants)
        plan.done += len(plan.variants) - len(indices)
        if len(indices):
            plan.pending.append(Batch(plan.variants, record, indices.astype(np.int32)))
    return plan


def why_pending(plan: Plan, earlier: Iterable[tuple[Any, ...]]) -> Counter[str]:
    """Count the reasons why trials are not done.

    Parameters
    ----------
    plan : Plan
        The plan.
    earlier : iterable of tuple
        The facts that earlier results depended on: suite, partition, data set,
        detector, configuration, seed, content hash, detector version, then status and
        key; the newest last.

    Returns
    -------
    Counter
        Trials by reason: "new", "detector changed", ...
    """
    variants = plan.variants
    index_of = {
        (variants.facts[number]["detector"], variants.facts[number]["config_id"], s): i
        for i, (number, s) in enumerate(variants.pairs)
    }
    known = {
        (batch.record.suite, batch.record.partition, batch.record.name): (
            batch.record,
            np.full(len(variants), _NEW, dtype=np.int8),
        )
        for batch in plan.pending
    }
    for row in earlier:
        index = index_of.get(row[3:6])
        if index is not None and row[:3] in known:
            record, reasons = known[row[:3]]
            version = variants.facts[variants.pairs[index][0]]["detector_version"]
            if row[9] == variants.trial(record, index).key:
                reasons[index] = _NO_SCORES if row[8] == "ok" else _FAILED
            # Codes from `_FAILED` on mean that the same trial was run before; any other
            # earlier result says less.
            elif reasons[index] < _FAILED:
                reasons[index] = _change(row, record, version)
    counts: Counter[str] = Counter()
    for batch, (_, reasons) in zip(plan.pending, known.values(), strict=True):
        counts.update(_REASONS[code] for code in reasons[batch.indices].tolist())
    return counts


def _change(row: tuple[Any, ...], record: DatasetRecord, version: str) -> int:
    """Return the reason why an earlier result is not that of the trial now."""
    if row[6] != record.content_sha256:
        return _DATASET_CHANGED
    return _DETECTOR_CHANGED if row[7] != version else _PROTOCOL_CHANGED


def make_batches(plan: Plan, times: TrialTimes) -> list[Batch]:
    """Group the pending trials by data set and shared work, longest first.

    Parameters
    ----------
    plan : Plan
        The plan.
    times : TrialTimes
        Estimates a trial's seconds from earlier results.

    Returns
    -------
    list of Batch
        A small data set is one batch; a large one is several that share no work.
    """
    variants = plan.variants
    number_at = np.array([number for number, _ in variants.pairs], dtype=np.int64)
    in_order = sorted(range(len(variants)), key=lambda i: _sort_key(variants, i))
    order: Indices = np.array(in_order, dtype=np.int32)
    sharing = _Sharing(variants)
    batches = []
    for whole, each in zip(plan.pending, _seconds(plan, times), strict=True):
        seconds = each[number_at]
        is_pending = np.zeros(len(variants), dtype=np.bool_)
        is_pending[whole.indices] = True
        indices = order[is_pending[order]]
        parts = [indices]
        if seconds[indices].sum() > _BATCH_SECONDS:
            group = sharing.groups(number_at[indices])
            of_group = np.bincount(group, weights=seconds[indices])
            part_of = _packed(np.asarray(of_group, dtype=np.float64))[group]
            parts = [indices[part_of == one] for one in range(part_of.max() + 1)]
        batches += [
            Batch(variants, whole.record, part, float(seconds[part].sum()))
            for part in parts
        ]
    return sorted(batches, key=lambda batch: -batch.seconds)


def _packed(seconds: FloatArray) -> IntArray:
    """Return the part of each group of trials; parts last about equally long.

    The longest group goes first, each into the shortest part so far.
    """
    n_parts = min(len(seconds), math.ceil(seconds.sum() / _PART_SECONDS))
    shortest = [(0.0, part) for part in range(n_parts)]
    parts = np.zeros(len(seconds), dtype=np.int64)
    for group in np.argsort(-seconds, kind="stable").tolist():
        length, parts[group] = shortest[0]
        heapq.heapreplace(shortest, (length + seconds[group], int(parts[group])))
    return parts


class _Sharing:
    """Group configurations so that two that share any kind of work stay together."""

    def __init__(self, variants: Variants) -> None:
        self._shares = [set(one.info.shares) for one in variants.configurations]
        self._known: dict[bytes, IntArray] = {}

    def groups(self, numbers: IntArray) -> IntArray:
        """Return the group of each of these configurations, counted from 0."""
        present = np.unique(numbers)
        # Most data sets have the same pending trials, so that their groups are reused.
        group_of = self._known.get(present.tobytes())
        if group_of is None:
            group_of = np.zeros(len(self._shares), dtype=np.int64)
            for group, members in enumerate(self._partition(present.tolist())):
                group_of[members] = group
            self._known[present.tobytes()] = group_of
        return group_of[numbers]

    def _partition(self, numbers: list[int]) -> list[list[int]]:
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


def _seconds(plan: Plan, times: TrialTimes) -> FloatArray:
    """Return the estimated seconds per trial, by data set and configuration."""
    variants = plan.variants
    names = [(facts["detector"], facts["config"]) for facts in variants.facts]
    records = [batch.record for batch in plan.pending]
    sizes = [(one.n_train + one.n_test, one.n_columns) for one in records]
    return times.expected(names, sizes, variants.protocol.label)


def _sort_key(variants: Variants, index: int) -> tuple[Any, ...]:
    number, seed = variants.pairs[index]
    facts = variants.facts[number]
    return seed, facts["detector"], facts["config"]


def _repetitions(configuration: Configuration, seeds: int | None) -> int:
    if configuration.info.deterministic:
        return 1
    return STOCHASTIC_SEEDS if seeds is None else seeds
