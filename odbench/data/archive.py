"""Read an untrusted npz archive into checked arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, LabelArray
from odbench.data.dataset import RawDataset
from odbench.data.npy import Header, read_header, read_values
from odbench.data.split import one_class_split
from odbench.data.whole_numbers import tell_rounded
from odbench.errors import ArchiveError
from odbench.text import printable

# In values: four times the largest table of any known suite, 2 GiB as float64.
MAX_VALUES = 1 << 28
# For all members that are not tables (names, tags, links) together, as Python objects.
MAX_FACT_BYTES = 1 << 24
_OBJECT_BYTES = 64
MAX_MEMBERS = 256
# One for train and one for test.
_MIN_INLIERS = 2

_TABLES = ("train", "test", "X")
_LABELS = ("train_labels", "test_labels", "y")
# One value per row. They are not used, and test_groups would reveal labels.
_ROWWISE = ("train_groups", "test_groups")


class _Archive:
    """An open archive; every member's header has been read and its size checked."""

    def __init__(self, file: zipfile.ZipFile, path: Path) -> None:
        self.file = file
        self.path = path
        self.headers: dict[str, tuple[zipfile.ZipInfo, Header]] = {}
        self.skipped: list[str] = []
        self._facts = 0
        infos = file.infolist()
        if len(infos) > MAX_MEMBERS:
            msg = f"archive {path.name}: {len(infos)} members; at most {MAX_MEMBERS}"
            raise ArchiveError(msg)
        for info in infos:
            self._admit(info)

    def _admit(self, info: zipfile.ZipInfo) -> None:
        """Read a member's header, and refuse a member that is too large."""
        member = info.filename.removesuffix(".npy")
        where = self.where(member)
        if member in self.headers or member in self.skipped:
            msg = f"{where}: is given twice; fetch the archive again"
            raise ArchiveError(msg)
        header = read_header(self.file, info, where)
        if header.dtype is None:
            self.skipped.append(member)
            return
        if member in _TABLES + _LABELS + _ROWWISE:
            if header.size > MAX_VALUES:
                msg = (
                    f"{where}: declares shape {header.shape}, {header.size} values; at "
                    f"most {MAX_VALUES} are read"
                )
                raise ArchiveError(msg)
        else:
            # Each byte of a bytes member becomes a character of four bytes.
            width = header.dtype.itemsize * (4 if header.dtype.kind == "S" else 1)
            self._facts += header.size * (width + _OBJECT_BYTES)
            if self._facts > MAX_FACT_BYTES:
                msg = (
                    f"{where}: declares shape {header.shape} of {header.dtype}; with "
                    f"the members before it, that is too large: all members that are "
                    f"not tables may have at most {MAX_FACT_BYTES} bytes"
                )
                raise ArchiveError(msg)
        self.headers[member] = info, header

    def where(self, member: str) -> str:
        """Name a member in a message."""
        return f"archive {self.path.name}, member {member[:80]!r}"

    def values(self, member: str) -> NDArray[Any]:
        """Read a member's values."""
        if member in self.skipped:
            msg = (
                f"{self.where(member)}: is not an array of numbers or text; pickled "
                f"objects, records, dates and complex numbers are never read; convert "
                f"it to numbers"
            )
            raise ArchiveError(msg)
        if member not in self.headers:
            msg = (
                f"{self.where(member)}: missing; the archive has "
                f"{_listed(self.headers)}"
            )
            raise ArchiveError(msg)
        return read_values(self.file, *self.headers[member], self.where(member))

    def table(self, member: str, *, limit: tuple[int, int] | None) -> FloatArray:
        """Read a table and check shape, type and values."""
        where = self.where(member)
        if member in self.headers:
            header = self.headers[member][1]
            if len(header.shape) != 2 or 0 in header.shape:
                msg = f"{where}: shape {header.shape}; wanted (rows, columns)"
                raise ArchiveError(msg)
            _check_numbers(header, where)
            if limit is not None and header.shape != limit:
                msg = (
                    f"{where}: shape {header.shape}; the manifest says {limit}; fetch "
                    f"it again, or measure it again with `odbench datasets audit`"
                )
                raise ArchiveError(msg)
        # This cannot overflow: the value of every type of at most 8 bytes fits.
        values = self.values(member)
        table = values.astype(np.float64, copy=False)
        _check_finite(table, where)
        tell_rounded(values, table, where)
        return table

    def labels(self, member: str, rows: int) -> LabelArray:
        """Read labels of shape (rows,) or (rows, 1); check that each is 0 or 1."""
        where = self.where(member)
        if member in self.headers:
            header = self.headers[member][1]
            if header.shape not in ((rows,), (rows, 1)):
                msg = f"{where}: shape {header.shape}; wanted ({rows},)"
                raise ArchiveError(msg)
            _check_numbers(header, where)
        labels = self.values(member).reshape(rows)
        if not np.isin(labels, (0, 1)).all():
            # Naming a value or its position would reveal labels.
            msg = f"{where}: has values other than 0 and 1 (1 = anomaly)"
            raise ArchiveError(msg)
        return labels.astype(np.int8)

    def facts(self) -> dict[str, Any]:
        """Read everything that is not a table or labels."""
        used = (*_TABLES, *_LABELS, *_ROWWISE)
        return {
            member: _text(self.values(member), self.where(member))
            for member in self.headers
            if member not in used
        }


