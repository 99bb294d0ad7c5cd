"""Suites that are generated on this machine instead of fetched."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from odbench.data.dataset import DatasetRecord, RawDataset
from odbench.data.transports.mirror import Mirror
from odbench.data.transports.source import Listed, Obtained, Tick
from odbench.suites import Suite


def generator() -> Any:
    """Return the generator's module, with ``names(subset)`` and ``generate(name)``."""
    return importlib.import_module("odbench.synbench.suite")


class Generated:
    """A suite whose data sets follow from their names.

    Parameters
    ----------
    suite : Suite
        The generated suite.
    private : Mirror or None
        The folder with a partition's features that were drawn from a secret seed.
    """

    def __init__(self, suite: Suite, *, private: Mirror | None = None) -> None:
        self.suite = suite
        self.private = private

    @property
    def label(self) -> str:
        """The generator's name, for messages."""
        return f"the generator of {self.suite.name}"

    def listing(self, partition: str) -> dict[str, Listed]:
        """Return every name that can be generated; see `Source`."""
        if partition != "public":
            return self.private.listing(partition) if self.private else {}
        return {str(name): Listed("") for name in generator().names()}

    def obtain(self, record: DatasetRecord, *, tick: Tick) -> Obtained:
        """Generate a data set, or read a privately drawn one; see `Source`."""
        if record.partition != "public" and self.private is not None:
            return self.private.obtain(record, tick=tick)
        tick(0)
        train, test, labels, columns, facts = generator().generate(record.name)
        raw = RawDataset(
            train=np.asarray(train, dtype=np.float64),
            test=np.asarray(test, dtype=np.float64),
            labels=np.asarray(labels, dtype=np.int8),
            columns=tuple(str(column) for column in columns),
            facts=dict(facts),
        )
        return Obtained(raw, provenance={"generator": self.suite.name})
