"""Measure manifest rows of the public synthetic suite on its generated sets."""

from __future__ import annotations

import dataclasses
import fnmatch
import multiprocessing
import sys

from odbench.data.dataset import DatasetRecord, RawDataset
from odbench.data.measure import measure
from odbench.data.transports.source import Obtained
from odbench.synbench import suite
from odbench.synbench.facts import manifest_parameters


def measured(pattern: str, *, jobs: int) -> list[DatasetRecord]:
    """Generate sets and return their manifest rows.

    Parameters
    ----------
    pattern : str
        A glob on the names.
    jobs : int
        Number of processes.

    Returns
    -------
    list of DatasetRecord
        In the suite's order; progress on stderr.
    """
    from tqdm import tqdm

    wanted = fnmatch.filter(suite.names(), pattern)
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(wanted) or 1)) as pool:
        rows = pool.imap(measure_one, wanted)
        return list(tqdm(rows, total=len(wanted), unit="set", file=sys.stderr))


def measure_one(name: str) -> DatasetRecord:
    """Generate one set and return its manifest row."""
    train, test, labels, columns, metadata = suite.generate(name)
    raw = RawDataset(
        train=train, test=test, labels=labels, columns=columns, facts=metadata
    )
    row = measure(DatasetRecord(name=name, suite="synbench"), Obtained(raw))
    return dataclasses.replace(
        row,
        archetype=str(metadata["archetype"]),
        source="SynBench",
        licence="CC0-1.0",
        parameters=manifest_parameters(metadata),
    )


def check(made: list[DatasetRecord], pinned: list[DatasetRecord]) -> list[str]:
    """Compare generated sets with the manifest.

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
            if getattr(record, field.name) != getattr(known, field.name)
        ]
        if differing:
            faults.append(f"{record.id}: differs in {', '.join(differing)}")
    return faults
