"""The text form of detectors: ``knn:k=20``, ``file.py:Class[a=1,b=x]``.

This module only handles text and does not look detectors up. A list is split at commas
and semicolons; an item that is only ``name=value`` continues the item before it. Values
are Python or TOML literals; anything else is a string. A target in double quotes, such
as a path with a comma in it, is taken as it is.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from odbench.errors import UsageError

_CONSTANTS = {
    "none": None,
    "null": None,
    "true": True,
    "false": False,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
    "nan": math.nan,
}
_ASSIGNMENT = re.compile(r"\s*([A-Za-z_]\w*)\s*=(.*)", re.DOTALL)
_BARE_WORD = re.compile(r"[A-Za-z_][\w.+-]*")
# A target in double quotes, in which a backslash escapes the next character.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# A longer value, such as an array, is named by its type and a hash: in a label that is
# read, and in the record of a run, which a leaderboard repeats.
_READABLE, _RECORDED = 200, 10_000


def parse_specs(text: str) -> list[str]:
    """Split the value of ``--detectors`` into one text per detector.

    Parameters
    ----------
    text : str
        Items separated by commas or semicolons outside brackets and quotes. An item
        such as ``method=mean`` continues the one before it.
        A path with commas or colons goes in double quotes, its parameters after them:
        ``"a,b/file.py:Mine":k=3``.

    Returns
    -------
    list of str
        Specs for `odbench.plugins.find.find_detector`, in the order written.

    Raises
    ------
    UsageError
        If a bracket or a quote is not closed, or a parameter has no detector.

    Examples
    --------
    >>> parse_specs("knn:k=20,method=mean,lof;pyod.LODA")
    ['knn:k=20,method=mean', 'lof', 'pyod.LODA']
    """
    specs: list[str] = []
    for group in split_outside(text, ";"):
        fresh = True
        for item in split_outside(group, ","):
            if not item.strip():
                continue
            if not _ASSIGNMENT.fullmatch(item):
                specs.append(item.strip())
            elif fresh or not _takes_more(specs[-1]):
                msg = (
                    f"--detectors: parameter {item.strip()!r} has no detector before "
                    f"it; write NAME:{item.strip()}"
                )
                raise UsageError(msg)
            else:
                specs[-1] += "," + item.strip()
            fresh = False
    return specs


def _takes_more(spec: str) -> bool:
    """Check whether a spec ends in a parameter, so that a comma may continue it."""
    _, inside, bracketed = _parts(spec)
    return bool(inside.strip()) and not bracketed


def split_outside(text: str, separator: str) -> list[str]:
    """Split at a separator outside brackets and quotes."""
    parts, start, opened, quote, escaped = [], 0, [], "", False
    for i, char in enumerate(text):
        if escaped:
            escaped = False
        elif quote:
            escaped = char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            opened.append(char)
        elif char in _PAIRS:
            if not opened or opened.pop() != _PAIRS[char]:
                msg = f"--detectors: {text!r} has a {char!r} that nothing opens"
                raise UsageError(msg)
        elif char == separator and not opened:
            parts.append(text[start:i])
            start = i + 1
    if quote or opened:
        msg = f"--detectors: {text!r} leaves a {quote or opened[-1]!r} open"
        raise UsageError(msg)
    return [*parts, text[start:]]


def split_spec(spec: str) -> tuple[str, dict[str, Any]]:
    """Split a spec into its target and its parameters.

    Parameters
    ----------
    spec : str
        ``target``, ``target:a=1,b=x`` or ``target[a=1,b=x]``; the target may be in
        double quotes.

    Returns
    -------
    tuple of (str, dict)
        The target and the parsed parameters, in the order written.

    Raises
    ------
    UsageError
        If a parameter is not ``name=value`` or is given twice.

    Examples
    --------
    >>> split_spec("my/file.py:Mine:k=20,scale=none")
    ('my/file.py:Mine', {'k': 20, 'scale': None})
    """
    target, inside, _ = _parts(spec)
    params: dict[str, Any] = {}
    for item in split_outside(inside, ","):
        assignment = _ASSIGNMENT.fullmatch(item)
        if assignment is None:
            if not item.strip():
                continue
            msg = f"detector {spec!r}: got {item.strip()!r} where name=value is wanted"
            raise UsageError(msg)
        if assignment[1] in params:
            msg = f"detector {spec!r}: parameter {assignment[1]!r} is given twice"
            raise UsageError(msg)
        params[assignment[1]] = parse_value(assignment[2])
    return target, params


def _parts(spec: str) -> tuple[str, str, bool]:
    """Split a spec into its target, its parameters and whether those are bracketed."""
    text = spec.strip()
    quoted = _QUOTED.match(text)
    head = re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL) if quoted else ""
    rest = text[quoted.end() :] if quoted else text
    colon = re.search(r":\s*(?=[A-Za-z_]\w*\s*=)", rest)
    bracket = rest.find("[") if rest.endswith("]") else -1
    if bracket >= 0 and (colon is None or bracket < colon.start()):
        return head + rest[:bracket].strip(), rest[bracket + 1 : -1], True
    if colon is not None:
        return head + rest[: colon.start()].strip(), rest[colon.end() :], False
    return head + rest.strip(), "", False


def is_import(target: str) -> bool:
    """Check whether a spec's target names code instead of an installed detector."""
    return ":" in target or target.endswith(".py")


