"""Select data sets by name, and load them."""

from __future__ import annotations

import difflib
import fnmatch
import shlex
from collections.abc import Iterable
from pathlib import Path

from odbench.data.dataset import Dataset, DatasetRecord
from odbench.data.intact import find_intact
from odbench.data.listing import (
    SuiteListing,
    list_manifest,
    list_source,
    list_suite,
)
from odbench.data.mirrored import mirror_behind, with_file_hash
from odbench.data.own import (
    DATA,
    as_text,
    has_description,
    is_place,
    split_id,
    typed,
)
from odbench.data.pull import ensure
from odbench.data.store import Store
from odbench.data.subsets import resolve, rows_of, suite_of
from odbench.data.transports.choose import (
    Sources,
    label_places,
    mirror_of,
    open_source,
)
from odbench.data.transports.source import Source, listed_record, with_listing
from odbench.errors import (
    OdbenchError,
    TransportError,
    UnknownDatasetError,
    UsageError,
)
from odbench.suites import PARTITIONS, Suite, load_suites

__all__ = [
    "Sources",
    "SuiteListing",
    "choose",
    "ensure",
    "find",
    "label_places",
    "list_source",
    "load_dataset",
    "load_suites",
    "locate",
    "mirror_of",
    "open_source",
    "resolve",
    "select",
]


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
    """Return the data sets that the arguments select.

    The manifest is compared with the source's listing (see `list_source`): the
    mirror's if there is one, otherwise the hub's. The hub is not asked when every set
    of its last known listing is in the store. When it cannot be reached, the last
    known listing is used, or without one the manifest.

    Parameters
    ----------
    suite : str
        A suite or one of its subsets.
    partition : {"public", "private"}
        The partition to select from.
    pattern : str, optional
        Comma-separated globs on the name, case-insensitive.
    limit : int, optional
        Maximum number of data sets, the first by name.
    source : Source, optional
        Used instead of the one that `open_source` would open.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default.
    offline : bool
        Use the manifest alone, and ask no source.

    Returns
    -------
    list of DatasetRecord
        By name.

    Raises
    ------
    UsageError
        If the suite, partition or limit is not valid.
    UnknownDatasetError
        If nothing matches.
    """
    described = suite_of(suite)
    _check_partition(partition)
    if limit is not None and limit < 1:
        msg = f"limit: got {limit}; wanted at least 1"
        raise UsageError(msg)
    sources = None if offline else Sources(mirror)
    resolved = resolve(suite, sources)
    if sources is None:
        records = list_manifest(described, partition).records
    elif source is not None:
        records = list_source(described, source, partition=partition).records
    else:
        records = list_suite(described, partition, sources=sources).records
    return choose(
        suite,
        resolved,
        records,
        partition=partition,
        pattern=pattern,
        limit=limit,
        mirror=None if sources is None else sources.mirror,
    )


def _check_partition(partition: object) -> None:
    if partition not in PARTITIONS:
        msg = f"partition {partition!r}: unknown; wanted one of {', '.join(PARTITIONS)}"
        raise UsageError(msg)


def choose(
    suite: str,
    resolved: tuple[Suite, frozenset[str] | None],
    records: Iterable[DatasetRecord],
    *,
    partition: str = "public",
    pattern: str | None = None,
    limit: int | None = None,
    mirror: Path | None = None,
) -> list[DatasetRecord]:
    """Return the selected ones of a suite's data sets; see `select`.

    Parameters
    ----------
    suite : str
        A suite or one of its subsets.
    resolved : (Suite, frozenset of str or None)
        The result of ``resolve(suite)``.
    records : iterable of DatasetRecord
        All data sets of the suite in this partition, by name.
    partition, pattern, limit
        As `select` takes them.
    mirror : Path, optional
        The mirror that the records are those of, for the message.

    Raises
    ------
    UnknownDatasetError
        If nothing matches.
    """
    described, subset = resolved
    if subset is not None:
        records = [r for r in records if r.name in subset]
    chosen = [r for r in records if pattern is None or matches(r.name, pattern)]
    if not chosen:
        needs_none = described.transport == "folder" or (
            described.transport == "generated" and partition == "public"
        )
        place = "" if mirror is None or needs_none else str(mirror)
        msg = f"suite {suite}: {_none(described, partition, pattern, place)}"
        raise UnknownDatasetError(msg)
    return chosen[:limit]


def _none(suite: Suite, partition: str, pattern: str | None, mirror: str) -> str:
    """Say that nothing was selected, and where to look."""
    where = " in this mirror" if mirror else ""
    if pattern is None and suite.transport == "folder":
        step = "put npz files there, or run `odbench suites new`"
        if partition != "public":
            step = "all data sets of such a suite are public"
        return f"no {partition} data set in {str(Path(suite.root) / DATA)!r}; {step}"
    if pattern is None:
        another = "another mirror" if mirror else "a mirror"
        return f"no {partition} data set{where}; name {another} that has some, --mirror"
    options = f" --suite {typed(suite.name)}"
    options += "" if partition == "public" else f" --partition {partition}"
    options += f" --mirror {shlex.quote(mirror)}" if mirror else ""
    return (
        f"no {partition} data set that matches {pattern!r}{where}; see `odbench "
        f"datasets list{options}`"
    )


def matches(name: str, pattern: str) -> bool:
    """Tell whether a name matches one of the comma-separated globs."""
    globs = [glob.strip().lower() for glob in pattern.split(",")]
    return any(fnmatch.fnmatchcase(name.lower(), glob) for glob in globs)


