"""Which data sets there are: a manifest held against what its source lists."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from odbench.data.dataset import DatasetRecord
from odbench.data.store import Store
from odbench.data.subsets import rows_of
from odbench.data.transports import listings
from odbench.data.transports.choose import mirror_of, open_source
from odbench.data.transports.generated import Generated
from odbench.data.transports.mirror import Mirror
from odbench.data.transports.source import Listed, Source, listed_record, with_listing
from odbench.errors import TransportError
from odbench.suites import Suite

logger = logging.getLogger("odbench")


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
    rows = {r.name: r for r in rows_of(suite.name) if r.partition == partition}
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
    return Settled(tuple(sorted(here + added, key=attrgetter("name"))), missing, added)


def known(suite: Suite, partition: str) -> Settled:
    """Return the manifest's rows, or the generator's names, unsettled."""
    rows = [r for r in rows_of(suite.name) if r.partition == partition]
    if not rows and suite.transport == "generated":
        return settle(suite, Generated(suite), partition=partition)
    return Settled(tuple(sorted(rows, key=attrgetter("name"))))


def settled(
    suite: Suite, partition: str, *, mirror: Path | str | None = None
) -> Settled:
    """Return a suite's data sets as its own source has them; see `select`."""
    if suite.transport == "generated":
        if partition == "public":
            return known(suite, partition)
        return settle(suite, open_source(suite, mirror=mirror), partition=partition)
    if mirror_of(mirror) is not None:
        source = open_source(suite, mirror=mirror)
        return settle(suite, source, partition=partition)
    if suite.transport != "hub":
        # Plain URLs cannot be listed.
        return known(suite, partition)
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
        return known(suite, partition) if last is None else found
