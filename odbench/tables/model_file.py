"""Fitted models in a file: arrays and JSON, never a pickle.

A model is a zip archive with three members: ``model.json`` (the detector's name and
parameters, roles, what the encoder and the scale learned), ``rows`` (the encoded
reference rows in the detector's units, little-endian float64) and ``sums.json`` (the
SHA-256 of the other two). The detector is fitted again from the rows when the model is
used; the same rows in the same order give the same detector.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from odbench import __version__
from odbench.arrays import FloatArray
from odbench.errors import DataError, UsageError
from odbench.files import whole_file
from odbench.plugins.find import find_detector, list_detectors
from odbench.tables.columns import UNUSED, USED, Column
from odbench.tables.encode import NAMED, Encoder, Learned
from odbench.tables.fitted import Fitted
from odbench.tables.learner import Learner
from odbench.tables.scale import Scale
from odbench.tables.values import category_key

FORMAT = 1
_MEMBERS = {"model.json", "rows", "sums.json"}
_MOST_JSON, _MOST_ROWS = 256 << 20, 2 << 30
_MOST_COUNTED = 1 << 53
# A fixed date, so that the same model gives the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


def save_model(fitted: Fitted, path: Path) -> None:
    """Write a model, whole or not at all.

    Parameters
    ----------
    fitted : Fitted
    path : Path

    Raises
    ------
    UsageError
        If the detector is not an installed one, which its name would find again.
    """
    spec = fitted.learner.configuration.spec
    _check_installed(fitted.learner.configuration.info.name, spec)
    rows = np.ascontiguousarray(fitted.learner.rows, dtype="<f8").tobytes()
    members = {
        "model.json": json.dumps(_described(fitted), ensure_ascii=False).encode(),
        "rows": rows,
    }
    sums = {name: hashlib.sha256(each).hexdigest() for name, each in members.items()}
    members["sums.json"] = json.dumps(sums).encode()
    with whole_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _DATE)
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)


def load_model(path: Path) -> tuple[Fitted, tuple[str, ...]]:
    """Read a model.

    Parameters
    ----------
    path : Path

    Returns
    -------
    fitted : Fitted
    notes : tuple of str
        Remarks, such as another version of the detector.

    Raises
    ------
    DataError
        If the file is no model, is damaged, or is of another format.
    UsageError
        If there is no such file.
    DetectorError
        If the detector is not installed.
    """
    if not path.is_file():
        msg = f"--model {str(path)!r}: no such file; make one with --save"
        raise UsageError(msg)
    try:
        told, rows = _members(path)
        fitted = _restored(told, rows)
        notes = _version_notes(told, fitted)
    except (
        KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError,
        zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        said = " ".join(str(error).split())[:120]
        msg = f"--model {str(path)!r}: is not a model or is damaged ({said})"
        raise DataError(msg) from error
    return fitted, notes


def _described(fitted: Fitted) -> dict[str, Any]:
    learner = fitted.learner
    d = learner.rows.shape[1]
    return {
        "format": FORMAT,
        "odbench": __version__,
        "detector": learner.configuration.spec,
        "detector_version": learner.configuration.version,
        "n_rows": fitted.n_rows,
        "shape": list(learner.rows.shape),
        "columns": [asdict(column) for column in fitted.columns],
        "learned": [asdict(learned) for learned in fitted.encoder.learned],
        "mean": learner.scale.mean.tolist(),
        "deviation": learner.scale.deviation.tolist(),
        "farthest": np.broadcast_to(learner.scale.farthest, d).tolist(),
    }


def _members(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return the checked content of an archive."""
    import zlib

    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        if set(sizes) != _MEMBERS or len(archive.infolist()) != len(_MEMBERS):
            msg = f"members {', '.join(sorted(sizes))[:60]!r}"
            raise ValueError(msg)
        json_size = sizes["model.json"] + sizes["sums.json"]
        if json_size > _MOST_JSON or sizes["rows"] > _MOST_ROWS:
            msg = "it is larger than a model may be"
            raise ValueError(msg)
        try:
            content = {name: archive.read(name) for name in sizes}
        # A damaged place of a member may lie before the beginning of the file.
        except (zlib.error, OSError) as error:
            raise ValueError(str(error)) from error
    sums = json.loads(content["sums.json"])
    for name in ("model.json", "rows"):
        if sums[name] != hashlib.sha256(content[name]).hexdigest():
            msg = f"the SHA-256 of {name} differs"
            raise ValueError(msg)
    return json.loads(content["model.json"]), content["rows"]


