"""Which data sets a suite has: its manifest compared with its source's listing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from odbench.data.dataset import DatasetRecord
from odbench.data.mirrored import mirror_behind, with_file_hash
from odbench.data.store import Store
from odbench.data.subsets import rows_of
from odbench.data.transports import listings
from odbench.data.transports.choose import Sources
from odbench.data.transports.generated import Generated
from odbench.data.transports.mirror import Mirror
from odbench.data.transports.source import Listed, Source, listed_record, with_listing
from odbench.errors import TransportError
from odbench.suites import Suite

logger = logging.getLogger("odbench")


@dataclass(frozen=True)
class SuiteListing:
    """The data sets of one partition of a suite, as its source lists them.

    Attributes
    ----------
    records : tuple of DatasetRecord
        The available data sets, by name: manifest rows that are listed, and listed
        files without a row (not measured yet).
    missing : tuple of DatasetRecord
        Manifest rows that the source does not list.
    added : tuple of DatasetRecord
        The records without a manifest row.
    """

    records: tuple[DatasetRecord, ...]
    missing: tuple[DatasetRecord, ...] = ()
    added: tuple[DatasetRecord, ...] = ()


def list_source(
    suite: Suite, source: Source, *, partition: str = "public"
) -> SuiteListing:
    """Compare a suite's manifest with its source's listing.

    Raises
    ------
    TransportError
        If the source cannot be reached.
    """
    listing = source.listing(partition)
    store = Store.default()
    if suite.transport == "hub" and not isinstance(source, Mirror):
        listings.remember(store.root, suite, partition, listing)
    found = compare(suite, listing, partition, own=is_foreign(source))
    mirror = mirror_behind(source, partition)
    if mirror is None:
        return found
    records = tuple(with_file_hash(each, mirror, store) for each in found.records)
    names = {record.name for record in found.added}
    added = tuple(record for record in records if record.name in names)
    return SuiteListing(records, found.missing, added)


def is_foreign(source: Source) -> bool:
    """Check whether a source's files may be anybody's, as those in a mirror."""
    return isinstance(source, Mirror) and source.suite.transport != "folder"


def compare(
    suite: Suite, listing: Mapping[str, Listed], partition: str, *, own: bool = False
) -> SuiteListing:
    """Compare a suite's manifest with a listing.

    Parameters
    ----------
    suite : Suite
        The suite.
    listing : mapping
        The files by data set name.
    partition : str
        The listed partition.
    own : bool
        The files may be anybody's, as in a mirror: the licence and collection of those
        without a manifest row are unknown.
    """
    rows = {r.name: r for r in rows_of(suite.name) if r.partition == partition}
    added = tuple(
        with_listing(listed_record(suite, name, partition, own=own), listing[name])
        for name in sorted(listing.keys() - rows.keys())
    )
    here = tuple(
        with_listing(row, listing[name])
        for name, row in rows.items()
        if name in listing
    )
    missing = tuple(row for name, row in rows.items() if name not in listing)
    records = tuple(sorted(here + added, key=attrgetter("name")))
    return SuiteListing(records, missing, added)


def list_manifest(suite: Suite, partition: str) -> SuiteListing:
    """Return the manifest's rows, or the generator's names, without asking a source."""
    rows = [r for r in rows_of(suite.name) if r.partition == partition]
    if not rows and suite.transport == "generated":
        return list_source(suite, Generated(suite), partition=partition)
    return SuiteListing(tuple(sorted(rows, key=attrgetter("name"))))


def list_suite(suite: Suite, partition: str, *, sources: Sources) -> SuiteListing:
    """Return the data sets that a suite's source has; see `catalog.select`."""
    if suite.transport == "generated":
        if partition == "public":
            return list_manifest(suite, partition)
        return list_source(suite, sources.of(suite), partition=partition)
    if sources.mirror is not None or suite.transport == "folder":
        return list_source(suite, sources.of(suite), partition=partition)
    if suite.transport != "hub":
        # Files under a base URL cannot be listed.
        return list_manifest(suite, partition)
    store = Store.default()
    last = listings.recall(store.root, suite, partition)
    if last is not None:
        found = compare(suite, last, partition)
        if all(store.find(record) is not None for record in found.records):
            return found
    try:
        return list_source(suite, sources.of(suite), partition=partition)
    except TransportError as error:
        if last is not None:
            logger.warning("%s; using the hub's last known listing", error)
            return found
        logger.warning("%s; using the manifest shipped with odbench", error)
        return list_manifest(suite, partition)
