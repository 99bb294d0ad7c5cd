"""Look up a suite or a subset by name, and a suite's manifest rows."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Iterable
from pathlib import Path

from odbench.data.brought import plugin_suite
from odbench.data.dataset import DatasetRecord
from odbench.data.manifest import read_manifest
from odbench.data.own import has_description, is_place, open_suite, own_rows
from odbench.data.store import Store
from odbench.data.transports import listings
from odbench.data.transports.choose import Sources
from odbench.data.transports.generated import generator
from odbench.errors import TransportError, UsageError
from odbench.suites import Suite, load_suites

logger = logging.getLogger("odbench")

# A subset, and the folder of it in the hub's repositories.
REPRESENTATIVE = "representative"


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


def subsets_of(suite: Suite) -> list[str]:
    """Return the names of a suite's subsets, as on the command line."""
    more = [REPRESENTATIVE] if suite.transport == "hub" else []
    return [f"{suite.name}-{name}" for name in (*suite.subsets, *more)]


def suite_of(suite: str) -> Suite:
    """Return the suite of a name, which may be that of a subset; see `resolve`."""
    return _found(suite)[0]


def resolve(
    suite: str, sources: Sources | None = None
) -> tuple[Suite, frozenset[str] | None]:
    """Return the suite of a name, and the data set names of its subset.

    Parameters
    ----------
    suite : str
        A suite, ``SUITE-SUBSET`` such as ``synbench-mini``, the name of a plugin's
        suite, or the folder or ``suite.toml`` of a suite of one's own. A folder whose
        name is also that of a known suite needs ``./`` in front.
    sources : Sources, optional
        Asked for the members of a subset that is a folder of the hub's repository;
        without it, the last known listing is used.

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
    described, subset = _found(suite)
    if subset != REPRESENTATIVE or described.transport != "hub":
        return described, _members(described, subset)
    return described, _representative(described, sources)


def _members(suite: Suite, subset: str | None) -> frozenset[str] | None:
    if subset is None:
        return None
    if subset in suite.subsets:
        return frozenset(suite.subsets[subset])
    return frozenset(generator(suite.name).names(subset))


def _representative(suite: Suite, sources: Sources | None) -> frozenset[str]:
    """Return the names in a repository's folder of sets for quick looks."""
    root = Store.default().root
    known = listings.recall(root, suite, REPRESENTATIVE)
    place = "the last listing that is known here"
    if sources is not None:
        source = sources.of(suite)
        place = source.label
        try:
            listed = source.listing(REPRESENTATIVE)
        except TransportError:
            if known is None:
                raise
        else:
            known = listed
            if listed and sources.mirror is None:
                listings.remember(root, suite, REPRESENTATIVE, listed)
    if not known:
        msg = (
            f"suite {suite.name}-{REPRESENTATIVE}: {place} has no folder "
            f"{REPRESENTATIVE!r}; copy it from the hub's {suite.repository}, or run "
            f"`odbench datasets pull --suite {suite.name}-{REPRESENTATIVE}` online"
        )
        raise TransportError(msg)
    return frozenset(known)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def _mention_folder(name: str, suite: Suite) -> None:
    """Say that a name is not the folder of that name in the working folder."""
    folder = Path(name).absolute()
    if suite.root != str(folder.resolve()) and has_description(name):
        _warn_once(name, str(folder))


@functools.cache
def _warn_once(name: str, folder: str) -> None:  # noqa: ARG001 - part of the key
    logger.warning(
        "suite %r: taken as the name of a known suite; for the folder, write ./%s",
        name, name,
    )  # fmt: skip


def _found(suite: str) -> tuple[Suite, str | None]:
    """Return the suite of a name, and the name of its subset."""
    if is_place(suite):
        return open_suite(suite), None
    suites = load_suites()
    if suite not in suites:
        # A plugin's suite is known once it has been looked for.
        plugin_suite(suite)
    if suite in suites:
        _mention_folder(suite, suites[suite])
        return suites[suite], None
    base, _, subset = suite.rpartition("-")
    if base in suites:
        if subset in suites[base].subsets:
            return suites[base], subset
        if suites[base].transport == "generated":
            # Raises the error for an unknown subset.
            generator(base).names(subset)
            return suites[base], subset
        if suites[base].transport == "hub" and subset == REPRESENTATIVE:
            return suites[base], subset
    if has_description(suite):
        return open_suite(suite), None
    known = [*suites, *(name for s in suites.values() for name in subsets_of(s))]
    here = "; the folder of that name has no suite.toml" if _is_folder(suite) else ""
    msg = f"suite {suite!r}: unknown; wanted one of {', '.join(sorted(known))}{here}"
    raise UsageError(msg)
