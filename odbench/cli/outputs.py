"""Refuse to write a result over a file that the call reads, or over another result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from odbench.errors import UsageError


def check_outputs(
    outputs: Mapping[str, Path | None], inputs: Mapping[str, Path | str | None]
) -> None:
    """Check that every output is a file of its own.

    Parameters
    ----------
    outputs, inputs : mapping of str to path
        By option or argument; None for one that is not given. "-" as an input is
        stdin.

    Raises
    ------
    UsageError
        If an output is an input or another output, by any name.
    """
    taken = [
        (name, Path(path))
        for name, path in inputs.items()
        if path is not None and str(path) != "-"
    ]
    for name, path in outputs.items():
        if path is None:
            continue
        for other, place in taken:
            if _is_same(path, place):
                msg = (
                    f"{name} {str(path)!r}: is the file of {other}, too; name another "
                    f"file"
                )
                raise UsageError(msg)
        taken.append((name, path))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve() or one.samefile(other)
    except (OSError, RuntimeError, ValueError):
        return False
