"""The maintainer's work: measure a suite's files and write its manifest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from odbench.data.bar import Bar
from odbench.data.dataset import PARTITIONS, DatasetRecord
from odbench.data.family import with_families
from odbench.data.manifest import (
    Suite,
    manifest_folder,
    read_manifest,
    write_manifest,
)
from odbench.data.measure import measure
from odbench.data.source import Source, listed_record, with_listing
from odbench.data.sources import fresh_source
from odbench.data.suites import load_suites
from odbench.errors import DataError, TransportError, UsageError


@dataclass(frozen=True)
class Rebuilt:
    """A manifest measured anew.

    Attributes
    ----------
    records : tuple of DatasetRecord
        The new manifest: what was measured, and the old rows that were not.
    new : tuple of DatasetRecord
        Rows that the old manifest lacks.
    changed : tuple of pairs of DatasetRecord
        Old and new, where something differs.
    kept : tuple of DatasetRecord
        Old rows whose file the source does not have.
    failed : tuple of (str, str)
        Id and reason, where a file could not be measured; the old row is kept.
    """

    records: tuple[DatasetRecord, ...]
    new: tuple[DatasetRecord, ...] = ()
    changed: tuple[tuple[DatasetRecord, DatasetRecord], ...] = ()
    kept: tuple[DatasetRecord, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()

    def report(self) -> Iterator[str]:
        """Yield one line for everything that a maintainer must look at."""
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
) -> tuple[Rebuilt, Path]:
    """Measure a suite from the hub or a mirror, and write its manifest.

    Parameters
    ----------
    suite : str
        Its name.
    origin : str
        "hub", or a mirror's folder.
    folder : Path, optional
        Where the manifests are; the installed ones by default.
    write : bool
        Whether to write.
    jobs : int
        How many sets are measured at a time.

    Returns
    -------
    (Rebuilt, Path)
        What was found, and the manifest's file.

    Raises
    ------
    UsageError
        If the suite is not one that is fetched.
    TransportError
        If the hub or the mirror cannot be read.
    """
    described = load_suites().get(suite)
    if described is None or described.transport == "generated":
        names = [s.name for s in load_suites().values() if s.transport != "generated"]
        msg = f"audit: suite {suite!r}; wanted one of {', '.join(names)}"
        raise UsageError(msg)
    place = Path(str(manifest_folder())) if folder is None else folder
    source = fresh_source(described, None if origin == "hub" else origin)
    old = read_manifest(suite, place)
    total = sum(len(source.listing(partition)) for partition in PARTITIONS)
    bar = Bar(total, visible=True, what="audit")
    try:
        found = rebuild(
            described, source, old, jobs=jobs, step=lambda _: bar.step(failed=False)
        )
    finally:
        bar.close()
    file = place / f"{suite}.csv"
    if write:
        write_manifest(found.records, file)
    return found, file


def rebuild(
    suite: Suite,
    source: Source,
    old: list[DatasetRecord],
    *,
    jobs: int = 2,
    step: Callable[[str], None] = lambda _: None,
) -> Rebuilt:
    """Measure every file of a source.

    Parameters
    ----------
    suite : Suite
        Whose manifest.
    source : Source
        Where the files are.
    old : list of DatasetRecord
        The manifest so far; what a maintainer entered by hand (licence, archetype,
        parameters) is taken over from it.
    jobs : int
        How many are measured at a time.
    step : callable
        Called with the id of every set that is done.

    Returns
    -------
    Rebuilt
        No row of `old` is lost.
    """
    before = {(r.partition, r.name): r for r in old}
    listed = dict(_listed(suite, source))
    measured: dict[tuple[str, str], DatasetRecord] = {}
    failed = []

    def task(record: DatasetRecord) -> DatasetRecord | tuple[str, str]:
        try:
            obtained = source.obtain(record, tick=lambda _: None)
            return measure(record, obtained)
        except (DataError, TransportError) as error:
            return record.id, str(error)
        finally:
            step(record.id)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        todo = [_blank(r, before.get(key)) for key, r in listed.items()]
        for key, result in zip(listed, pool.map(task, todo), strict=True):
            if isinstance(result, DatasetRecord):
                measured[key] = result
            else:
                failed.append(result)
    records = with_families([*measured.values(), *_rest(before, measured)])
    after = {(r.partition, r.name): r for r in records}
    return Rebuilt(
        records=tuple(records),
        new=tuple(after[key] for key in measured if key not in before),
        changed=tuple(
            (before[key], after[key])
            for key in after
            if key in before and before[key] != after[key]
        ),
        kept=tuple(row for key, row in before.items() if key not in listed),
        failed=tuple(failed),
    )


def _listed(
    suite: Suite, source: Source
) -> Iterator[tuple[tuple[str, str], DatasetRecord]]:
    """Yield a record without measurements for every listed file."""
    for partition in PARTITIONS:
        for name, file in sorted(source.listing(partition).items()):
            record = listed_record(suite, name, partition)
            yield (partition, name), with_listing(record, file)


def _blank(record: DatasetRecord, old: DatasetRecord | None) -> DatasetRecord:
    """Take over what was entered by hand."""
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
    """Yield the old rows that nothing replaces."""
    for key, row in before.items():
        if key not in measured:
            yield row
