"""Look up a suite or a subset by name, and a suite's manifest rows."""

from __future__ import annotations

import dataclasses
import functools

from odbench.data.dataset import DatasetRecord
from odbench.data.manifest import read_manifest
from odbench.data.transports.generated import generator
from odbench.errors import UsageError
from odbench.suites import Suite, load_suites


@functools.cache
def rows_of(suite: str) -> tuple[DatasetRecord, ...]:
    """Return a suite's manifest; a set without a family is its own family."""
    return tuple(
        row if row.family else dataclasses.replace(row, family=row.id)
        for row in read_manifest(suite)
    )


def resolve(suite: str) -> tuple[Suite, frozenset[str] | None]:
    """Return the suite of a name, and the data set names of its subset.

    Parameters
    ----------
    suite : str
        A suite, or ``SUITE-SUBSET`` such as ``synbench-mini``.

    Returns
    -------
    (Suite, frozenset of str or None)
        None for the whole suite.

    Raises
    ------
    UsageError
        If the suite or subset is unknown.
    """
    suites = load_suites()
    if suite in suites:
        return suites[suite], None
    base, _, subset = suite.rpartition("-")
    if base in suites:
        if subset in suites[base].subsets:
            return suites[base], frozenset(suites[base].subsets[subset])
        if suites[base].transport == "generated":
            return suites[base], frozenset(generator(base).names(subset))
    known = [*suites, *(f"{s.name}-{x}" for s in suites.values() for x in s.subsets)]
    msg = f"suite {suite!r}: unknown; wanted one of {', '.join(sorted(known))}"
    raise UsageError(msg)
