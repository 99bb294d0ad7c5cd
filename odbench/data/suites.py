"""The suites: their descriptions, their manifests, their subsets."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from types import MappingProxyType

from odbench.data.dataset import DatasetRecord
from odbench.data.generated import generator
from odbench.data.manifest import Suite, read_manifest, read_suites
from odbench.errors import UsageError


@functools.cache
def load_suites() -> Mapping[str, Suite]:
    """Return every suite's description by name."""
    return MappingProxyType(read_suites())


@functools.cache
def rows_of(suite: str) -> tuple[DatasetRecord, ...]:
    """Return a suite's manifest, read once; who has no family is one alone."""
    return tuple(
        row if row.family else dataclasses.replace(row, family=row.id)
        for row in read_manifest(suite)
    )


def resolve(suite: str) -> tuple[Suite, frozenset[str] | None]:
    """Return the suite that a name means, and the names of its subset.

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
        If there is no such suite or subset.
    """
    suites = load_suites()
    if suite in suites:
        return suites[suite], None
    base, _, subset = suite.rpartition("-")
    if base in suites:
        if subset in suites[base].subsets:
            return suites[base], frozenset(suites[base].subsets[subset])
        if suites[base].transport == "generated":
            return suites[base], frozenset(generator().names(subset))
    known = [*suites, *(f"{s.name}-{x}" for s in suites.values() for x in s.subsets)]
    msg = f"suite {suite!r}: unknown; wanted one of {', '.join(sorted(known))}"
    raise UsageError(msg)