def read_archive(
    path: Path,
    *,
    dataset_id: str,
    layout: str = "split",
    labelled: bool = True,
    shapes: tuple[tuple[int, int], tuple[int, int]] | None = None,
) -> RawDataset:
    """Read and check a published archive.

    Members are read one at a time and without pickle. Nothing is decompressed before
    all declared sizes have been checked.

    Parameters
    ----------
    path : Path
        The npz file.
    dataset_id : str
        ``suite/name``; the seed of the split of a "whole" archive.
    layout : {"split", "whole", "either"}
        "split" for members ``train``, ``test``, ``train_labels``, ``test_labels``;
        "whole" for ``X``, ``y``, which are split here; "either" for one of the two.
    labelled : bool
        Whether test labels are required; a private set may have none.
    shapes : pair of tuples, optional
        Shapes of train and test in the manifest.

    Returns
    -------
    RawDataset
        Float64 tables, int8 labels, and the archive's other members as facts.

    Raises
    ------
    ArchiveError
        If a member is truncated, too large, or of a wrong shape or type, if a value
        is NaN or infinite, if a training row is labelled as an anomaly, or if a label
        is not 0 or 1. The message names file and member.
    """
    try:
        with zipfile.ZipFile(path) as file:
            return _read(_Archive(file, path), dataset_id, layout, labelled, shapes)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        msg = f"archive {path.name}: not a readable npz archive ({error}); fetch again"
        raise ArchiveError(msg) from error
    except OSError as error:
        msg = f"archive {str(path)!r}: cannot be read ({error.strerror or error})"
        raise ArchiveError(msg) from error


def _read(
    archive: _Archive,
    dataset_id: str,
    layout: str,
    labelled: bool,
    shapes: tuple[tuple[int, int], tuple[int, int]] | None,
) -> RawDataset:
    """Read an open archive."""
    labels: LabelArray | None = None
    if layout == "either":
        layout = _layout_of(archive)
    if layout == "whole":
        whole = archive.table("X", limit=None)
        y = archive.labels("y", len(whole))
        _check_both_labels(y, archive.where("y"))
        _check_splits(y, archive.where("y"))
        train, test, labels = one_class_split(whole, y, dataset_id=dataset_id)
    else:
        expected = shapes or (None, None)
        train = archive.table("train", limit=expected[0])
        test = archive.table("test", limit=expected[1])
        if "train_labels" in archive.headers:
            _check_inliers(archive, len(train))
        if labelled or "test_labels" in archive.headers:
            labels = archive.labels("test_labels", len(test))
            _check_both_labels(labels, archive.where("test_labels"))
    if train.shape[1] != test.shape[1]:
        msg = (
            f"{archive.where('test')}: {test.shape[1]} columns, but train has "
            f"{train.shape[1]}"
        )
        raise ArchiveError(msg)
    facts = archive.facts()
    return RawDataset(
        train=train,
        test=test,
        labels=labels,
        columns=_columns(facts.pop("feature_names", None), train.shape[1]),
        facts=facts,
        skipped=tuple(sorted(archive.skipped)),
    )


