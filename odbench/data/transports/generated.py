"""Suites that are generated on this machine instead of fetched."""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from odbench.data.dataset import DatasetRecord, RawDataset
from odbench.data.transports.mirror import Mirror
from odbench.data.transports.source import Listed, Obtained, Tick
from odbench.errors import ManifestError
from odbench.suites import Suite


class Generator(Protocol):
    """The names of a generated suite, and the making of a data set."""

    def names(self, subset: str | None = None) -> tuple[str, ...]:
        """Return the names of the suite, or of a subset."""
        ...

    def make(self, name: str) -> Any:
        """Return a data set, an `odbench.synbench.suite.Generated`."""
        ...


def generator(suite: str) -> Generator:
    """Return the generator of a suite, imported when it is first needed.

    Raises
    ------
    ManifestError
        If a suite is described as generated and odbench has no generator of it.
    """
    if suite == "synbench":
        first: Generator = importlib.import_module("odbench.synbench.suite")
        return first
    from odbench.synbench.v2.suites import DESIGNS

    if suite in DESIGNS:
        return DESIGNS[suite]
    msg = (
        f"suite {suite!r}: described as generated, but there is no generator of that "
        f"name; there are synbench, {', '.join(DESIGNS)}"
    )
    raise ManifestError(msg)


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
        return {str(name): Listed("") for name in generator(self.suite.name).names()}

    def obtain(self, record: DatasetRecord, *, tick: Tick) -> Obtained:
        """Generate a data set, or read a privately drawn one; see `Source`."""
        if record.partition != "public" and self.private is not None:
            return self.private.obtain(record, tick=tick)
        tick(0)
        made = generator(self.suite.name).make(record.name)
        raw = RawDataset(
            train=made.X_train,
            test=made.X_test,
            labels=made.y_test,
            columns=made.columns,
            facts=made.metadata,
            severity=made.severity,
        )
        return Obtained(raw, provenance={"generator": self.suite.name})
