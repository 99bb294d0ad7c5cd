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


def digest(states: Iterable[Any], kept: Mapping[str, Any]) -> str:
    """Return 12 hex digits of what objects hold, "" if that is nothing.

    Parameters
    ----------
    states : iterable
        Functions, and values of parameters.
    kept : mapping
        Attributes that are no parameters.
    """
    seen: set[int] = set()
    told = [hidden(state, seen) for state in states]
    if not kept and not any(each is not None for each in told):
        return ""
    told += [[name, _full(value, seen)] for name, value in kept.items()]
    text = json.dumps(told, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def hidden(value: Any, seen: set[int]) -> Any:
    """Return what `as_json` does not tell about a value, None if it tells everything.

    Parameters
    ----------
    value : object
        Anything a stranger's object may hold.
    seen : set of int
        Places in memory of the objects that were described before, each once.

    Returns
    -------
    object
        Made of JSON's types.
    """
    if isinstance(value, (list, tuple)):
        found = [hidden(each, seen) for each in value]
        return found if any(each is not None for each in found) else None
    if isinstance(value, Mapping):
        return hidden([[str(key), each] for key, each in value.items()], seen)
    if isinstance(value, functools.partial):
        parts = (value.func, value.args, value.keywords)
        return ["partial", *(_full(part, seen) for part in parts)]
    if inspect.ismethod(value):
        return [value.__name__, _full(value.__self__, seen)]
    if inspect.isfunction(value):
        return _of_function(value, seen)
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    return None if isinstance(value, type) else _of_object(value, seen)


def _full(value: Any, seen: set[int]) -> Any:
    return [as_json(value), hidden(value, seen)]


def _of_function(function: Any, seen: set[int]) -> Any:
    """Describe a function that its name does not: one made within another."""
    if "<" not in function.__qualname__ or id(function) in seen:
        return None
    seen.add(id(function))
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_set(cell)]
    held = (cells, function.__defaults__, function.__kwdefaults__)
    return [_of_code(function.__code__), *(_full(each, seen) for each in held)]


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


def _of_object(value: Any, seen: set[int]) -> Any:
    """Describe an object that is printed with its address, by what it holds."""
    if hasattr(value, "tolist") or id(value) in seen or not has_address(value):
        return None
    seen.add(id(value))
    held = getattr(value, "__dict__", {})
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return [kind, {name: _full(each, seen) for name, each in held.items()}]
