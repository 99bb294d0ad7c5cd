"""Measure a suite's files and write its manifest (for maintainers)."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from odbench.data.bar import Bar
from odbench.data.dataset import BEYOND_DUPLICATES, DatasetRecord, check_name
from odbench.data.family import with_families
from odbench.data.leaks import leaking_columns
from odbench.data.manifest import read_manifest, write_manifest
from odbench.data.measure import measure
from odbench.data.own import MANIFEST, being_written, manifest_of
from odbench.data.subsets import suite_of
from odbench.data.transports.choose import fresh_source
from odbench.data.transports.source import Source, listed_record, with_listing
from odbench.errors import DataError, ManifestError, TransportError, UsageError
from odbench.suites import PARTITIONS, Suite, manifest_folder
from odbench.text import counted

AUDITED = (
    "id", "partition", "status", "n_train", "n_test", "n_columns", "n_anomalies",
    "duplicate_train", "test_in_train", "anomalies_in_train", "label_conflict",
    *BEYOND_DUPLICATES, "leaks", "content_sha256", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Rebuilt:
    """A manifest measured again.

    Attributes
    ----------
    records : tuple of DatasetRecord
        The new manifest: the measured rows, and the old rows that were not measured.
    measured : tuple of DatasetRecord
        Rows whose file was measured.
    new : tuple of DatasetRecord
        Measured rows that are not in the old manifest.
    changed : tuple of pairs of DatasetRecord
        Old and new row, if they differ.
    kept : tuple of DatasetRecord
        Old rows whose file the source does not have.
    failed : tuple of (str, str)
        Id and reason of each file that could not be measured; its old row is kept.
    leaks : mapping of str to tuple of str
        For each measured id, the columns that give its labels away. They are facts to
        look at, and no field of the manifest.
    """

    records: tuple[DatasetRecord, ...]
    measured: tuple[DatasetRecord, ...] = ()
    new: tuple[DatasetRecord, ...] = ()
    changed: tuple[tuple[DatasetRecord, DatasetRecord], ...] = ()
    kept: tuple[DatasetRecord, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    leaks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the `AUDITED` columns of every file, including those that failed."""
        new = {(r.partition, r.name) for r in self.new}
        changed = {(r.partition, r.name) for _, r in self.changed}
        for record in self.measured:
            key = record.partition, record.name
            status = "changed" if key in changed else "new" if key in new else "same"
            values = {"id": record.id, "status": status, **dataclasses.asdict(record)}
            values["leaks"] = list(self.leaks.get(record.id, ()))
            yield {name: values.get(name) for name in AUDITED}
        for name, reason in self.failed:
            yield {"id": name, "status": "failed", "reason": reason}

    def report(self) -> Iterator[str]:
        """Yield one line per row that a maintainer must check, and a summary."""
        for record in self.new:
            yield f"new      {record.id} ({record.partition})"
        for old, now in self.changed:
            fields = [
                f"{f.name} {getattr(old, f.name)!r} -> {getattr(now, f.name)!r}"
                for f in dataclasses.fields(now)
                if getattr(old, f.name) != getattr(now, f.name)
            ]
            yield f"changed  {now.id}: {'; '.join(fields)}"
        for name, reason in self.failed:
            yield f"failed   {name}: {reason}"
        if self.kept:
            names = ", ".join(record.name for record in self.kept[:5])
            more = ", ..." if len(self.kept) > 5 else ""
            yield f"kept     {len(self.kept)} rows without a file: {names}{more}"
        if leaking := sum(map(bool, self.leaks.values())):
            have = "has" if leaking == 1 else "have"
            yield (
                f"leaks    {counted(leaking, 'data set')} {have} columns that give the "
                f"labels away; --format json names them"
            )
        yield (
            f"{len(self.records)} rows: {len(self.new)} new, {len(self.changed)} "
            f"changed, {len(self.kept)} kept without a file, {len(self.failed)} failed"
        )


def audit_suite(
    suite: str,
    origin: str,
    *,
    folder: Path | None = None,
    write: bool = False,
    jobs: int = 2,
    partition: str | None = None,
) -> tuple[Rebuilt, Path]:
    """Measure a suite from the hub or a mirror, and write its manifest.

    Parameters
    ----------
    suite : str
        Its name.
    origin : str
        "hub", or a mirror's folder; ignored for a generated suite.
    folder : Path, optional
        The folder of the manifests; the installed one by default.
    write : bool
        Whether to write the manifest.
    jobs : int
        Number of data sets measured at a time.
    partition : {"public", "private"}, optional
        The only partition to measure; both by default.

    Returns
    -------
    (Rebuilt, Path)
        The measurements, and the manifest's file.

    Raises
    ------
    UsageError
        If the suite is unknown, or `write` is true for a generated suite.
    TransportError
        If the hub or the mirror cannot be read.
    RunLockedError
        If another call is writing the same suite of one's own.
    """
    described = suite_of(suite)
    if write and described.transport == "generated":
        msg = (
            f"audit: suite {described.name!r} is generated; write its manifest with "
            f"`odbench synbench manifest --suite {described.name} --write FILE`"
        )
        raise UsageError(msg)
    file = _manifest_file(described, folder)
    held: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if write and file.name == MANIFEST:
        held = being_written(file.parent)
    with held:
        found = _measured(described, origin, file, jobs, partition)
        if write:
            write_manifest(found.records, file)
    return found, file


