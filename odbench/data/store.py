"""The store: one Arrow file of features per data set, labels in another folder.

Layout under the cache folder::

    features/SUITE/PARTITION/NAME.arrow    train and test, without labels
    features/SUITE/PARTITION/NAME.json     hashes of the stored files and their source
    labels/SUITE/PARTITION/NAME.arrow      labels, levels, and facts from them
    locks/SUITE/PARTITION/NAME.lock        held while a data set is stored
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odbench.arrays import FloatArray, LabelArray
from odbench.data.content import check_content, content_sha256
from odbench.data.dataset import (
    BEYOND_DUPLICATES,
    Dataset,
    DatasetRecord,
    RawDataset,
    check_name,
)
from odbench.data.disk import as_store_error
from odbench.data.features import FORMAT, open_features, read_features
from odbench.data.notes import (
    Notes,
    SourceFile,
    read_notes,
    remove_notes,
    write_notes,
)
from odbench.data.store_files import (
    read_labels,
    read_meta,
    read_truth,
    write_features,
    write_labels,
)
from odbench.errors import ManifestError, StoreError

__all__ = ["Store", "StoredDataset", "default_cache", "read_features"]

# Record fields that reveal something about labels: they are stored in the labels file,
# which a detector cannot open.
_LABEL_FIELDS = (
    "n_anomalies",
    "tags",
    "anomalies_in_train",
    "label_conflict",
    "n_distinct_test",
    "n_distinct_anomalies",
    "ceiling_auroc",
    "ceiling_ap",
    "trivial_share",
    "parameters",
    "archetype",
)
# Record fields that say where its files are.
_PLACE_FIELDS = ("name", "suite", "partition")
# The archive's facts that reveal nothing about labels; all others are stored with them.
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
        The features file; it reveals nothing about labels.
    labels_path : Path or None
        The labels file; None if labels are not public.
    record : DatasetRecord
        Its manifest row, with measurements.
    """

    features_path: Path
    labels_path: Path | None
    record: DatasetRecord

    def features(self) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
        """Return X_train, X_test and the column names; see `read_features`."""
        return read_features(self.features_path)

    def labels(self) -> LabelArray | None:
        """Return the test labels, int8 of shape (n_test,), 1 = anomaly, or None."""
        return None if self.labels_path is None else read_labels(self.labels_path)[0]

    def severity(self) -> LabelArray | None:
        """Return the levels of severity, int8 of shape (n_test,), or None."""
        return self.truth()[1]

    def truth(self) -> tuple[LabelArray | None, LabelArray | None]:
        """Return what `labels` and `severity` return, reading the file once."""
        return (
            (None, None) if self.labels_path is None else read_truth(self.labels_path)
        )

    def facts(self) -> dict[str, Any]:
        """Return the archive's other members, as published."""
        meta = open_features(self.features_path)[2]
        facts: dict[str, Any] = dict(meta["facts"])
        if self.labels_path is not None:
            facts |= read_labels(self.labels_path)[1]["facts"]
        return facts

    def dataset(self) -> Dataset:
        """Return features, labels and record as one `Dataset`."""
        train, test, columns = self.features()
        return Dataset(train, test, self.labels(), columns, self.record)

    def check(self) -> None:
        """Compare the content on disk with the record's hash.

        Raises
        ------
        HashMismatchError
            If a value or a label has changed.
        """
        train, test, _ = self.features()
        check_content(
            content_sha256(train, test, *self.truth()),
            self.record,
            place=str(self.features_path),
            step="delete the file and run `odbench datasets pull` again",
        )


def default_cache() -> Path:
    """Return the cache folder: ``ODBENCH_CACHE``, or the platform's own.

    Raises
    ------
    StoreError
        If it is in the user's home folder and that is unknown.
    """
    named = os.environ.get("ODBENCH_CACHE")
    try:
        if named:
            # Other processes work in another folder and open the same files.
            return Path(named).expanduser().resolve()
        import platformdirs

        place = Path(platformdirs.user_cache_dir("odbench", appauthor=False))
    except RuntimeError as error:
        raise _no_cache(named or "~/.cache", str(error)) from error
    if not place.is_absolute():
        raise _no_cache(str(place), "it is not an absolute path")
    return place