def join_spec(target: str, params: Mapping[str, Any]) -> str:
    """Write a spec that `split_spec` splits into the same target and parameters.

    Examples
    --------
    >>> join_spec("knn", {"k": 20}), join_spec("a,b/file.py:Mine", {"k": 3})
    ('knn:k=20', '"a,b/file.py:Mine":k=3')
    """
    if re.fullmatch(r"[\w./~@%+ -]+(:[\w.]+)?", target) is None:
        escaped = re.sub(r'(["\\])', r"\\\1", target)
        target = f'"{escaped}"'
    return f"{target}:{format_params(params)}" if params else target


def parse_value(text: str) -> Any:
    """Read a value as a Python or TOML literal, else as a string.

    Examples
    --------
    >>> [parse_value(t) for t in ("20", "1e-3", "true", "None", "mean", "'20'")]
    [20, 0.001, True, None, 'mean', '20']
    """
    text = text.strip()
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def format_value(value: Any) -> str:
    """Write a value so that `parse_value` reads the same value back.

    A value that is not a literal (an estimator, a function) is described by its type
    and a short hash instead, which is enough for a label.
    """
    value = as_json(value)
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        bare = _BARE_WORD.fullmatch(value) and value.lower() not in _CONSTANTS
        return value if bare else repr(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_python_literal, value)) + "]"
    return _python_literal(value)


def _python_literal(value: Any) -> str:
    """Write a value as Python does; an infinite one as a literal that overflows."""
    if isinstance(value, list):
        return "[" + ",".join(map(_python_literal, value)) + "]"
    if isinstance(value, dict):
        pairs = (f"{k!r}:{_python_literal(v)}" for k, v in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, float) and math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)


def format_params(params: Mapping[str, Any]) -> str:
    """Write parameters as ``a=1,b=x``, sorted by name."""
    return ",".join(f"{name}={format_value(params[name])}" for name in sorted(params))


def label_params(params: Mapping[str, Any]) -> str:
    """Write parameters for a reader, as `format_params` does if they are short.

    A label stands in every row of the results, so an array must not be written out.

    Examples
    --------
    >>> label_params({"k": 20, "weights": list(range(100))})
    'k=20,weights=list#9dd50adb'
    """
    return ",".join(f"{name}={_readable(params[name])}" for name in sorted(params))


def recorded_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON values, with a hash in place of a huge one."""
    return {
        name: _hashed(value, _RECORDED) or as_json(value)
        for name, value in params.items()
    }


def _readable(value: Any) -> str:
    return _hashed(value, _READABLE) or format_value(value)


def _hashed(value: Any, most: int) -> str:
    """Return the type and a hash of a value whose text is longer, else ``""``."""
    text = format_value(value)
    if len(text) <= most:
        return ""
    return f"{type(value).__name__}#{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def is_literal(value: Any) -> bool:
    """Check whether a value is the same after writing and reading it."""
    if isinstance(value, (list, tuple)):
        return all(is_literal(v) for v in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and is_literal(v) for k, v in value.items())
    if isinstance(value, (bool, int, float, str)):
        return True
    return value is None or type(value).__module__ == "numpy"


def has_address(value: Any) -> bool:
    """Check whether a value is printed with its place in memory."""
    try:
        return _ADDRESS.search(repr(value)) is not None
    except Exception:
        # A stranger's object may raise anything here.
        return False


def as_json(value: Any) -> Any:
    """Return a parameter's value as a JSON value."""
    if isinstance(value, float):
        return float(value)  # NumPy's float64 is a float, but has another repr
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [as_json(v) for v in value]
    if isinstance(value, (set, frozenset)):
        # Their own order differs between processes.
        return sorted(map(as_json, value), key=repr)
    if isinstance(value, dict):
        return {str(k): as_json(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        return as_json(value.tolist())
    if hasattr(value, "__qualname__") and hasattr(value, "__module__"):
        return f"{value.__module__}.{value.__qualname__}"
    try:
        described = _ADDRESS.sub("", repr(value))
    except Exception:
        # A stranger's object may raise anything here.
        described = ""
    digest = hashlib.sha256(described.encode()).hexdigest()[:8]
    return f"{type(value).__name__}#{digest}"


def identity(detector: str, params: Mapping[str, Any]) -> str:
    """Return 12 hex digits that identify a configuration.

    Parameters
    ----------
    detector : str
        The detector's name.
    params : mapping
        Its full parameters.

    Returns
    -------
    str
        The start of sha256 over canonical JSON of both.
    """
    text = json.dumps(
        {"detector": detector, "params": as_json(dict(params))},
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]