def find(dataset_id: str, *, partition: str | None = None) -> DatasetRecord:
    """Return the manifest row of ``suite/name``.

    Parameters
    ----------
    dataset_id : str
        ``oddbench/ALLPatientData``.
    partition : str, optional
        The only partition to look in; all by default.

    Raises
    ------
    UnknownDatasetError
        If the manifest has no such row; the message names similar ones.
    """
    suite, name = split_id(dataset_id)
    if not name:
        is_own = is_place(dataset_id) and has_description(suite)
        example = f"{suite}/NAME" if is_own else "oddbench/ALLPatientData"
        msg = f"data set {dataset_id!r}: wanted SUITE/NAME, such as {example}"
        raise UnknownDatasetError(msg)
    suite = suite_of(suite).name
    dataset_id = f"{suite}/{name}"
    rows = rows_of(suite)
    for row in rows:
        if row.name == name and partition in (None, row.partition):
            return row
    raise _not_among(rows, dataset_id)


def _not_among(rows: Iterable[DatasetRecord], dataset_id: str) -> OdbenchError:
    """Return the error for a name that no row has, or only in another partition."""
    others = {row.id: row.partition for row in rows}
    if dataset_id not in others:
        return unknown(dataset_id, others)
    where = others[dataset_id]
    msg = (
        f"data set {dataset_id!r}: is in the {where} partition; ask for it with "
        f'partition="{where}" (--partition {where})'
    )
    return UnknownDatasetError(msg)


def unknown(dataset_id: str, known: Iterable[str]) -> OdbenchError:
    """Return the error for an unknown name, with similar known ones."""
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(dataset_id, names, n=3, cutoff=0.6)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    suite, name = split_id(dataset_id)
    option = f" --suite {typed(suite)}" if name else ""
    msg = f"data set {dataset_id!r}: unknown{hint}; see `odbench datasets list{option}`"
    return UnknownDatasetError(msg)


def load_dataset(
    id: str | Path,  # noqa: A002
    *,
    mirror: Path | str | None = None,
    partition: str = "public",
) -> Dataset:
    """Return a data set, fetching it first if it is not in the store.

    Parameters
    ----------
    id : str or Path
        ``suite/name``; the suite may be a folder, as in ``./fraud/cards``.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default, otherwise the hub.
    partition : {"public", "private"}
        The data set's partition.

    Returns
    -------
    Dataset
        Memory-mapped, unscaled.

    Raises
    ------
    UsageError
        If the id is not a text, or there is no such suite or partition.
    UnknownDatasetError
        If neither the manifest nor the source has it.
    TransportError, DataError
        If it cannot be fetched or read.
    """
    id = as_text(id, "id", "SUITE/NAME, such as 'oddbench/ALLPatientData'")  # noqa: A001
    _check_partition(partition)
    record = locate(id, partition=partition, mirror=mirror)
    for _, stored in ensure([record], mirror=mirror, progress=False, jobs=1):
        if isinstance(stored, OdbenchError):
            raise stored
        return stored.dataset()
    raise unknown(id, ())


def locate(
    dataset_id: str,
    *,
    partition: str | None = None,
    mirror: Path | str | None = None,
    manifest_only: bool = False,
) -> DatasetRecord:
    """Return the record of ``suite/name``, even if the manifest has no row for it.

    Parameters
    ----------
    dataset_id : str
        ``oddbench/ALLPatientData``.
    partition : str, optional
        The only partition to look in; all by default.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default.
    manifest_only : bool
        Do not ask the hub or a mirror if neither manifest nor store has it.

    Raises
    ------
    UnknownDatasetError
        If neither the manifest, the store nor the source has it.
    TransportError
        If the source was asked and could not be reached.
    """
    try:
        return find(dataset_id, partition=partition)
    except UnknownDatasetError:
        suite, name = split_id(dataset_id)
        if not name:
            raise
        described = suite_of(suite)
        if described.transport == "folder":
            # Its rows are its files.
            raise
        places = PARTITIONS if partition is None else (partition,)
        for place in places:
            wanted = DatasetRecord(name=name, suite=described.name, partition=place)
            if (stored := find_intact(Store.default(), wanted)) is not None:
                return _as_in_mirror(stored.record, described, mirror)
        if manifest_only:
            raise
    source = open_source(described, mirror=mirror)
    rows = [
        row
        for p in places
        for row in list_source(described, source, partition=p).records
    ]
    for row in rows:
        if row.name == name:
            return row
    raise _not_among((*rows, *rows_of(described.name)), dataset_id)


def _as_in_mirror(
    stored: DatasetRecord, suite: Suite, mirror: Path | str | None
) -> DatasetRecord:
    """Return a stored record, or an unmeasured one if the mirror's file is another.

    The stored copy stays usable when the file or the mirror is gone.
    """
    if mirror_of(mirror) is None:
        return stored
    try:
        source = open_source(suite, mirror=mirror)
        folder = mirror_behind(source, stored.partition)
        listed = source.listing(stored.partition).get(stored.name) if folder else None
    except TransportError:
        return stored
    if folder is None or listed is None:
        return stored
    bare = listed_record(suite, stored.name, stored.partition, own=folder is source)
    store = Store.default()
    found = with_file_hash(with_listing(bare, listed), folder, store)
    return stored if store.find(found) is not None else found
