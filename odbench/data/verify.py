"""Compare the data sets on disk with the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from odbench.data.catalog import (
    Sources,
    matches,
    mirror_of,
    open_source,
    resolve,
    select,
)
from odbench.data.content import check_content, content_sha256
from odbench.data.dataset import DatasetRecord
from odbench.data.intact import altered_file
from odbench.data.own import content_step
from odbench.data.store import Store
from odbench.data.subsets import rows_of
from odbench.data.transports.source import Source
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
        "ok", "fault", "absent", or "unpinned" if the manifest has no hash to compare
        with.
    reason : str
        One line that describes a fault; otherwise empty.
    """

    id: str
    place: str
    status: str
    reason: str = ""


def verify_store(
    records: Iterable[DatasetRecord], store: Store, *, jobs: int = 2
) -> Iterator[Checked]:
    """Compare every stored byte of features and labels with the manifest.

    A set without a hash in the manifest is compared with the hash it was stored with.

    Yields
    ------
    Checked
        In the order of the records; "absent" if the set was never pulled.
    """

    def check(record: DatasetRecord) -> Checked:
        try:
            if not store.place("features", record).is_file():
                return Checked(record.id, "store", ABSENT)
            stored = store.read(record)
            stored.check()
            # The content is not all there is: names and facts are in the files, too.
            altered = altered_file(store, stored)
        except OdbenchError as error:
            return Checked(record.id, "store", FAULT, str(error))
        if altered is not None:
            reason = (
                f"data set {record.id}: the stored file {str(altered)!r} is not as it "
                f"was written; run `odbench datasets pull` again"
            )
            return Checked(record.id, "store", FAULT, reason)
        there = stored.record.content_sha256
        if record.content_sha256 not in ("", there):
            reason = (
                f"data set {record.id}: another version of it is stored, sha256 "
                f"{there[:16]}…, wanted {record.content_sha256[:16]}…; the next run or "
                f"`odbench datasets pull` replaces it"
            )
            return Checked(record.id, "store", FAULT, reason)
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
        In the order of the records, which must be in the source's listing.
    """

    def check(record: DatasetRecord) -> Checked:
        try:
            raw = source.obtain(record, tick=lambda _: None).raw
            check_content(
                content_sha256(raw.train, raw.test, raw.labels, raw.severity),
                record,
                place=record.path or source.label,
                step=content_step(record.suite),
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
    """Check a suite in the store, and in the mirror if there is one.

    Returns
    -------
    list of Checked
        First the store's, without the sets that were never pulled; then the mirror's.
    """
    described, subset = resolve(suite, Sources(mirror))
    store = Store.default()
    records = _of_store(described.name, partition, pattern, store)
    if subset is not None:
        records = [record for record in records if record.name in subset]
    found = verify_store(records, store, jobs=jobs)
    checks = [check for check in found if check.status != ABSENT]
    in_files = mirror_of(mirror) is not None or described.transport == "folder"
    # Of a generated suite, only a partition that was drawn in private has files.
    if in_files and (described.transport != "generated" or partition != "public"):
        source = open_source(described, mirror=mirror)
        listed = select(suite, partition=partition, pattern=pattern, source=source)
        checks += verify_source(listed, source, jobs=jobs)
    elif not records:
        # This raises the error for a wrong suite, partition or pattern.
        select(suite, partition=partition, pattern=pattern, offline=True)
    return checks


def _of_store(
    suite: str, partition: str, pattern: str | None, store: Store
) -> list[DatasetRecord]:
    """Return a suite's manifest rows, and records of stored sets without a row."""
    rows = {row.name: row for row in rows_of(suite) if row.partition == partition}
    for name in store.names(suite, partition):
        unlisted = DatasetRecord(name=name, suite=suite, partition=partition)
        rows.setdefault(name, unlisted)
    return [r for r in rows.values() if pattern is None or matches(r.name, pattern)]
