"""From a suite's name to data sets: what there is, which are wanted, where they are."""

from __future__ import annotations

import difflib
import fnmatch
import functools
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from odbench.data import listings
from odbench.data.dataset import PARTITIONS, Dataset, DatasetRecord
from odbench.data.generated import Generated, generator
from odbench.data.hub import Hub, hub_cache
from odbench.data.manifest import Suite, read_manifest, read_suites
from odbench.data.mirror import Mirror
from odbench.data.pull import ensure
from odbench.data.source import Listed, Source, listed_record, with_listing
from odbench.data.store import Store
from odbench.errors import OdbenchError, TransportError, UnknownDatasetError, UsageError

logger = logging.getLogger("odbench")

__all__ = [
    "Settled",
    "ensure",
    "find",
    "label_places",
    "load_dataset",
    "load_suites",
    "open_source",
    "resolve",
    "select",
    "settle",
]


@functools.cache
def load_suites() -> Mapping[str, Suite]:
    """Return every suite's description by name."""
    return MappingProxyType(read_suites())


@functools.cache
def _manifest(suite: str) -> tuple[DatasetRecord, ...]:
    """Return a suite's manifest, read once."""
    return tuple(read_manifest(suite))


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


def mirror_of(mirror: Path | str | None) -> Path | None:
    """Return the mirror that was named, or that ``ODBENCH_MIRROR`` names."""
    named = mirror or os.environ.get("ODBENCH_MIRROR")
    return Path(named) if named else None


def open_source(suite: Suite, *, mirror: Path | str | None = None) -> Source:
    """Open a suite's transport.

    Parameters
    ----------
    suite : Suite
        Whose files.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default. A generated suite needs
        none.

    Returns
    -------
    Source
        The mirror where one is named, else the hub, the files' URLs or the
        generator. Nothing is fetched yet.

    Raises
    ------
    TransportError
        If the mirror has no such suite.
    """
    if suite.transport == "generated":
        return Generated(suite)
    folder = mirror_of(mirror)
    if folder is not None:
        others = [s.repository for s in load_suites().values() if s.repository]
        return Mirror(folder, suite, others)
    scratch = Store.default().root / "downloads"
    if suite.transport == "url":
        from odbench.data.urls import Urls

        return Urls(suite, scratch)
    return Hub(suite, scratch)


def label_places(mirror: Path | str | None = None) -> list[Path]:
    """Return every folder of this machine that may hold labels of a data set.

    Parameters
    ----------
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default.

    Returns
    -------
    list of Path
        The store's labels, downloads under way, the mirror, the hub client's own
        cache. Some may not exist.
    """
    root = Store.default().root
    folder = mirror_of(mirror)
    places = [root / "labels", root / "downloads", hub_cache()]
    return places if folder is None else [*places, folder]


@dataclass(frozen=True)
class Settled:
    """A manifest held against what a source lists.

    Attributes
    ----------
    records : tuple of DatasetRecord
        What can be had: manifest rows that are listed, and listed files without a row
        (not measured yet).
    missing : tuple of DatasetRecord
        Manifest rows that the source does not list.
    added : tuple of DatasetRecord
        The records without a manifest row.
    """

    records: tuple[DatasetRecord, ...]
    missing: tuple[DatasetRecord, ...] = ()
    added: tuple[DatasetRecord, ...] = ()


def settle(suite: Suite, source: Source, *, partition: str = "public") -> Settled:
    """Hold a suite's manifest against a source's listing.

    Raises
    ------
    TransportError
        If the source cannot be reached.
    """
    listing = source.listing(partition)
    if suite.transport == "hub" and not isinstance(source, Mirror):
        listings.remember(Store.default().root, suite, partition, listing)
    return hold(suite, listing, partition)


def hold(suite: Suite, listing: Mapping[str, Listed], partition: str) -> Settled:
    """Hold a suite's manifest against a listing."""
    rows = {r.name: r for r in _manifest(suite.name) if r.partition == partition}
    added = tuple(
        with_listing(listed_record(suite, name, partition), listing[name])
        for name in sorted(listing.keys() - rows.keys())
    )
    here = tuple(
        with_listing(row, listing[name])
        for name, row in rows.items()
        if name in listing
    )
    missing = tuple(row for name, row in rows.items() if name not in listing)
    return Settled(tuple(sorted(here + added, key=_name)), missing, added)


def _known(suite: Suite, partition: str) -> Settled:
    """Return the manifest's rows, or the generator's names, unsettled."""
    rows = [r for r in _manifest(suite.name) if r.partition == partition]
    if not rows and suite.transport == "generated":
        return settle(suite, Generated(suite), partition=partition)
    return Settled(tuple(sorted(rows, key=_name)))


def settled(
    suite: Suite, partition: str, *, mirror: Path | str | None = None
) -> Settled:
    """Return a suite's data sets as its own source has them; see `select`."""
    if suite.transport != "hub" or mirror_of(mirror) is not None:
        if suite.transport == "hub" or mirror_of(mirror) is not None:
            source = open_source(suite, mirror=mirror)
            return settle(suite, source, partition=partition)
        return _known(suite, partition)
    store = Store.default()
    last = listings.recall(store.root, suite, partition)
    if last is not None:
        found = hold(suite, last, partition)
        if all(store.find(record) is not None for record in found.records):
            return found
    try:
        return settle(suite, open_source(suite), partition=partition)
    except TransportError as error:
        logger.warning("%s; going by what is known", error)
        return _known(suite, partition) if last is None else found


