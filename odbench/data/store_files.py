"""Write and read the store's files: features, labels and their metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import LabelArray
from odbench.data.dataset import RawDataset
from odbench.data.disk import cache_file
from odbench.data.features import META_KEY, open_features, parse_meta, values_of
from odbench.data.stamps import file_sha256
from odbench.errors import StoreError
from odbench.threads import refuse_lack

# The columns of a labels file.
_LABEL, _SEVERITY = "label", "severity"


def read_meta(path: Path) -> dict[str, Any]:
    """Read a file's metadata alone."""
    import pyarrow as pa

    try:
        with pa.memory_map(os.fsencode(path), "r") as source:
            return parse_meta(pa.ipc.open_file(source).schema, path)
    except (pa.ArrowException, OSError, ValueError) as error:
        refuse_lack(error, path)
        msg = f"stored file {str(path)!r}: not usable ({error})"
        raise StoreError(msg) from error


def write_features(path: Path, raw: RawDataset, meta: dict[str, Any]) -> str:
    """Write train and test as two batches, read them back, return the file's hash."""
    import pyarrow as pa

    schema = pa.schema(
        [pa.field(name, pa.float64(), nullable=False) for name in raw.columns],
        metadata={META_KEY: _json(meta)},
    )
    with cache_file(path) as file:
        with pa.ipc.new_file(file, schema) as writer:
            for table in (raw.train, raw.test):
                table_f = np.asfortranarray(table)
                arrays = [pa.array(column) for column in table_f.T]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        file.flush()
        train, test, _ = open_features(Path(file.name))
        if not (np.array_equal(train, raw.train) and np.array_equal(test, raw.test)):
            raise _differs(path, "features")
        return file_sha256(Path(file.name))


def write_labels(
    path: Path,
    labels: LabelArray,
    meta: dict[str, Any],
    *,
    severity: LabelArray | None = None,
) -> str:
    """Write labels to their own file, read them back, return the file's hash.

    Levels of severity, if anomalies have any, are a second column.
    """
    import pyarrow as pa

    columns = {_LABEL: labels} | ({} if severity is None else {_SEVERITY: severity})
    schema = pa.schema(
        [pa.field(name, pa.int8(), nullable=False) for name in columns],
        metadata={META_KEY: _json(meta)},
    )
    arrays = [pa.array(column) for column in columns.values()]
    with cache_file(path) as file:
        with pa.ipc.new_file(file, schema) as writer:
            writer.write_batch(pa.record_batch(arrays, schema=schema))
        file.flush()
        written, _ = _read_columns(Path(file.name))
        if not all(np.array_equal(written[name], columns[name]) for name in columns):
            raise _differs(path, "labels")
        return file_sha256(Path(file.name))


def read_labels(path: Path) -> tuple[LabelArray, dict[str, Any]]:
    """Read labels and their metadata."""
    columns, meta = _read_columns(path)
    return columns[_LABEL], meta


def read_truth(path: Path) -> tuple[LabelArray, LabelArray | None]:
    """Read the labels and the levels of severity; None for levels it does not have."""
    columns, _ = _read_columns(path)
    return columns[_LABEL], columns.get(_SEVERITY)


def _read_columns(path: Path) -> tuple[dict[str, LabelArray], dict[str, Any]]:
    """Read every column of a labels file, and its metadata."""
    import pyarrow as pa

    try:
        with pa.memory_map(os.fsencode(path), "r") as source:
            reader = pa.ipc.open_file(source)
            meta = parse_meta(reader.schema, path)
            batch = reader.get_batch(0)
            names = [_LABEL, *batch.schema.names[1:]]
            columns: dict[str, LabelArray] = {
                name: values_of(column, np.int8).copy()
                for name, column in zip(names, batch.columns, strict=True)
            }
    except (pa.ArrowException, OSError, ValueError) as error:
        refuse_lack(error, path)
        msg = (
            f"stored labels {str(path)!r}: not usable ({error}); delete the file and "
            f"run `odbench datasets pull` again"
        )
        raise StoreError(msg) from error
    return columns, meta


def _differs(path: Path, kind: str) -> StoreError:
    """Return the error for a file that a disk did not write as it was told."""
    msg = (
        f"stored {kind} {str(path)!r}: the file differs from the arrays that were "
        f"written; check the disk"
    )
    return StoreError(msg)


def _json(meta: Mapping[str, Any]) -> bytes:
    """Return metadata as canonical JSON."""
    return json.dumps(meta, sort_keys=True, ensure_ascii=False).encode()
