"""Split and encode a labelled table, for a suite of one's own."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import LabelArray
from odbench.data.archive import read_archive
from odbench.data.split import one_class_split
from odbench.data.stamps import file_sha256
from odbench.errors import DataError, UsageError
from odbench.tables.encode import Encoder
from odbench.tables.numbers import MISSING_EXACT
from odbench.tables.read import read_source
from odbench.tables.roles import infer_roles
from odbench.tables.values import as_text, family, undictionary
from odbench.text import counted

logger = logging.getLogger("odbench")

# A longer list of columns would not fit into a field of a CSV file.
_MOST_PARAMETERS = 100_000


def convert(file: Path, dataset_id: str, label: str, anomaly: str) -> tuple[bytes, str]:
    """Return a labelled table as an archive.

    Parameters
    ----------
    file : Path
        A table, or an npz file, which is taken as it is.
    dataset_id : str
        ``suite/name``; the seed of the split.
    label, anomaly : str
        The column of labels, and its value in the anomalies; unused for npz.

    Returns
    -------
    content : bytes
        The npz archive; the same table gives the same bytes.
    parameters : str
        How it was made, as canonical JSON.

    Raises
    ------
    UsageError
        If `label` or `anomaly` is empty.
    DataError
        If the table cannot be used.
    """
    if file.suffix.lower() == ".npz":
        read_archive(file, dataset_id=dataset_id, layout="either")
        content = file.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        return content, _parameters(sha256, {"made_from": file.name})
    if not label or not anomaly:
        msg = (
            f"table {str(file)!r}: wanted its column of labels and the value of "
            f"anomalies; name them with --label and --anomaly"
        )
        raise UsageError(msg)
    before = file_sha256(file)
    source = read_source(file)
    for note in source.notes:
        logger.warning("%s: %s", file.name, note)
    table = source.table()
    y = label_rows(table, label, anomaly, str(file))
    content, roles = _encoded(table.drop_columns([label]), y, dataset_id, str(file))
    if file_sha256(file) != before:
        msg = f"table {str(file)!r}: changes while it is read; run again"
        raise DataError(msg)
    said = {"made_from": file.name, "label": label, "anomaly": anomaly}
    return content, _parameters(before, {**said, "columns": roles})


def _encoded(
    features: Any, y: LabelArray, dataset_id: str, where: str
) -> tuple[bytes, list[dict[str, Any]]]:
    """Split and encode a table; return the archive, and what became of each column."""
    places = np.arange(len(y), dtype=np.float64)[:, None]
    train, test, labels = one_class_split(places, y, dataset_id=dataset_id)
    rows = [part[:, 0].astype(np.int64) for part in (train, test)]
    columns = infer_roles(features)
    encoder = Encoder.of(columns, features.take(rows[0]))
    if not encoder.names:
        roles = ", ".join(f"{c.name!r} {c.role}" for c in columns[:5]) or "none"
        msg = (
            f"table {where!r}: no column can be used (besides the label: {roles}); "
            f"wanted numbers, categories or dates"
        )
        raise DataError(msg)
    content = _archive(
        train=encoder.encode(features.take(rows[0])),
        test=encoder.encode(features.take(rows[1])),
        test_labels=labels,
        feature_names=np.asarray(encoder.names, dtype=str),
    )
    parts = {
        one.name: list(learned.parts)
        for one, learned in zip(encoder.columns, encoder.learned, strict=True)
    }
    return content, [
        {"name": one.name, "role": one.role, "encoded": parts.get(one.name, [])}
        for one in columns
    ]


def _parameters(sha256: str, said: dict[str, Any]) -> str:
    """Return how a data set was made, with the hash of its table."""
    said = {**said, "table_sha256": sha256}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    if len(text) > _MOST_PARAMETERS:
        said["columns"] = f"{len(said['columns'])} columns"
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return text


def label_rows(table: Any, label: str, anomaly: str, where: str) -> LabelArray:
    """Return 1 for the rows whose label is the anomalies', int8 of shape (n,).

    Parameters
    ----------
    table : pyarrow.Table
    label, anomaly : str
        The column of labels, and its value in the anomalies: a text, a number, or
        "true" or "false" in any case.
    where : str
        The table, for messages.

    Raises
    ------
    DataError
        If there is no such column, it has gaps or values of another kind, or it has too
        few anomalies or others.
    """
    if label not in table.column_names:
        names = ", ".join(table.column_names[:10])
        msg = f"table {where!r}: has no column {label!r}; it has {names}"
        raise DataError(msg)
    texts = _label_texts(table.column(label), anomaly, f"table {where!r}: {label!r}")
    known = [text for text in texts if text and text.strip()]
    gone = len(texts) - len(known)
    if gone:
        rows = counted(gone, "row")
        msg = f"table {where!r}: column {label!r} is empty in {rows}; fill it"
        raise DataError(msg)
    y = np.asarray([_same(text, anomaly) for text in known], dtype=np.int8)
    if y.min() == y.max() or (y == 0).sum() < 4:
        some = ", ".join(repr(text[:20]) for text in sorted(set(known))[:5])
        msg = (
            f"table {where!r}: {int(y.sum())} of {len(y)} rows have {anomaly!r} in "
            f"column {label!r}, which has {some}; wanted one anomaly and four others"
        )
        raise DataError(msg)
    _tell_alike(known, y, anomaly, f"{where}: column {label!r}")
    if y.sum() > len(y) / 2:
        logger.warning(
            "%s: column %r has %r in %d of %d rows, which all count as anomalies; "
            "if these are the normal ones, make the suite with another --anomaly",
            where, label, anomaly, int(y.sum()), len(y),
        )  # fmt: skip
    return y


def _tell_alike(labels: list[str], y: LabelArray, anomaly: str, where: str) -> None:
    """Say so if an inlier's label differs from the anomalies' in its letters' case."""
    word = anomaly.strip().casefold()
    alike = [
        text
        for text, is_anomaly in zip(labels, y, strict=True)
        if not is_anomaly and text.strip().casefold() == word
    ]
    if alike:
        rows = counted(len(alike), "row")
        logger.warning(
            "%s has %r in %s, counted among the inliers: %r is another value",
            where, alike[0], rows, anomaly,
        )  # fmt: skip


