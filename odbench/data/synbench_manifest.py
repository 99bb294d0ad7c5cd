"""Measure manifest rows of generated suites, and hold their oracles against scores."""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import multiprocessing
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from odbench.data.dataset import DatasetRecord
from odbench.data.measure import measure
from odbench.data.synbench_check import beaten, probes
from odbench.data.transports.generated import Generated, generator
from odbench.errors import UsageError
from odbench.suites import load_suites
from odbench.synbench.facts import manifest_parameters

T = TypeVar("T")

# Principal axes are rounded by the processor's kernels, and rows of equal value on an
# axis may then change sides of a threshold: two of 1,376 anomalies, at most, so far.
_SLACK = {"trivial_share": 0.005}


def measured(
    pattern: str, *, jobs: int, suite: str = "synbench"
) -> list[DatasetRecord]:
    """Generate sets and return their manifest rows.

    Parameters
    ----------
    pattern : str
        A glob on the names.
    jobs : int
        Number of processes.
    suite : str
        Name of a generated suite.

    Returns
    -------
    list of DatasetRecord
        In the suite's order; progress on stderr.

    Raises
    ------
    UsageError
        If no name matches.
    """
    work = functools.partial(measure_one, suite=suite)
    return _in_processes(work, _matching(suite, pattern), jobs)


def oracle_faults(
    pattern: str, *, jobs: int, suite: str, kept: Mapping[str, Mapping[str, Path]]
) -> list[str]:
    """Return a line for each score that beats a set's oracle beyond chance.

    Parameters
    ----------
    pattern : str
        A glob on the names.
    jobs : int
        Number of processes.
    suite : str
        Name of a generated suite.
    kept : mapping
        Data set -> detector -> file with its scores (``.npy``), which are held against
        the oracle besides the simple scores of `odbench.data.synbench_check.probes`.
    """
    work = functools.partial(oracle_faults_of, suite=suite, kept=kept)
    wanted = _matching(suite, pattern)
    return [line for lines in _in_processes(work, wanted, jobs) for line in lines]


def _matching(suite: str, pattern: str) -> list[str]:
    """Return the names that match, one or more: a check of none would find no fault."""
    names = fnmatch.filter(generator(suite).names(), pattern)
    if not names:
        msg = (
            f"suite {suite}: no data set that matches {pattern!r}; see `odbench "
            f"datasets list --suite {suite}`"
        )
        raise UsageError(msg)
    return names


def oracle_faults_of(
    name: str, suite: str, kept: Mapping[str, Mapping[str, Path]]
) -> list[str]:
    """Return the lines of one set; see `oracle_faults`."""
    made = generator(suite).make(name)
    scores = probes(made)
    for detector, file in kept.get(name, {}).items():
        values = np.load(file)
        # Scores of a subset of the rows cannot be matched with the oracle's.
        if values.shape == made.y_test.shape:
            scores[detector] = values
    return [f"{suite}/{name}: {line}" for line in beaten(made, scores)]


def _in_processes(work: Callable[[str], T], wanted: list[str], jobs: int) -> list[T]:
    """Call a function with each name; results in order, progress on stderr."""
    from tqdm import tqdm

    with multiprocessing.get_context("spawn").Pool(min(jobs, len(wanted) or 1)) as pool:
        done = pool.imap(work, wanted)
        # Without a terminal, tqdm shows nothing.
        bar = tqdm(done, total=len(wanted), unit="set", file=sys.stderr, disable=None)
        return list(bar)


def measure_one(name: str, suite: str = "synbench") -> DatasetRecord:
    """Generate one set and return its manifest row."""
    record = DatasetRecord(name=name, suite=suite)
    source = Generated(load_suites()[suite])
    obtained = source.obtain(record, tick=lambda _: None)
    facts = dict(obtained.raw.facts)
    return dataclasses.replace(
        measure(record, obtained),
        archetype=str(facts["archetype"]),
        source="SynBench",
        licence="CC0-1.0",
        parameters=manifest_parameters(facts),
    )


def check(made: list[DatasetRecord], pinned: list[DatasetRecord]) -> list[str]:
    """Compare generated sets with the manifest.

    Everything is equal on every processor, except for `trivial_share`, which may differ
    by half a point.

    Returns
    -------
    list of str
        One line per data set that differs, with the names of the fields.
    """
    by_name = {record.name: record for record in pinned}
    faults = []
    for record in made:
        known = by_name.get(record.name)
        if known is None:
            faults.append(f"{record.id}: not in the manifest")
            continue
        differing = [
            field.name
            for field in dataclasses.fields(record)
            if _differ(
                field.name, getattr(record, field.name), getattr(known, field.name)
            )
        ]
        if differing:
            faults.append(f"{record.id}: differs in {', '.join(differing)}")
    return faults


def _differ(field: str, made: object, pinned: object) -> bool:
    if isinstance(made, float) and isinstance(pinned, float):
        return abs(made - pinned) > _SLACK.get(field, 0.0)
    return made != pinned
