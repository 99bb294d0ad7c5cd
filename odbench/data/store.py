"""The store: one Arrow file of features a data set, labels in another folder.

Layout under the cache folder::

    features/SUITE/PARTITION/NAME.arrow    train and test, for everybody
    labels/SUITE/PARTITION/NAME.arrow      test labels and what was derived from them
    locks/SUITE/PARTITION/NAME.lock        held while a set is being made
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, LabelArray
from odbench.data.atomic import as_store_error, whole_file
from odbench.data.content import content_sha256
from odbench.data.dataset import Dataset, DatasetRecord, RawDataset, check_name
from odbench.data.features import (
    FORMAT,
    META_KEY,
    open_features,
    parse_meta,
    read_features,
)
from odbench.errors import HashMismatchError, StoreError

__all__ = ["Store", "StoredDataset", "default_cache", "read_features"]

# Fields and facts that say something about labels: kept beside the labels, away
# from what a detector can open.
_LABEL_FIELDS = (
    "n_anomalies",
    "tags",
    "anomalies_in_train",
    "label_conflict",
    "parameters",
    "archetype",
)
_FEATURE_FACTS = (
    "dataset_type",
    "github_link",
    "tablib_origin",
    "origin",
    "llm_keywords",
    "classification_bench",
    "suggested_name",
    "feature_count",
    "indicator_feature",
)


@dataclass(frozen=True)
class StoredDataset:
    """A data set in the store.

    Attributes
    ----------
    features_path : Path
        All that a detector's process may be given.
    labels_path : Path or None
        None where labels are not public.
    record : DatasetRecord
        Its manifest row, measured.
    """

    features_path: Path
    labels_path: Path | None
    record: DatasetRecord

    def features(self) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
        """Return X_train, X_test and the column names; see `read_features`."""
        return read_features(self.features_path)

    def labels(self) -> LabelArray | None:
        """Return the test labels, int8 of shape (n_test,), 1 = anomaly, or None."""
        return None if self.labels_path is None else _read_labels(self.labels_path)[0]

    def facts(self) -> dict[str, Any]:
        """Return what else the archive says, as published."""
        meta = open_features(self.features_path)[2]
        facts: dict[str, Any] = dict(meta["facts"])
        if self.labels_path is not None:
            facts |= _read_labels(self.labels_path)[1]["facts"]
        return facts

    def dataset(self) -> Dataset:
        """Return everything at once."""
        train, test, columns = self.features()
        return Dataset(train, test, self.labels(), columns, self.record)

    def check(self) -> None:
        """Compare the content on disk with what the record says.

        Raises
        ------
        HashMismatchError
            If a byte of a value or a label changed.
        """
        train, test, _ = self.features()
        check_content(
            content_sha256(train, test, self.labels()),
            self.record,
            place=str(self.features_path),
            step="delete the file and run `odbench datasets pull` again",
        )


def check_content(found: str, record: DatasetRecord, *, place: str, step: str) -> None:
    """Compare a content hash with a record's.

    Raises
    ------
    HashMismatchError
        If they differ; a record without a hash agrees with everything.
    """
    if record.content_sha256 and found != record.content_sha256:
        msg = (
            f"data set {record.id}: content of {place} has sha256 {found[:16]}…, "
            f"wanted {record.content_sha256[:16]}…; {step}"
        )
        raise HashMismatchError(msg)


def default_cache() -> Path:
    """Return the cache folder: ``ODBENCH_CACHE``, or the platform's own."""
    named = os.environ.get("ODBENCH_CACHE")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("odbench", appauthor=False))


