"""Look up a suite or a subset by name, and a suite's manifest rows."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from pathlib import Path

from odbench.data.dataset import DatasetRecord
from odbench.data.manifest import read_manifest
from odbench.data.own import is_place, open_suite, own_rows, plugin_suite
from odbench.data.transports.generated import generator
from odbench.errors import UsageError
from odbench.suites import Suite, load_suites


def rows_of(suite: str) -> tuple[DatasetRecord, ...]:
    """Return a suite's manifest; a set without a family is its own family.

    The files of a suite of one's own may change; its rows are read each time.
    """
    described = load_suites().get(suite)
    if described is not None and described.transport == "folder":
        return _with_family(own_rows(described))
    return _shipped_rows(suite)


@functools.cache
def _shipped_rows(suite: str) -> tuple[DatasetRecord, ...]:
    return _with_family(read_manifest(suite))


def _with_family(rows: Iterable[DatasetRecord]) -> tuple[DatasetRecord, ...]:
    return tuple(
        row if row.family else dataclasses.replace(row, family=row.id) for row in rows
    )


def resolve(suite: str) -> tuple[Suite, frozenset[str] | None]:
    """Return the suite of a name, and the data set names of its subset.

    Parameters
    ----------
    suite : str
        A suite, ``SUITE-SUBSET`` such as ``synbench-mini``, the name of a plugin's
        suite, or the folder or ``suite.toml`` of a suite of one's own.

    Returns
    -------
    (Suite, frozenset of str or None)
        None for the whole suite.

    Raises
    ------
    UsageError
        If the suite or subset is unknown.
    ManifestError
        If a folder's or a plugin's description is broken.
    """
    if is_place(suite):
        return open_suite(suite), None
    suites = load_suites()
    if suite not in suites:
        # A plugin's suite is known once it has been looked for.
        plugin_suite(suite)
    if suite in suites:
        return suites[suite], None
    base, _, subset = suite.rpartition("-")
    if base in suites:
        if subset in suites[base].subsets:
            return suites[base], frozenset(suites[base].subsets[subset])
        if suites[base].transport == "generated":
            return suites[base], frozenset(generator(base).names(subset))
    known = [*suites, *(f"{s.name}-{x}" for s in suites.values() for x in s.subsets)]
    here = f"; for the folder, write ./{suite}" if Path(suite).is_dir() else ""
    msg = f"suite {suite!r}: unknown; wanted one of {', '.join(sorted(known))}{here}"
    raise UsageError(msg)