def _measured(
    suite: Suite, origin: str, file: Path, jobs: int, partition: str | None
) -> Rebuilt:
    """Measure a suite and show progress; `file` is its present manifest."""
    source = fresh_source(suite, None if origin == "hub" else origin)
    made = suite.transport == "generated"
    old = [
        dataclasses.replace(row, family=row.family or row.id) if made else row
        for row in _present_rows(suite, file)
    ]
    partitions = PARTITIONS if partition is None else (partition,)
    total = sum(len(source.listing(part)) for part in partitions)
    bar = Bar(total, visible=True, action="audit")
    try:
        return rebuild(
            suite,
            source,
            old,
            jobs=jobs,
            step=lambda _: bar.step(failed=False),
            partitions=partitions,
        )
    finally:
        bar.close()


def _manifest_file(suite: Suite, folder: Path | None) -> Path:
    if folder is None and suite.transport == "folder":
        return Path(suite.root) / MANIFEST
    return (folder or Path(str(manifest_folder()))) / f"{suite.name}.csv"


def _present_rows(suite: Suite, file: Path) -> list[DatasetRecord]:
    if file.name == MANIFEST:
        return manifest_of(suite)
    return read_manifest(suite.name, file.parent)


def rebuild(
    suite: Suite,
    source: Source,
    old: list[DatasetRecord],
    *,
    jobs: int = 2,
    step: Callable[[str], None] = lambda _: None,
    partitions: Sequence[str] = PARTITIONS,
) -> Rebuilt:
    """Measure every file of a source.

    Parameters
    ----------
    suite : Suite
        The suite of the files.
    source : Source
        The source of the files.
    old : list of DatasetRecord
        The present manifest; the fields that a maintainer enters by hand (licence,
        archetype, parameters) are copied from it.
    jobs : int
        Number of data sets measured at a time.
    step : callable
        Called with the id of each data set when it is done.
    partitions : sequence of str
        The partitions to measure; the rows of others are kept unchanged.

    Returns
    -------
    Rebuilt
        It has every row of `old`.
    """
    before = {(r.partition, r.name): r for r in old}
    listed = dict(_listed(suite, source, partitions))
    measured: dict[tuple[str, str], DatasetRecord] = {}
    failed = []
    leaks: dict[str, tuple[str, ...]] = {}

    def task(record: DatasetRecord) -> DatasetRecord | tuple[str, str]:
        try:
            check_name(record.name, where=f"suite {record.suite}")
            obtained = source.obtain(record, tick=lambda _: None)
            leaks[record.id] = leaking_columns(obtained.raw)
            return measure(record, obtained)
        except (DataError, ManifestError, TransportError) as error:
            return record.id, str(error)
        finally:
            step(record.id)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        todo = [_with_old(r, before.get(key)) for key, r in listed.items()]
        for key, result in zip(listed, pool.map(task, todo), strict=True):
            if isinstance(result, DatasetRecord):
                measured[key] = result
            else:
                failed.append(result)
    records = with_families([*measured.values(), *_rest(before, measured)])
    after = {(r.partition, r.name): r for r in records}
    return Rebuilt(
        records=tuple(records),
        measured=tuple(after[key] for key in measured),
        new=tuple(after[key] for key in measured if key not in before),
        changed=tuple(
            (before[key], after[key])
            for key in after
            if key in before and before[key] != after[key]
        ),
        kept=tuple(
            row
            for key, row in before.items()
            if key not in listed and row.partition in partitions
        ),
        failed=tuple(failed),
        leaks=leaks,
    )


def _listed(
    suite: Suite, source: Source, partitions: Sequence[str]
) -> Iterator[tuple[tuple[str, str], DatasetRecord]]:
    """Yield a record without measurements for every listed file."""
    for partition in partitions:
        for name, file in sorted(source.listing(partition).items()):
            record = listed_record(suite, name, partition)
            yield (partition, name), with_listing(record, file)


def _with_old(record: DatasetRecord, old: DatasetRecord | None) -> DatasetRecord:
    """Return a record with the fields of the old row that are entered by hand."""
    if old is None:
        return record
    return dataclasses.replace(
        record,
        licence=old.licence,
        domain=old.domain,
        source=old.source,
        source_url=old.source_url,
        archetype=old.archetype,
        parameters=old.parameters,
        tags=old.tags,
    )


def _rest(
    before: dict[tuple[str, str], DatasetRecord],
    measured: dict[tuple[str, str], DatasetRecord],
) -> Iterator[DatasetRecord]:
    """Yield the old rows that were not measured."""
    for key, row in before.items():
        if key not in measured:
            yield row