class Store:
    """Data sets on this machine.

    Parameters
    ----------
    root : Path
        The cache folder; made when something is put into it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def default(cls) -> Store:
        """Return the store of `default_cache`."""
        return cls(default_cache())

    def place(self, kind: str, record: DatasetRecord, suffix: str = ".arrow") -> Path:
        """Return where a file of a data set belongs."""
        name = check_name(record.name, where=f"suite {record.suite}")
        folder = self.root / kind / record.suite / record.partition
        return folder / f"{name}{suffix}"

    @contextlib.contextmanager
    def lock(self, record: DatasetRecord) -> Iterator[None]:
        """Hold a data set while it is made: another process waits, then finds it."""
        import filelock

        path = self.place("locks", record, ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = filelock.FileLock(path)
            held.acquire()
        except OSError as error:
            raise as_store_error(error, path) from error
        try:
            yield
        finally:
            held.release()

    def find(self, record: DatasetRecord) -> StoredDataset | None:
        """Return a data set when the store has it.

        Parameters
        ----------
        record : DatasetRecord
            With a content hash, only that content counts. Without, whatever is
            stored under the name, unless the published file's digest is known and
            differs.

        Returns
        -------
        StoredDataset or None
            None also where the files cannot be used: they are then made anew.
        """
        features = self.place("features", record)
        labels: Path | None = self.place("labels", record)
        assert labels is not None
        if not features.is_file():
            return None
        try:
            meta = _meta(features)
            if meta["labelled"]:
                beside = _meta(labels)
                if beside["content_sha256"] != meta["content_sha256"]:
                    return None
                meta["record"] |= beside["record"]
            else:
                labels = None
        except StoreError:
            return None
        stored = _load_record(meta["record"])
        if not _is_wanted(stored, record):
            return None
        return StoredDataset(features, labels, _merge(stored, record))

    def put(
        self,
        record: DatasetRecord,
        raw: RawDataset,
        *,
        provenance: Mapping[str, Any] | None = None,
    ) -> StoredDataset:
        """Store a data set, whole or not at all.

        Parameters
        ----------
        record : DatasetRecord
            Measured; with a content hash that the arrays are held against.
        raw : RawDataset
            Its contents.
        provenance : mapping, optional
            Where it came from: a commit, a mirror.

        Returns
        -------
        StoredDataset
            As `find` would return it.

        Raises
        ------
        HashMismatchError
            If the arrays are not what the record says.
        StoreError
            If the files cannot be written; nothing half-written is left.
        """
        digest = content_sha256(raw.train, raw.test, raw.labels)
        check_content(
            digest, record, place="the arrays to store", step="fetch the file again"
        )
        record = dataclasses.replace(record, content_sha256=digest)
        values = dataclasses.asdict(record)
        shared = {
            "format": FORMAT,
            "content_sha256": digest,
            "labelled": raw.labels is not None,
        }
        beside = {k: values.pop(k) for k in _LABEL_FIELDS if raw.labels is not None}
        facts = dict(raw.facts)
        open_facts = {k: facts.pop(k) for k in _FEATURE_FACTS if k in facts}
        labels_path = None
        # Labels first: features that can be found are always complete.
        if raw.labels is not None:
            labels_path = self.place("labels", record)
            meta = {**shared, "record": beside, "facts": facts}
            _write_labels(labels_path, raw.labels, meta)
        features_path = self.place("features", record)
        meta = {
            **shared,
            "record": values,
            "columns": list(raw.columns),
            "facts": open_facts,
            "skipped": list(raw.skipped),
            "provenance": dict(provenance or {}),
        }
        _write_features(features_path, raw, meta)
        return StoredDataset(features_path, labels_path, record)


def _is_wanted(stored: DatasetRecord, wanted: DatasetRecord) -> bool:
    """Whether what is stored is what a record asks for."""
    if wanted.content_sha256:
        return stored.content_sha256 == wanted.content_sha256
    if wanted.file_sha256:
        return stored.file_sha256 == wanted.file_sha256
    return True


def _merge(stored: DatasetRecord, wanted: DatasetRecord) -> DatasetRecord:
    """Return the manifest's row where it is measured, the store's otherwise."""
    return wanted if wanted.content_sha256 and wanted.n_train else stored


def _load_record(values: dict[str, Any]) -> DatasetRecord:
    """Turn stored JSON into a record; fields of other versions are left out."""
    known = {f.name for f in dataclasses.fields(DatasetRecord)}
    kept = {name: value for name, value in values.items() if name in known}
    kept["tags"] = tuple(kept.get("tags", ()))
    return DatasetRecord(**kept)


def _meta(path: Path) -> dict[str, Any]:
    """Read a file's metadata alone."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(path), "r") as source:
            return parse_meta(pa.ipc.open_file(source).schema, path)
    except (pa.ArrowException, OSError, ValueError) as error:
        msg = f"stored file {str(path)!r}: not usable ({error})"
        raise StoreError(msg) from error


def _write_features(path: Path, raw: RawDataset, meta: dict[str, Any]) -> None:
    """Write train and test as two batches, and read them back."""
    import pyarrow as pa

    schema = pa.schema(
        [pa.field(name, pa.float64(), nullable=False) for name in raw.columns],
        metadata={META_KEY: _json(meta)},
    )
    with whole_file(path) as file:
        with pa.ipc.new_file(file, schema) as writer:
            for table in (raw.train, raw.test):
                table_f = np.asfortranarray(table)
                arrays = [pa.array(column) for column in table_f.T]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        file.flush()
        train, test, _ = open_features(Path(file.name))
        if not (np.array_equal(train, raw.train) and np.array_equal(test, raw.test)):
            msg = f"stored features {str(path)!r}: reads back otherwise; check the disk"
            raise StoreError(msg)


def _write_labels(path: Path, labels: LabelArray, meta: dict[str, Any]) -> None:
    """Write labels in a file of their own."""
    import pyarrow as pa

    schema = pa.schema(
        [pa.field("label", pa.int8(), nullable=False)], metadata={META_KEY: _json(meta)}
    )
    with whole_file(path) as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.record_batch([pa.array(labels)], schema=schema))


def _read_labels(path: Path) -> tuple[LabelArray, dict[str, Any]]:
    """Read labels and their metadata."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(path), "r") as source:
            reader = pa.ipc.open_file(source)
            meta = parse_meta(reader.schema, path)
            labels: LabelArray = reader.get_batch(0).column(0).to_numpy().copy()
    except (pa.ArrowException, OSError, ValueError) as error:
        msg = (
            f"stored labels {str(path)!r}: not usable ({error}); delete the file and "
            f"run `odbench datasets pull` again"
        )
        raise StoreError(msg) from error
    return labels, meta


def _json(meta: Mapping[str, Any]) -> bytes:
    """Return metadata as canonical JSON."""
    return json.dumps(meta, sort_keys=True, ensure_ascii=False).encode()
