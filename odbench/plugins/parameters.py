"""Check parameters against the annotations, docstring and defaults of a detector."""

from __future__ import annotations

import inspect
import numbers
import re
import types
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np

from odbench.plugins.adapter import FunctionDetector

# Type in an annotation -> types of values that it accepts; a whole number is a float.
_PLAIN_TYPES: Mapping[type, Any] = {
    int: numbers.Integral,
    float: numbers.Real,
    str: str,
    bool: (bool, np.bool_),
}


def wrong_type(detector: object, values: Mapping[str, Any]) -> str:
    """Return the first parameter whose value contradicts its annotation, in words.

    Parameters
    ----------
    detector : object
        A detector that was built.
    values : mapping
        The parameters that the user gave.

    Returns
    -------
    str
        Such as ``k is 'abc', wanted int``; empty if nothing contradicts. An annotation
        that is not made of plain types accepts anything. Without one, only a text for
        a parameter whose default is a number is refused, unless the docstring's line
        ``k : int or str`` allows it.
    """
    target: Any = type(detector).__init__
    if isinstance(detector, FunctionDetector):
        target = getattr(detector.function, "function", detector.function)
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return ""
    for name, value in values.items():
        wanted = _wanted(parameters.get(name), value, target, type(detector))
        if wanted:
            return f"{name} is {value!r}, wanted {wanted}"
    return ""


def _wanted(
    parameter: inspect.Parameter | None, value: object, target: Any, owner: type
) -> str:
    """Return the type that a parameter wants, empty if the value may be right."""
    if parameter is None:
        return ""
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        is_text = isinstance(value, str) and _is_number(parameter.default)
        if is_text and not _documents_text(owner, parameter.name):
            return f"a number like the default {parameter.default!r}"
        return ""
    if isinstance(annotation, str):
        annotation = _evaluated(annotation, target)
    if _accepts(annotation, value):
        return ""
    return _in_words(annotation)


def _in_words(annotation: Any) -> str:
    """Return the accepted types and values: "int", "'sums' or 'columns'"."""
    if typing.get_origin(annotation) is typing.Literal:
        *first, last = map(repr, typing.get_args(annotation))
        return f"{', '.join(first)} or {last}" if first else last
    is_class = isinstance(annotation, type)
    return annotation.__name__ if is_class else str(annotation).replace("typing.", "")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _documents_text(owner: type, name: str) -> bool:
    """Check whether a docstring's ``name : type`` line names a text among the types."""
    line = re.search(rf"(?m)^\s*{name}\s*:(.*)$", inspect.getdoc(owner) or "")
    return line is not None and re.search(r"str|['\"{]|any|object", line[1]) is not None


def _evaluated(annotation: str, target: Any) -> Any:
    """Return the type that an annotation names, or Any if it cannot be found."""
    try:
        return eval(annotation, dict(getattr(target, "__globals__", {})))  # noqa: S307 - code of the detector itself
    except Exception:
        return Any


def _accepts(annotation: Any, value: Any) -> bool:
    """Check a value against an annotation made of plain types; others accept all."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(_accepts(part, value) for part in typing.get_args(annotation))
    if origin is typing.Literal:
        return value in typing.get_args(annotation)
    if annotation in (None, type(None)):
        return value is None
    if not isinstance(annotation, type) or annotation not in _PLAIN_TYPES:
        return True
    is_bool = isinstance(value, bool)
    return is_bool is (annotation is bool) and isinstance(
        value, _PLAIN_TYPES[annotation]
    )