def _label_texts(column: Any, anomaly: str, where: str) -> list[str | None]:
    """Return labels as text; in a label, "None" is a name and not a missing value."""
    import pyarrow as pa

    try:
        if pa.types.is_nested(column.type):
            raise pa.ArrowInvalid
        texts: list[str | None] = as_text(column).to_pylist()
    except pa.ArrowException as error:
        msg = f"{where} holds {column.type}; wanted texts, numbers or truth values"
        raise DataError(msg) from error
    if family(column.type) != "text":
        return texts
    given = undictionary(column).to_pylist()
    names = {*MISSING_EXACT, anomaly.strip()} - {""}
    return [
        written.strip()
        if text is None and written and written.strip() in names
        else text
        for text, written in zip(texts, given, strict=True)
    ]


def _same(text: str, anomaly: str) -> bool:
    """Check whether two values are the same text, number or truth value."""
    if text.strip() == anomaly.strip():
        return True
    try:
        return _number(text) == _number(anomaly)
    except InvalidOperation:
        return False


def _number(text: str) -> Decimal:
    """Return a number; "True" is 1, as pandas and Arrow write one value differently.

    A decimal also tells long codes apart that are one and the same float.
    """
    word = text.strip().lower()
    return Decimal(word == "true") if word in ("true", "false") else Decimal(word)


def _archive(**members: Any) -> bytes:
    """Return an npz archive; the same members give the same bytes."""
    sink = io.BytesIO()
    np.savez_compressed(sink, **members)
    return sink.getvalue()
