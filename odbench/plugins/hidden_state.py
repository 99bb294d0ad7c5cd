"""Digest what a detector object holds beside its parameters and its code.

Two closures, two bound methods or two objects that keep their parameters to themselves
look alike otherwise, and one's results would be taken for the other's.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping
from types import CodeType
from typing import Any

from odbench.plugins.specs import as_json, has_address

# Levels of objects within objects that are looked into.
_DEEPEST = 6


def digest(states: Iterable[Any], kept: Mapping[str, Any]) -> str:
    """Return 12 hex digits of what objects hold, "" if that is nothing.

    Parameters
    ----------
    states : iterable
        Functions, and values of parameters.
    kept : mapping
        Attributes that are no parameters.
    """
    told = [hidden(state) for state in states]
    if not kept and not any(each is not None for each in told):
        return ""
    told += [[name, _full(value, 0)] for name, value in kept.items()]
    text = json.dumps(told, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def hidden(value: Any, depth: int = 0) -> Any:
    """Return what `as_json` does not tell about a value, None if it tells everything.

    Parameters
    ----------
    value : object
        Anything a stranger's object may hold.
    depth : int
        How many objects it is inside of.

    Returns
    -------
    object
        Made of JSON's types.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(value, (list, tuple)):
        found = [hidden(each, depth + 1) for each in value]
        return found if any(each is not None for each in found) else None
    if isinstance(value, Mapping):
        return hidden([[str(key), each] for key, each in value.items()], depth)
    if isinstance(value, functools.partial):
        parts = (value.func, value.args, value.keywords)
        return ["partial", *(_full(part, depth + 1) for part in parts)]
    if inspect.ismethod(value):
        return [value.__name__, _full(value.__self__, depth + 1)]
    if inspect.isfunction(value):
        return _of_function(value, depth)
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    return None if isinstance(value, type) else _of_object(value, depth)


def _full(value: Any, depth: int) -> Any:
    return [as_json(value), hidden(value, depth)]


def _of_function(function: Any, depth: int) -> Any:
    """Describe a function that its name does not: one made within another."""
    if "<" not in function.__qualname__:
        return None
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_set(cell)]
    held = (cells, function.__defaults__, function.__kwdefaults__)
    return [_of_code(function.__code__), *(_full(each, depth + 1) for each in held)]


def _is_set(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True


def _of_code(code: CodeType) -> list[Any]:
    constants = [_of_constant(each) for each in code.co_consts]
    return [code.co_name, code.co_code.hex(), constants, list(code.co_names)]


def _of_constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _of_code(value)
    # The order of a set of texts is another in each process.
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _of_object(value: Any, depth: int) -> Any:
    """Describe an object that is printed with its address, by what it holds."""
    if hasattr(value, "tolist") or not has_address(value):
        return None
    held = getattr(value, "__dict__", {})
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return [kind, {name: _full(each, depth + 1) for name, each in held.items()}]