def _restored(told: dict[str, Any], content: bytes) -> Fitted:
    if told["format"] != FORMAT:
        msg = f"format {told['format']!r}, wanted {FORMAT}; save it again"
        raise ValueError(msg)
    n, d = (int(size) for size in told["shape"])
    if n < 2 or d < 1 or len(content) != 8 * n * d:
        msg = f"{len(content)} bytes for {n} rows of {d} columns"
        raise ValueError(msg)
    rows = np.frombuffer(content, dtype="<f8").reshape(n, d).astype(np.float64)
    columns = tuple(_column(column) for column in told["columns"])
    used = tuple(column for column in columns if column.used)
    learned = tuple(
        _learned(each, column)
        for each, column in zip(told["learned"], used, strict=True)
    )
    encoder = Encoder(used, learned)
    mean, deviation = _vector(told["mean"], d), _vector(told["deviation"], d)
    scale = Scale(mean, deviation, _farthest(told, d))
    if len(encoder.names) != d:
        msg = "columns and rows disagree"
        raise ValueError(msg)
    if not (np.isfinite(rows).all() and (deviation > 0.0).all()):
        msg = "values that are not finite"
        raise ValueError(msg)
    spec = str(told["detector"])
    _check_installed(spec, spec)
    learner = Learner(find_detector(spec), rows, scale, np.arange(n, dtype=np.int64))
    return Fitted(columns, encoder, learner, _count(told["n_rows"], fewest=1))


def _column(told: dict[str, Any]) -> Column:
    """Return a column of a model, whose attributes may be anything."""
    told = {**told, "fills": tuple(told.get("fills", ()))}
    if not all(type(fill) is float and isfinite(fill) for fill in told["fills"]):
        msg = f"column {told['name']!r:.60} with fills that are not numbers"
        raise ValueError(msg)
    column = Column(**told)
    wanted = asdict(Column("", ""))
    if any(type(value) is not type(wanted[key]) for key, value in told.items()):
        msg = f"column {column.name!r} of other types"
        raise ValueError(msg)
    if column.role not in (*USED, *UNUSED) or column.mark not in (".", ","):
        msg = f"column {column.name!r} of role {column.role!r}, mark {column.mark!r}"
        raise ValueError(msg)
    return column


def _learned(told: dict[str, Any], column: Column) -> Learned:
    """Return what a model says about a used column, which may be anything."""
    parts = tuple(told["parts"])
    may = ("rarity",) if column.role in NAMED else ("value", "missing")
    may = (*may, "hour", "weekday") if column.role == "date" else may
    if not parts or len(set(parts)) < len(parts) or not set(parts) <= set(may):
        msg = f"column {column.name!r} with the parts {parts!r}"
        raise ValueError(msg)
    n_rows = _count(told["n_rows"], fewest=1)
    counts: Counter[str] = Counter()
    for key, count in told["counts"].items():
        counts[category_key(key)] += _count(count)
    if sum(counts.values()) > n_rows:
        msg = f"column {column.name!r} with more values than rows"
        raise ValueError(msg)
    median, low, high = _vector([told["median"], told["low"], told["high"]], 3).tolist()
    return Learned(
        n_rows, _count(told["missing"]), median, low, high, dict(counts), parts
    )


def _count(value: Any, *, fewest: int = 0) -> int:
    if type(value) is not int or not fewest <= value <= _MOST_COUNTED:
        msg = f"{value!r:.40} is not a number of rows"
        raise ValueError(msg)
    return value


def _vector(values: Any, d: int) -> FloatArray:
    vector = np.asarray(values, dtype=np.float64)
    if vector.shape != (d,) or not np.isfinite(vector).all():
        msg = "a scale of another shape"
        raise ValueError(msg)
    return vector


def _farthest(told: dict[str, Any], d: int) -> FloatArray | float:
    """Return from where values are drawn in; earlier models do not say."""
    if "farthest" not in told:
        return Scale.farthest
    limits = _vector(told["farthest"], d)
    if (limits <= 0.0).any():
        msg = "a scale that draws all values in"
        raise ValueError(msg)
    return limits


def _check_installed(name: str, spec: str) -> None:
    """Refuse detectors from files and objects, whose code a model must not run."""
    head = spec.partition("[")[0].partition(":")[0].partition("=")[0]
    installed = {info.name for info in list_detectors()[0]}
    if head not in installed:
        msg = (
            f"detector {name[:60]!r}: models keep installed detectors only; "
            f"`odbench detectors list` lists them"
        )
        raise UsageError(msg)


def _version_notes(told: dict[str, Any], fitted: Fitted) -> tuple[str, ...]:
    now = fitted.learner.configuration.version
    if told["detector_version"] == now:
        return ()
    return (
        f"the model was saved with {fitted.learner.configuration.info.name} "
        f"{told['detector_version']}, installed is {now}: scores may differ",
    )
