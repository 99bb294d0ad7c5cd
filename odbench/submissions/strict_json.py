"""Canonical JSON, in which equal values give equal bytes, and a strict reader."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any, NoReturn

from odbench.errors import SubmissionError
from odbench.files import write_bytes

# Deeper values could end a later step, such as hashing, at Python's recursion limit.
_DEEPEST = 50


def canonical(value: Any) -> bytes:
    """Return a value as JSON: keys sorted, no spaces, ASCII, no NaN.

    Parameters
    ----------
    value : object
        Any nesting of dictionaries, lists, strings, numbers, booleans and None.

    Returns
    -------
    bytes

    Examples
    --------
    >>> canonical({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("ascii")


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def parse_object(content: bytes, *, where: str) -> dict[str, Any]:
    """Read a JSON object from an untrusted source.

    Parameters
    ----------
    content : bytes
        UTF-8 text; the caller limits its length.
    where : str
        Name of the source, for messages.

    Returns
    -------
    dict

    Raises
    ------
    SubmissionError
        If it is not a JSON object, repeats a key, contains NaN or a number that is
        infinite as a float, or is nested deeper than 50 levels.
    """
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        _refuse_depth(value)
    except (ValueError, RecursionError) as error:
        # Each Python has another text for a recursion.
        deep = isinstance(error, RecursionError) or not str(error)
        reason = "nested too deep" if deep else str(error).splitlines()[0][:120]
        msg = f"{where}: not readable as JSON ({reason}); wanted one JSON object"
        raise SubmissionError(msg) from None
    if not isinstance(value, dict):
        msg = f"{where}: holds a JSON {type(value).__name__}; wanted an object"
        raise SubmissionError(msg)
    return value


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made when it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    except OSError as error:
        msg = f"{str(path)!r}: cannot be written ({error.strerror}); free the place"
        raise SubmissionError(msg) from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        msg = "a key is given twice"
        raise ValueError(msg)
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        msg = f"{text[:20]} is too large a number"
        raise ValueError(msg)
    return value


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        nested = [each for each in level if isinstance(each, (dict, list))]
        level = [
            inner
            for each in nested
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    msg = f"nested deeper than {_DEEPEST} levels"
    raise ValueError(msg)


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number"
    raise ValueError(msg)