def _layout_of(archive: _Archive) -> str:
    """Return the layout that an archive's members have, readable or not."""
    members = {*archive.headers, *archive.skipped}
    whole, split = "X" in members, "train" in members
    if whole != split:
        return "whole" if whole else "split"
    fault = "has both X and train" if whole else f"has {_listed(members)}"
    msg = (
        f"archive {archive.path.name}: {fault}; wanted the members X and y, or train, "
        f"test and test_labels"
    )
    raise ArchiveError(msg)


def _listed(members: Iterable[str]) -> str:
    """Return the names of members for a message."""
    return printable(", ".join(sorted(members))[:200]) or "nothing"


def _check_numbers(header: Header, where: str) -> None:
    """Refuse anything but numbers of at most 8 bytes, before it is read."""
    assert header.dtype is not None
    if header.dtype.kind not in "biuf" or header.dtype.itemsize > 8:
        msg = f"{where}: values of type {header.dtype}; wanted numbers"
        raise ArchiveError(msg)


def _text(values: NDArray[Any], where: str) -> Any:
    """Return a fact as JSON-ready lists and scalars."""
    if values.dtype.kind == "U" and values.nbytes:
        order = values.dtype.byteorder
        points = values.ravel().view(np.dtype(np.uint32).newbyteorder(order))
        # Code points beyond the last character, and surrogates, are not characters.
        if ((points > 0x10FFFF) | (points >> 11 == 0x1B)).any():
            msg = f"{where}: holds numbers that are not characters; fetch it again"
            raise ArchiveError(msg)
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    return values.tolist()


def _columns(names: Any, count: int) -> tuple[str, ...]:
    """Return the published column names, or x0, x1, ... if they do not fit."""
    if isinstance(names, list) and len(names) == count:
        # Names may be a column, as labels may.
        flat = [n[0] if isinstance(n, list) and len(n) == 1 else n for n in names]
        if not any(isinstance(name, list) for name in flat):
            return tuple(map(str, flat))
    return tuple(f"x{j}" for j in range(count))


def _check_inliers(archive: _Archive, rows: int) -> None:
    """Refuse training rows that are labelled as anomalies."""
    count = int(archive.labels("train_labels", rows).sum())
    if count:
        msg = (
            f"{archive.where('train_labels')}: {count} of {rows} training rows are "
            f"labelled as anomalies; wanted none"
        )
        raise ArchiveError(msg)


def _check_both_labels(labels: LabelArray, where: str) -> None:
    """Refuse labels that are all the same: no score can be measured on them."""
    if labels.min() == labels.max():
        msg = f"{where}: all {len(labels)} labels are the same; wanted both 0 and 1"
        raise ArchiveError(msg)


def _check_splits(labels: LabelArray, where: str) -> None:
    """Refuse a whole table with too few inliers to split."""
    inliers = int((labels == 0).sum())
    if inliers < _MIN_INLIERS:
        msg = (
            f"{where}: {inliers} inlier among {len(labels)} rows; wanted at least "
            f"{_MIN_INLIERS}, for train and test"
        )
        raise ArchiveError(msg)


def _check_finite(table: FloatArray, where: str) -> None:
    """Refuse NaN and infinite values, naming the first."""
    # A finite sum means finite values. Otherwise a value is not, or the sum overflows.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(table.sum()):
            return
    bad = ~np.isfinite(table)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        msg = (
            f"{where}: {int(bad.sum())} values are NaN or infinite, the first in row "
            f"{row}, column {column}; wanted finite numbers"
        )
        raise ArchiveError(msg)
