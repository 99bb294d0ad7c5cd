"""Check that stored files are those that were stored, and remove damaged ones.

Every byte is compared with the hash that was taken when the file was written, once per
process: later, a file with the same stamp is trusted. Files that were stored without
such a hash are compared with the content hash instead, and then get one.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from odbench.data.dataset import DatasetRecord
from odbench.data.notes import Notes
from odbench.data.stamps import Stamp, file_sha256, stamp_of
from odbench.data.store import Store, StoredDataset
from odbench.errors import DataError, ManifestError, StoreError

logger = logging.getLogger("odbench")

# The state of both files of a data set in which they were compared, by features file.
_State = tuple[str, Stamp, Stamp | None]
_intact: dict[Path, _State] = {}


def find_intact(store: Store, record: DatasetRecord) -> StoredDataset | None:
    """Return a data set as `Store.find` does, if its files are as they were stored.

    Parameters
    ----------
    store : Store
        The store.
    record : DatasetRecord
        The wanted data set.

    Returns
    -------
    StoredDataset or None
        None also if a file is damaged; then it is removed, and a warning is logged.

    Raises
    ------
    StoreError
        If the damaged files cannot be removed.
    """
    stored = store.find(record)
    if stored is None or _damaged(store, stored) is None:
        return stored
    # Another process may have replaced the files while they were read.
    with store.lock(record):
        return find_locked(store, record)


def find_locked(store: Store, record: DatasetRecord) -> StoredDataset | None:
    """Return a data set as `find_intact` does; the caller holds its lock."""
    stored = store.find(record)
    if stored is None:
        _tell_unusable(store, record)
        return None
    damaged = _damaged(store, stored)
    if damaged is None:
        return stored
    logger.warning(
        "data set %s: the stored file %r is damaged; it is removed and fetched again",
        record.id,
        str(damaged),
    )
    _remove(store, stored)
    return None


def _damaged(store: Store, stored: StoredDataset) -> Path | None:
    """Return the stored file that is damaged, if one is."""
    try:
        state = _state(stored)
        if _intact.get(stored.features_path) == state:
            return None
        notes = store.notes(stored.record)
        damaged = _compare(stored, notes) if notes.files else _compare_content(stored)
    except (DataError, OSError):
        return stored.features_path
    if damaged is None:
        _intact[stored.features_path] = state
        if not notes.files:
            _note_hashes(store, stored)
    return damaged


def _state(stored: StoredDataset) -> _State:
    """Return the expected content, and the stamps of the files."""
    labels = stored.labels_path
    return (
        stored.record.content_sha256,
        stamp_of(stored.features_path),
        None if labels is None else stamp_of(labels),
    )


def _files(stored: StoredDataset) -> dict[str, Path]:
    """Return the stored files by kind."""
    files = {"features": stored.features_path}
    if stored.labels_path is not None:
        files["labels"] = stored.labels_path
    return files


def _compare(stored: StoredDataset, notes: Notes) -> Path | None:
    """Compare the files with the hashes that were taken when they were written."""
    for kind, path in _files(stored).items():
        if file_sha256(path) != notes.files.get(kind):
            return path
    return None


def altered_file(store: Store, stored: StoredDataset) -> Path | None:
    """Return the stored file that is not as it was written, hashing both anew.

    None also for files that an earlier version stored without their hashes.
    """
    notes = store.notes(stored.record)
    return _compare(stored, notes) if notes.files else None


def _compare_content(stored: StoredDataset) -> Path | None:
    """Compare the content with its hash; it does not tell which file is damaged."""
    try:
        stored.check()
    except DataError:
        return stored.features_path
    return None


def _note_hashes(store: Store, stored: StoredDataset) -> None:
    """Record the hashes of files stored without them; failures are ignored."""
    record = stored.record
    with contextlib.suppress(StoreError), store.lock(record):
        notes = store.notes(record)
        if not notes.files and _state(stored) == _intact.get(stored.features_path):
            hashes = {kind: file_sha256(path) for kind, path in _files(stored).items()}
            store.note(record, Notes(hashes, notes.sources))


def _remove(store: Store, stored: StoredDataset) -> None:
    """Remove a data set's files from the store."""
    notes = store.place("features", stored.record, ".json")
    # Features are removed first, so that features that can be found have labels.
    for path in (*_files(stored).values(), notes):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            msg = (
                f"data set {stored.record.id}: the stored file {str(path)!r} is "
                f"damaged and cannot be removed ({error.strerror}); remove it"
            )
            raise StoreError(msg) from error


def _tell_unusable(store: Store, record: DatasetRecord) -> None:
    """Log a warning if there are stored files that cannot be read."""
    try:
        if store.place("features", record).is_file():
            store.read(record)
    except ManifestError:
        return
    except StoreError:
        logger.warning(
            "data set %s: its stored files cannot be used; it is fetched again",
            record.id,
        )