def _no_cache(place: str, why: str) -> StoreError:
    msg = (
        f"cache folder {place!r}: cannot be found ({why.rstrip('.')}); set "
        f"ODBENCH_CACHE to the absolute path of a folder that you can write to"
    )
    return StoreError(msg)


class Store:
    """The data sets that are stored on this machine.

    Parameters
    ----------
    root : Path
        The cache folder; created by the first `put`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def default(cls) -> Store:
        """Return the store of `default_cache`."""
        return cls(default_cache())

    def place(self, kind: str, record: DatasetRecord, suffix: str = ".arrow") -> Path:
        """Return the path of a data set's file."""
        name = check_name(record.name, where=f"suite {record.suite}")
        folder = self.root / kind / record.suite / record.partition
        return folder / f"{name}{suffix}"

    @contextlib.contextmanager
    def lock(self, record: DatasetRecord) -> Iterator[None]:
        """Lock a data set while it is stored; another process waits, then finds it."""
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
        """Return a data set if the store has it.

        Parameters
        ----------
        record : DatasetRecord
            With a content hash, only that content matches. Without one, any content
            stored under the name matches, unless the published file's hash or size is
            known and differs.

        Returns
        -------
        StoredDataset or None
            None also if the files are unusable, so that they are stored again.
        """
        try:
            if not self.place("features", record).is_file():
                return None
            stored = self.read(record)
        except (ManifestError, StoreError):
            return None
        if not _is_wanted(stored.record, record):
            return None
        if record.content_sha256 and record.n_train:
            # The manifest may have changed since: a family, a licence.
            return dataclasses.replace(stored, record=_filled(record, stored.record))
        return self._without_licence_of_suite(stored)

    def _without_licence_of_suite(self, stored: StoredDataset) -> StoredDataset:
        """Return a mirror's data set that no manifest describes without a licence.

        Earlier versions stored the suite's, which need not be that of the user's file.
        """
        record = stored.record
        if not record.licence:
            return stored
        source = str(self.provenance(record).get("source", ""))
        if not source.startswith("mirror "):
            return stored
        return dataclasses.replace(
            stored, record=dataclasses.replace(record, licence="")
        )

    def read(self, record: DatasetRecord) -> StoredDataset:
        """Return the data set that is stored under a record's name.

        Returns
        -------
        StoredDataset
            Its record is the stored one.

        Raises
        ------
        StoreError
            If there is none, or features and labels are of different contents.
        """
        try:
            return self._read(record)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            msg = (
                f"data set {record.id}: the facts in its stored files cannot be used "
                f"({type(error).__name__}); run `odbench datasets pull` again"
            )
            raise StoreError(msg) from error

    def _read(self, record: DatasetRecord) -> StoredDataset:
        """Read a stored data set's record from both files."""
        features = self.place("features", record)
        meta = read_meta(features)
        values = dict(meta["record"])
        labels = self.place("labels", record) if meta["labelled"] else None
        if labels is not None:
            beside = read_meta(labels)
            if beside["content_sha256"] != meta["content_sha256"]:
                msg = (
                    f"data set {record.id}: features and labels in the store are of "
                    f"different contents; run `odbench datasets pull` again"
                )
                raise StoreError(msg)
            values |= beside["record"]
        # Files under another name are another data set: on a disk that does not tell
        # upper from lower case, two names share a place.
        place = {field: getattr(record, field) for field in _PLACE_FIELDS}
        if any(values.get(field) != value for field, value in place.items()):
            msg = (
                f"data set {record.id}: the files stored in its place are of another "
                f"data set; run `odbench datasets pull` again"
            )
            raise StoreError(msg)
        return StoredDataset(features, labels, _load_record(values))

    def names(self, suite: str, partition: str) -> list[str]:
        """Return the sorted names of a suite's stored data sets."""
        folder = self.root / "features" / suite / partition
        return sorted(file.stem for file in folder.glob("[!.]*.arrow"))

    def provenance(self, record: DatasetRecord) -> dict[str, Any]:
        """Return the source of a stored data set, and its skipped members."""
        meta = read_meta(self.place("features", record))
        return {**meta.get("provenance", {}), "skipped": meta.get("skipped", [])}

    def notes(self, record: DatasetRecord) -> Notes:
        """Return the notes on a stored data set; see `odbench.data.notes`."""
        return read_notes(self.place("features", record, ".json"))

    def note(self, record: DatasetRecord, notes: Notes) -> None:
        """Replace the notes on a stored data set; the caller holds its lock.

        Raises
        ------
        StoreError
            If they cannot be written.
        """
        write_notes(self.place("features", record, ".json"), notes)

    def put(
        self,
        record: DatasetRecord,
        raw: RawDataset,
        *,
        provenance: Mapping[str, Any] | None = None,
        seen: SourceFile | None = None,
        step: str = "fetch the file again",
    ) -> StoredDataset:
        """Store a data set, whole or not at all.

        Parameters
        ----------
        record : DatasetRecord
            A measured record; if it has a content hash, the arrays must match it.
        raw : RawDataset
            Its contents.
        provenance : mapping, optional
            The data set's source, such as a commit or a mirror.
        seen : SourceFile, optional
            The file of a mirror that it was read from.
        step : str
            What to do about arrays that do not match the record's hash.

        Returns
        -------
        StoredDataset
            As `find` would return it.

        Raises
        ------
        HashMismatchError
            If the arrays do not match the record's hash.
        StoreError
            If the files cannot be written; no partial file is left.
        """
        digest = content_sha256(raw.train, raw.test, raw.labels, raw.severity)
        check_content(
            digest,
            record,
            place=record.path or "the arrays to store",
            step=step,
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
        before = self.notes(record)
        # Notes that outlive their files would call the new ones damaged.
        remove_notes(self.place("features", record, ".json"))
        labels_path = None
        hashes = {}
        # Labels are written first, so that features that can be found are complete.
        if raw.labels is not None:
            labels_path = self.place("labels", record)
            meta = {**shared, "record": beside, "facts": facts}
            hashes["labels"] = write_labels(
                labels_path, raw.labels, meta, severity=raw.severity
            )
        features_path = self.place("features", record)
        meta = {
            **shared,
            "record": values,
            "columns": list(raw.columns),
            "facts": open_facts,
            "skipped": list(raw.skipped),
            "provenance": dict(provenance or {}),
        }
        hashes["features"] = write_features(features_path, raw, meta)
        notes = Notes(hashes, before.sources)
        self.note(record, notes if seen is None else notes.with_source(seen))
        return StoredDataset(features_path, labels_path, record)


def _is_wanted(stored: DatasetRecord, wanted: DatasetRecord) -> bool:
    """Tell whether a stored record matches the wanted one."""
    if wanted.content_sha256:
        return stored.content_sha256 == wanted.content_sha256
    if wanted.file_sha256:
        return stored.file_sha256 == wanted.file_sha256
    return wanted.file_bytes in (None, stored.file_bytes)


def _filled(record: DatasetRecord, stored: DatasetRecord) -> DatasetRecord:
    """Return a manifest row, with empty audit fields as measured by the pull."""
    empty = [name for name in BEYOND_DUPLICATES if getattr(record, name) is None]
    return dataclasses.replace(
        record, **{name: getattr(stored, name) for name in empty}
    )


def _load_record(values: dict[str, Any]) -> DatasetRecord:
    """Convert stored JSON to a record, without the fields of other versions."""
    known = {f.name for f in dataclasses.fields(DatasetRecord)}
    kept = {name: value for name, value in values.items() if name in known}
    kept["tags"] = tuple(kept.get("tags", ()))
    return DatasetRecord(**kept)
