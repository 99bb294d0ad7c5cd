"""Hold what is on disk against the manifest."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from odbench.data.catalog import mirror_of, open_source, resolve, select
from odbench.data.content import check_content, content_sha256
from odbench.data.dataset import DatasetRecord
from odbench.data.source import Source
from odbench.data.store import Store
from odbench.errors import OdbenchError

OK, FAULT, ABSENT, UNPINNED = "ok", "fault", "absent", "unpinned"


@dataclass(frozen=True)
class Checked:
    """The outcome for one data set in one place.

    Attributes
    ----------
    id : str
        ``suite/name``.
    place : str
        "store", or the source's label.
    status : str
        "ok", "fault", "absent", or "unpinned" where the manifest has no hash to
        compare with.
    reason : str
        One line, for a fault.
    """

    id: str
    place: str
    status: str
    reason: str = ""


def verify_store(
    records: Iterable[DatasetRecord], store: Store, *, jobs: int = 2
) -> Iterator[Checked]:
    """Compare every stored byte of features and labels with the manifest.

    Yields
    ------
    Checked
        In the order of the records; "absent" where the set was never pulled.
    """

    def check(record: DatasetRecord) -> Checked:
        if not store.place("features", record).is_file():
            return Checked(record.id, "store", ABSENT)
        try:
            dataclasses.replace(store.read(record), record=record).check()
        except OdbenchError as error:
            return Checked(record.id, "store", FAULT, str(error))
        return Checked(record.id, "store", OK if record.content_sha256 else UNPINNED)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        yield from pool.map(check, records)


def verify_source(
    records: Iterable[DatasetRecord], source: Source, *, jobs: int = 2
) -> Iterator[Checked]:
    """Read every file of a source and compare its content with the manifest.

    Yields
    ------
    Checked
        In the order of the records, which the source lists.
    """

    def check(record: DatasetRecord) -> Checked:
        try:
            raw = source.obtain(record, tick=lambda _: None).raw
            check_content(
                content_sha256(raw.train, raw.test, raw.labels),
                record,
                place=record.path or source.label,
                step="fetch the file again",
            )
        except OdbenchError as error:
            return Checked(record.id, source.label, FAULT, str(error))
        status = OK if record.content_sha256 else UNPINNED
        return Checked(record.id, source.label, status)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        yield from pool.map(check, records)


def verify_all(
    suite: str,
    *,
    partition: str = "public",
    pattern: str | None = None,
    mirror: Path | str | None = None,
    jobs: int = 2,
) -> list[Checked]:
    """Check a suite in the store, and in the mirror where one is named.

    Returns
    -------
    list of Checked
        First the store's, without what was never pulled; then the mirror's.
    """
    records = select(suite, partition=partition, pattern=pattern, offline=True)
    found = verify_store(records, Store.default(), jobs=jobs)
    checks = [check for check in found if check.status != ABSENT]
    described, _ = resolve(suite)
    if described.transport != "generated" and mirror_of(mirror) is not None:
        source = open_source(described, mirror=mirror)
        listed = select(suite, partition=partition, pattern=pattern, source=source)
        checks += verify_source(listed, source, jobs=jobs)
    return checks
