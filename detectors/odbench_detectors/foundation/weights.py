"""Read a checkpoint's tensors without running any code that it holds.

A file is read once: the bytes whose hash was checked are the bytes that are parsed. Two
formats are accepted, safetensors and PyTorch's own archive; the second is read with
``weights_only=True``, which builds tensors and plain containers and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from odbench.errors import ArchiveError, DataError, HashMismatchError

if TYPE_CHECKING:
    import torch

# The largest checkpoint that is read; the largest known one has 0.3 GB.
MAX_BYTES = 2 << 30
_ZIP = b"PK\x03\x04"
# A safetensors file begins with the length of its header, then the header's brace.
_LENGTH_BYTES = 8
_CURE = (
    "wanted safetensors, or an archive of torch.save that holds tensors only; convert "
    "it where you trust it: safetensors.torch.save_file(state_dict, 'weights."
    "safetensors')"
)
# PyTorch Lightning and other trainers keep the tensors under one of these names.
_NESTED = ("state_dict", "model_state_dict", "model")


def read_checkpoint(
    path: Path, *, sha256: str = "", max_bytes: int = MAX_BYTES
) -> dict[str, torch.Tensor]:
    """Read the tensors of a checkpoint.

    Parameters
    ----------
    path : Path
        A safetensors file, or one that ``torch.save`` wrote.
    sha256 : str
        The hash that the file must have, 64 hex digits; empty if none is known.
    max_bytes : int
        The largest file, and the largest sum of its tensors, that is accepted.

    Returns
    -------
    dict of str to Tensor
        On the CPU, dense, in the file's order.

    Raises
    ------
    HashMismatchError
        If the file has another hash; it is not parsed then.
    ArchiveError
        If the file is too large, truncated, of another format, or holds anything
        but tensors.
    DataError
        If the file cannot be read.
    """
    data = read_bytes(path, max_bytes)
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256:
        msg = (
            f"checkpoint {str(path)!r}: sha256 is {found}, wanted {sha256}; remove the "
            f"file and download it again"
        )
        raise HashMismatchError(msg)
    return parse_checkpoint(data, str(path), max_bytes=max_bytes)


def parse_checkpoint(
    data: bytes, name: str, *, max_bytes: int = MAX_BYTES
) -> dict[str, torch.Tensor]:
    """Return the tensors in a checkpoint's bytes; see `read_checkpoint`.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What error messages call it.
    max_bytes : int
        The largest sum of the tensors' sizes.
    """
    if data.startswith(_ZIP):
        found = _parse_archive(data, name, max_bytes)
    elif data[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{":
        found = _parse_safetensors(data, name)
    else:
        kind = (
            "a bare pickle, which could run code" if data[:1] == b"\x80" else "binary"
        )
        msg = f"checkpoint {name!r}: is {kind if data else 'empty'}; {_CURE}"
        raise ArchiveError(msg)
    return _dense(found, name, max_bytes)


def parse_archive(
    data: bytes, name: str, *, max_bytes: int = MAX_BYTES
) -> tuple[Mapping[str, Any], dict[str, torch.Tensor]]:
    """Return what a file of torch.save holds beside its tensors, and the tensors.

    Parameters
    ----------
    data : bytes
        The whole file: an archive with a mapping that holds ``state_dict``.
    name : str
        What error messages call it.
    max_bytes : int
        The largest sum of the tensors' sizes.

    Returns
    -------
    tuple of (mapping, dict)
        Plain containers and values, unchecked; the tensors as `parse_checkpoint`
        returns them.

    Raises
    ------
    ArchiveError
        As `parse_checkpoint`.
    """
    if not data.startswith(_ZIP):
        msg = f"checkpoint {name!r}: is not an archive of torch.save; wanted one"
        raise ArchiveError(msg)
    found = _parse_archive(data, name, max_bytes)
    tensors = _dense(found, name, max_bytes)
    return found, tensors


@dataclass(frozen=True, eq=False)
class FileBytes:
    """A file's bytes, equal to others if their hash is; the key of caches.

    Attributes
    ----------
    data : bytes
    sha256 : str
        64 hex digits.
    name : str
        What error messages call the file.
    """

    data: bytes
    sha256: str
    name: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read a file as `read_bytes` does, and hash it."""
        data = read_bytes(path)
        return cls(data, hashlib.sha256(data).hexdigest(), str(path))

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileBytes) and self.sha256 == other.sha256


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file that is not too large; see `read_checkpoint`."""
    try:
        with path.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            # A device or a pipe has no size, so reading is bounded as well.
            data = source.read(max_bytes + 1) if size <= max_bytes else b""
    except OSError as error:
        raise DataError(_unreadable(path, error)) from error
    if size > max_bytes or len(data) > max_bytes:
        msg = (
            f"checkpoint {str(path)!r}: has {max(size, len(data)):,} bytes, at most "
            f"{max_bytes:,} are read; is it a checkpoint?"
        )
        raise ArchiveError(msg)
    return data


def _unreadable(path: Path, error: OSError) -> str:
    return (
        f"checkpoint {str(path)!r}: cannot be read ({error.strerror or error}); wanted "
        f"the path of a file"
    )


def _parse_safetensors(data: bytes, name: str) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(data)
    except (SafetensorError, ValueError, RuntimeError, KeyError) as error:
        raise ArchiveError(_broken(name, "safetensors", error)) from error


def _parse_archive(data: bytes, name: str, max_bytes: int) -> Any:
    """Read an archive of torch.save; its members are never written to a disk."""
    import torch

    try:
        members = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ArchiveError(_broken(name, "torch.save", error)) from error
    # torch.save compresses nothing, so that a member is never larger than the file.
    if any(one.compress_type != zipfile.ZIP_STORED for one in members) or (
        sum(one.file_size for one in members) > max_bytes
    ):
        msg = f"checkpoint {name!r}: has compressed or oversized members; {_CURE}"
        raise ArchiveError(msg)
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:
        # A hostile file can make the reader raise nearly anything.
        raise ArchiveError(_broken(name, "torch.save", error)) from error


def _broken(name: str, kind: str, error: Exception) -> str:
    """Return one line about a file that a reader refused."""
    text = " ".join(str(error).split())
    # PyTorch's own message recommends to trust the file; this one does not.
    culprit = re.search(r"[Uu]nsupported (?:global: )?GLOBAL (\S+)", text)
    if culprit:
        return f"checkpoint {name!r}: holds {culprit[1]}, not only tensors; {_CURE}"
    text = text.partition("WeightsUnpickler error: ")[2] or text
    return (
        f"checkpoint {name!r}: is damaged or not of {kind} "
        f"({type(error).__name__}: {text[:120]}); download it again"
    )


def _dense(found: Any, name: str, max_bytes: int) -> dict[str, torch.Tensor]:
    """Return the tensors of a loaded object; refuse everything else."""
    for key in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        msg = f"checkpoint {name!r}: holds no named tensors; {_CURE}"
        raise ArchiveError(msg)
    total, tensors = 0, dict[str, "torch.Tensor"]()
    for key, value in found.items():
        total += _size(key, value, name)
        tensors[str(key)] = value
    if total > max_bytes:
        msg = (
            f"checkpoint {name!r}: declares {total:,} bytes of tensors, at most "
            f"{max_bytes:,} are read; is it a checkpoint?"
        )
        raise ArchiveError(msg)
    return tensors


def _size(key: object, value: Any, name: str) -> int:
    """Return the bytes that a tensor declares; refuse what is not a dense tensor."""
    import torch

    if not isinstance(key, str) or type(value) is not torch.Tensor:
        kind = type(value).__name__
        msg = f"checkpoint {name!r}: {key!r} is a {kind}, not a tensor; {_CURE}"
        raise ArchiveError(msg)
    declared = value.numel() * value.element_size()
    # A stride of 0 declares any size over one stored number.
    if value.layout is not torch.strided or declared > value.untyped_storage().nbytes():
        msg = (
            f"checkpoint {name!r}: tensor {key!r} declares {declared:,} bytes of shape "
            f"{tuple(value.shape)}, which the file does not hold; {_CURE}"
        )
        raise ArchiveError(msg)
    return declared
