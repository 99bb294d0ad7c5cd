"""One trial; and how very many are held, as a data set and places in a list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.data.protocol import PROTOCOL_VERSION, ROW_LIMIT
from odbench.sweep.keys import KeyArray, Keys, key_array

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.plugins.find import Configuration

Places: TypeAlias = NDArray[np.int32]


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


@dataclass(frozen=True)
class Choices:
    """What every data set of a run is tried with: configurations x seeds.

    Trials are thousands of times as many as these. One is a data set and a place
    here, and becomes a `Trial` only when its turn comes.

    Attributes
    ----------
    configurations : tuple of Configuration
        Each once.
    repetitions : tuple of int
        How many seeds each has.
    protocol : Protocol
        Of all of them.
    """

    configurations: tuple[Configuration, ...]
    repetitions: tuple[int, ...]
    protocol: Protocol

    @cached_property
    def facts(self) -> tuple[dict[str, Any], ...]:
        """Columns of the results that are known of each configuration."""
        return tuple(map(_facts, self.configurations))

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The configuration (by number) and the seed at each place."""
        return tuple(
            (number, seed)
            for number, count in enumerate(self.repetitions)
            for seed in range(count)
        )

    @cached_property
    def _endings(self) -> tuple[bytes, ...]:
        return tuple(
            _key_ending(self.facts[number], seed, self.protocol).encode()
            for number, seed in self.pairs
        )

    def __len__(self) -> int:
        return sum(self.repetitions)

    def keys(self, record: DatasetRecord) -> KeyArray:
        """Return the keys of all trials of a data set, of shape (len(self),)."""
        beginning = hashlib.sha256(_key_beginning(record).encode())

        def digests() -> Iterator[bytes]:
            for ending in self._endings:
                digest = beginning.copy()
                digest.update(ending)
                yield digest.digest()[:16]

        return key_array(digests())

    def trial(self, record: DatasetRecord, place: int) -> Trial:
        """Return the trial of a data set at a place."""
        number, seed = self.pairs[place]
        facts = self.facts[number]
        name = _name(facts, seed)
        random_state = int(_digest(f"{record.id}|{name}")[:8], 16) & 0x7FFFFFFF
        key = key_of(record, facts, seed, self.protocol)
        return Trial(self.configurations[number].spec, seed, random_state, key, facts)


@dataclass(frozen=True, slots=True)
class Batch:
    """Trials of one data set, as places in the run's choices.

    Attributes
    ----------
    choices : Choices
        The run's.
    record : DatasetRecord
        The data set.
    places : int32 array of shape (n_trials,)
        In the order in which they run.
    seconds : float
        The estimate, for the order of batches.
    """

    choices: Choices
    record: DatasetRecord
    places: Places
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.places)

    def task(self) -> Task:
        """Return what a worker is given."""
        trials = tuple(self.trials())
        return Task(self.record, self.choices.protocol, trials, self.seconds)

    def trials(self) -> Iterator[Trial]:
        """Yield the trials in order."""
        for place in self.places.tolist():
            yield self.choices.trial(self.record, place)

    def without(self, done: Keys) -> Batch:
        """Return it without what is done."""
        keys = self.choices.keys(self.record)[self.places]
        left = self.places[~done.contains(keys)]
        return Batch(self.choices, self.record, left, self.seconds)


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


def key_of(
    record: DatasetRecord, facts: Mapping[str, Any], seed: int, protocol: Protocol
) -> str:
    """Return 32 hex digits over everything that a trial's result depends on."""
    return _digest(_key_beginning(record) + _key_ending(facts, seed, protocol))


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
