"""Trials, and batches that hold very many of them compactly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.data.protocol import PROTOCOL_VERSION, ROW_LIMIT
from odbench.scoring.settings import TRANSDUCTIVE, Protocol
from odbench.sweep.keys import KeyArray, Keys, key_array

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.plugins.find import Configuration

Indices: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration on one data set with one seed.

    Attributes
    ----------
    spec : str
        Spec by which the detector's process finds the configuration.
    seed : int
        Number of the repetition: 0, 1, ...
    random_state : int
        Seed of a stochastic detector; it follows from data set, configuration and
        `seed` alone.
    key : str
        32 hex digits over everything that a result depends on.
    facts : mapping
        Columns of the results that are known before the trial runs.
    is_home : bool
        Whether the detector is registered by odbench itself.
    """

    spec: str
    seed: int
    random_state: int
    key: str
    facts: Mapping[str, Any]
    is_home: bool = False

    def of_version(
        self, version: str, record: DatasetRecord, protocol: Protocol
    ) -> Trial:
        """Return the trial with another version of the detector, and its key."""
        facts = {**self.facts, "detector_version": version}
        key = key_of(record, facts, self.seed, protocol)
        return replace(self, key=key, facts=facts)


@dataclass(frozen=True)
class Variants:
    """The configurations x seeds that a run tries on every data set.

    A run has thousands of times as many trials as variants. A trial is held as a data
    set and an index into the variants, and becomes a `Trial` only just before it runs.

    Attributes
    ----------
    configurations : tuple of Configuration
        Each once.
    repetitions : tuple of int
        Number of seeds of each configuration.
    protocol : Protocol
        The protocol of all trials.
    """

    configurations: tuple[Configuration, ...]
    repetitions: tuple[int, ...]
    protocol: Protocol

    @cached_property
    def facts(self) -> tuple[dict[str, Any], ...]:
        """Columns of the results that are known for each configuration."""
        return tuple(_facts(one, self.protocol) for one in self.configurations)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The configuration (by number) and the seed of each variant."""
        return tuple(
            (number, seed)
            for number, count in enumerate(self.repetitions)
            for seed in range(count)
        )

    @cached_property
    def _home(self) -> tuple[bool, ...]:
        from odbench.plugins.find import is_home

        return tuple(map(is_home, self.configurations))

    @cached_property
    def _endings(self) -> tuple[bytes, ...]:
        return tuple(
            _key_ending(self.facts[number], seed, self.protocol).encode()
            for number, seed in self.pairs
        )

    def __len__(self) -> int:
        return sum(self.repetitions)

    def is_home(self, number: int) -> bool:
        """Say whether odbench itself registers the detector of a configuration."""
        return self._home[number]

    def keys(self, record: DatasetRecord) -> KeyArray:
        """Return the keys of all trials of a data set, of shape (len(self),)."""
        beginning = hashlib.sha256(_key_beginning(record).encode())

        def digests() -> Iterator[bytes]:
            for ending in self._endings:
                digest = beginning.copy()
                digest.update(ending)
                yield digest.digest()[:16]

        return key_array(digests())

    def trial(self, record: DatasetRecord, index: int) -> Trial:
        """Return the trial of one variant on a data set."""
        number, seed = self.pairs[index]
        facts = self.facts[number]
        name = _name(facts, seed)
        random_state = int(_digest(f"{record.id}|{name}")[:8], 16) & 0x7FFFFFFF
        key = key_of(record, facts, seed, self.protocol)
        one = self.configurations[number]
        if one.info.trained_on:
            facts = {**facts, "seen_in_training": one.info.has_seen(record.id)}
        return Trial(one.spec, seed, random_state, key, facts, self._home[number])


@dataclass(frozen=True, slots=True)
class Batch:
    """Trials of one data set that one worker runs one after another.

    Attributes
    ----------
    variants : Variants
        The variants of the run.
    record : DatasetRecord
        The data set.
    indices : int32 array of shape (n_trials,)
        Indices into the variants, in the order in which the trials run.
    seconds : float
        The estimated time of all of them; the longest batch is started first.
    """

    variants: Variants
    record: DatasetRecord
    indices: Indices
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.indices)

    def trials(self) -> Iterator[Trial]:
        """Yield the trials in order."""
        for index in self.indices.tolist():
            yield self.variants.trial(self.record, index)

    def without(self, done: Keys) -> Batch:
        """Return the batch without the trials that are done."""
        left = self.indices[~done.contains(self._keys())]
        return Batch(self.variants, self.record, left, self.seconds)

    def singles(self, keys: Keys) -> list[Batch]:
        """Return a batch for each trial that is among the keys."""
        found = self.indices[keys.contains(self._keys())]
        return [
            Batch(self.variants, self.record, found[i : i + 1], self.seconds)
            for i in range(len(found))
        ]

    def _keys(self) -> KeyArray:
        return self.variants.keys(self.record)[self.indices]


def key_of(
    record: DatasetRecord, facts: Mapping[str, Any], seed: int, protocol: Protocol
) -> str:
    """Return 32 hex digits over everything that a trial's result depends on."""
    return _digest(_key_beginning(record) + _key_ending(facts, seed, protocol))


def _facts(configuration: Configuration, protocol: Protocol) -> dict[str, Any]:
    info = configuration.info
    as_batch = info.scores_batch and protocol.name == TRANSDUCTIVE
    return {
        "detector": info.name,
        "detector_version": configuration.version,
        "config": configuration.label,
        "config_id": configuration.id,
        "detector_reference": info.reference,
        "deterministic": info.deterministic,
        "inductive": info.inductive and not as_batch,
        "seen_in_training": False,
    }


def _key_beginning(record: DatasetRecord) -> str:
    return f"{record.partition}|{record.id}|{record.content_sha256}|"


def _key_ending(facts: Mapping[str, Any], seed: int, protocol: Protocol) -> str:
    return (
        f"{_name(facts, seed)}|{facts['detector_version']}|{protocol.label}"
        f"|{PROTOCOL_VERSION}|{ROW_LIMIT}"
    )


def _name(facts: Mapping[str, Any], seed: int) -> str:
    return f"{facts['detector']}|{facts['config_id']}|{seed}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
