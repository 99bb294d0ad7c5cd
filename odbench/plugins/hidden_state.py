"""Digest what a detector holds and reaches beside its parameters and its file.

Two closures, two bound methods or two objects that keep their parameters to themselves
look alike otherwise, and one's results would be taken for the other's. So would two
states of a notebook, whose code has no file: one of its functions, classes or numbers
was changed, and the detector that uses it was not.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from odbench.plugins import sources
from odbench.plugins.specs import as_json, has_address

# Types that only wrap a function -> the attribute that holds it.
_WRAPPED = {
    staticmethod: "__func__",
    classmethod: "__func__",
    property: "fget",
    functools.cached_property: "func",
    type(functools.cache(len)): "__wrapped__",
}
# Instructions that look a name up among the globals.
_LOOKS_UP = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_IMPORTS = frozenset({"IMPORT_NAME"})


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


def code_digest(target: Any) -> str:
    """Return 12 hex digits of code without a file, and of all that it uses.

    Parameters
    ----------
    target : class or function
        Of a notebook, an interactive session or the script that runs.

    Returns
    -------
    str
        It changes with the source (without one, with the bytecode) of the target and of
        the functions and classes that it names, with the values of the globals that it
        names, and with the files of modules that are not installed.
    """
    told = [getattr(target, "__qualname__", ""), hidden(target, set())]
    text = json.dumps(told, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


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
    if isinstance(value, functools.partial) or inspect.ismethod(value):
        return _of_bound(value, seen)
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, type):
        return _of_class(value, seen)
    function = function_in(value)
    if function is not None:
        return _of_function(function, seen)
    return _of_object(value, seen)


def _of_bound(value: Any, seen: set[int]) -> Any:
    """Describe a function together with what is bound to it."""
    if inspect.ismethod(value):
        parts: tuple[Any, ...] = (value.__name__, value.__func__, value.__self__)
    else:
        parts = ("partial", value.func, value.args, value.keywords)
    return [parts[0], *(_full(part, seen) for part in parts[1:])]


def _full(value: Any, seen: set[int]) -> Any:
    if isinstance(value, ModuleType):
        # It is printed with its path, which differs between machines.
        return [value.__name__, hidden(value, seen)]
    return [as_json(value), hidden(value, seen)]


def function_in(value: Any) -> FunctionType | None:
    """Return a function, or the one that a descriptor or numba holds, else None."""
    while type(value) in _WRAPPED:
        value = getattr(value, _WRAPPED[type(value)])
    value = getattr(value, "py_func", value)
    return value if isinstance(value, FunctionType) else None


def _of_function(function: FunctionType, seen: set[int]) -> Any:
    """Describe a function by its code, and by what it names or closes over.

    One that a module on the disk defines is described by that file, and by what it
    closes over if it was made within another. One that is installed needs nothing.
    """
    is_here, is_inner = _is_here(function.__module__), "<" in function.__qualname__
    if id(function) in seen:
        return None
    code: Any = _of_file(function.__module__)
    if not (is_here or is_inner):
        return code
    seen.add(id(function))
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_set(cell)]
    held = (cells, function.__defaults__, function.__kwdefaults__)
    if is_inner or not (source := _source(function)):
        code = [code, code_facts(function.__code__)]
    else:
        code = source
    named = _named(function, seen) if is_here else {}
    return [code, named, *(_full(each, seen) for each in held)]


def _named(function: FunctionType, seen: set[int]) -> dict[str, Any]:
    """Describe the globals and the modules that a function's code names."""
    known, found = function.__globals__, dict[str, Any]()
    for opname, name in sorted(set(_names(function.__code__))):
        if opname in _IMPORTS:
            found[f"import {name}"] = _of_file(name)
        elif name in known:
            found[name] = _full(known[name], seen)
    return found


def _names(code: CodeType) -> Iterator[tuple[str, str]]:
    for each in dis.get_instructions(code):
        if each.opname in _LOOKS_UP or each.opname in _IMPORTS:
            yield each.opname, each.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _of_class(owner: type, seen: set[int]) -> Any:
    """Describe a class without a file by its attributes and those of its bases."""
    if id(owner) in seen:
        return None
    if not _is_here(owner.__module__):
        return _of_file(owner.__module__)
    seen.add(id(owner))
    own = {}
    for name, value in vars(owner).items():
        function = function_in(value)
        if function is not None:
            own[name] = hidden(value, seen)
        elif not name.startswith("__") and name != "_abc_impl":
            own[name] = _full(value, seen)
    return [_source(owner), own, [hidden(base, seen) for base in owner.__bases__]]


def is_whole(function: Any) -> bool:
    """Check whether the version of a function's code tells all that it holds."""
    if not isinstance(function, FunctionType):
        return False
    return "<" not in function.__qualname__ or _is_here(function.__module__)


def _is_here(module: str | None) -> bool:
    """Check whether code was typed in, or is the script that runs."""
    known = sys.modules.get(module or "")
    if known is None or module == "__main__":
        return True
    return known.__spec__ is None and getattr(known, "__file__", None) is None


def _of_file(module: str | None) -> str | None:
    """Return a digest of a module's file; None if it has none or is installed."""
    if not module or module == "__main__":
        return None
    known = sys.modules.get(module)
    file = getattr(known, "__file__", None)
    if known is None:
        # A function that imports it was not called yet.
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(module.partition(".")[0])
            file = spec.origin if spec is not None else None
    if file is None or not Path(file).is_file() or sources.is_installed(Path(file)):
        return None
    return sources.file_digest(Path(file))


def _source(target: Any) -> str:
    """Return the source of a class or function, "" where there is none."""
    try:
        return inspect.getsource(target)
    except (OSError, TypeError):
        return ""


def _is_set(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True


def code_facts(code: CodeType) -> list[Any]:
    """Describe compiled code, without its lines and its file."""
    constants = [_of_constant(each) for each in code.co_consts]
    return [code.co_name, code.co_code.hex(), constants, list(code.co_names)]


def _of_constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return code_facts(value)
    # The order of a set of texts is another in each process.
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _of_object(value: Any, seen: set[int]) -> Any:
    """Describe an object by its class, and by what it holds if its text hides that."""
    if isinstance(value, ModuleType):
        return _of_file(value.__name__)
    if hasattr(value, "tolist") or id(value) in seen:
        return None
    code = hidden(type(value), seen)
    if not has_address(value):
        return code
    seen.add(id(value))
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    held = attributes_of(value)
    return [kind, code, {name: _full(each, seen) for name, each in held.items()}]


def attributes_of(value: object) -> dict[str, Any]:
    """Return the attributes of an object, those of ``__slots__`` among them."""
    held = dict(getattr(value, "__dict__", {}))
    for owner in type(value).__mro__:
        slots = vars(owner).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                held[name] = getattr(value, name)
    return held
