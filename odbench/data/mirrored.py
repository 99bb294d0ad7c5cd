"""Notice that a file in a mirror is another one than the store's copy was read from.

This matters for data sets that no manifest describes: their content is not pinned.
"""

from __future__ import annotations

import contextlib
import dataclasses

from odbench.data.dataset import DatasetRecord
from odbench.data.notes import SourceFile
from odbench.data.stamps import file_sha256
from odbench.data.store import Store
from odbench.data.transports.generated import Generated
from odbench.data.transports.mirror import Mirror
from odbench.data.transports.source import Source
from odbench.errors import StoreError, TransportError


def mirror_behind(source: Source, partition: str) -> Mirror | None:
    """Return the mirror that a source reads a partition from, if it reads from one."""
    if isinstance(source, Generated) and partition != "public":
        return source.private
    return source if isinstance(source, Mirror) else None


def with_file_hash(
    record: DatasetRecord, mirror: Mirror, store: Store
) -> DatasetRecord:
    """Return a mirror's record with its file's hash, if the store has its data set.

    `Store.find` then finds the stored copy only if the file is still the same. The file
    is hashed only if its stamp has changed since it was hashed last.

    Parameters
    ----------
    record : DatasetRecord
        A record with the path from the mirror's listing.
    mirror : Mirror
        The mirror.
    store : Store
        The store.

    Returns
    -------
    DatasetRecord
        Unchanged if its content is pinned, if the store does not have it, or if the
        file cannot be read.
    """
    if record.content_sha256 or stored_copy(record, store) is None:
        return record
    try:
        return dataclasses.replace(record, file_sha256=_hash(record, mirror, store))
    except (OSError, TransportError):
        # Reading it gives the error, for this data set alone.
        return record


def stored_copy(record: DatasetRecord, store: Store) -> DatasetRecord | None:
    """Return the record of the data set stored under a name, of any content."""
    wanted = dataclasses.replace(
        record, content_sha256="", file_sha256="", file_bytes=None
    )
    stored = store.find(wanted)
    return None if stored is None else stored.record


def _hash(record: DatasetRecord, mirror: Mirror, store: Store) -> str:
    """Return the hash of a file in a mirror: the noted one, or a new one."""
    file, stamp = mirror.file(record), mirror.stamp(record)
    known = store.notes(record).sources.get(str(file))
    if known is not None and known.stamp == stamp:
        return known.sha256
    seen = SourceFile(str(file), stamp, file_sha256(file))
    if mirror.stamp(record) == stamp:
        # A store that cannot be written is slower, not wrong.
        with contextlib.suppress(StoreError), store.lock(record):
            store.note(record, store.notes(record).with_source(seen))
    return seen.sha256