def _name(record: DatasetRecord) -> str:
    """Return what records are ordered by."""
    return record.name


def select(
    suite: str,
    *,
    partition: str = "public",
    pattern: str | None = None,
    limit: int | None = None,
    source: Source | None = None,
    mirror: Path | str | None = None,
    offline: bool = False,
) -> list[DatasetRecord]:
    """Return the data sets that are wanted.

    The list is settled against what the source has (see `settle`): the mirror where
    one is named, else the hub. The hub is not asked when every set of its last known
    listing is in the store; when it cannot be reached, the last known listing counts,
    or else the manifest alone.

    Parameters
    ----------
    suite : str
        A suite or one of its subsets.
    partition : {"public", "private"}
        Which part.
    pattern : str, optional
        A glob on the name, letter case ignored; several with commas.
    limit : int, optional
        At most so many, the first by name.
    source : Source, optional
        Asked instead of the one that `open_source` would open.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default.
    offline : bool
        Ask nobody: the manifest alone decides.

    Returns
    -------
    list of DatasetRecord
        By name.

    Raises
    ------
    UsageError
        If the suite, partition or limit is impossible.
    UnknownDatasetError
        If nothing matches.
    """
    described, subset = resolve(suite)
    if partition not in PARTITIONS:
        msg = f"partition {partition!r}: unknown; wanted one of {', '.join(PARTITIONS)}"
        raise UsageError(msg)
    if limit is not None and limit < 1:
        msg = f"limit: got {limit}; wanted at least 1"
        raise UsageError(msg)
    if offline:
        records = list(_known(described, partition).records)
    elif source is not None:
        records = list(settle(described, source, partition=partition).records)
    else:
        records = list(settled(described, partition, mirror=mirror).records)
    if subset is not None:
        records = [r for r in records if r.name in subset]
    chosen = [r for r in records if pattern is None or matches(r.name, pattern)]
    if not chosen:
        what = f" that matches {pattern!r}" if pattern else ""
        msg = (
            f"suite {suite}: no {partition} data set{what}; see `odbench datasets list "
            f"--suite {described.name}`"
        )
        raise UnknownDatasetError(msg)
    return chosen[:limit]


def matches(name: str, pattern: str) -> bool:
    """Whether a name matches one of the globs in a comma-separated list."""
    globs = [glob.strip().lower() for glob in pattern.split(",")]
    return any(fnmatch.fnmatchcase(name.lower(), glob) for glob in globs)


def find(dataset_id: str, *, partition: str | None = None) -> DatasetRecord:
    """Return the manifest row of ``suite/name``.

    Parameters
    ----------
    dataset_id : str
        ``oddbench/ALLPatientData``.
    partition : str, optional
        Only there; anywhere by default.

    Raises
    ------
    UnknownDatasetError
        If the manifest has no such row; the message names similar ones.
    """
    suite, _, name = dataset_id.partition("/")
    if not name:
        msg = (
            f"data set {dataset_id!r}: wanted SUITE/NAME, such as "
            f"oddbench/ALLPatientData"
        )
        raise UnknownDatasetError(msg)
    rows = _manifest(resolve(suite)[0].name)
    for row in rows:
        if row.name == name and partition in (None, row.partition):
            return row
    raise unknown(dataset_id, (r.id for r in rows))


def unknown(dataset_id: str, known: Iterable[str]) -> OdbenchError:
    """Return the error for a name that nothing has, with similar ones."""
    near = difflib.get_close_matches(dataset_id, list(known), n=3, cutoff=0.6)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    suite = dataset_id.partition("/")[0]
    msg = (
        f"data set {dataset_id!r}: unknown{hint}; see `odbench datasets list --suite "
        f"{suite}`"
    )
    return UnknownDatasetError(msg)


def load_dataset(
    id: str,  # noqa: A002
    *,
    mirror: Path | str | None = None,
    partition: str = "public",
) -> Dataset:
    """Return a data set, fetching it first when it is not in the store.

    Parameters
    ----------
    id : str
        ``suite/name``.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default, else the hub.
    partition : {"public", "private"}
        Which part.

    Returns
    -------
    Dataset
        Memory-mapped, unscaled.

    Raises
    ------
    UnknownDatasetError
        If neither the manifest nor the source has it.
    TransportError, DataError
        If it cannot be fetched or read.
    """
    try:
        record = find(id, partition=partition)
    except UnknownDatasetError:
        record = _listed(id, mirror, partition)
    for _, stored in ensure([record], mirror=mirror, progress=False, jobs=1):
        if isinstance(stored, OdbenchError):
            raise stored
        return stored.dataset()
    raise unknown(id, ())


def _listed(
    dataset_id: str, mirror: Path | str | None, partition: str
) -> DatasetRecord:
    """Return the record of a data set that only the source knows."""
    suite, _, name = dataset_id.partition("/")
    described = resolve(suite)[0]
    rows = settle(
        described, open_source(described, mirror=mirror), partition=partition
    ).records
    for row in rows:
        if row.name == name:
            return row
    raise unknown(dataset_id, (row.id for row in rows))
