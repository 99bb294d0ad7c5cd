"""Detectors handed over as Python objects: ``odbench.run(detectors=[Mine(k=3)])``.

An object must reach another process, so it is pickled by value into its own spec:
classes of a notebook, of ``__main__`` and of files that only this process can import
work too. Reading such a spec runs code, so only `restore_detector` reads it, from the
text that a run's own driver sent; `find_detector` refuses it.
"""

from __future__ import annotations

import base64
import copy
import functools
import importlib
import io
import pickle
import sys
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from odbench.detector import DetectorInfo
from odbench.errors import DetectorError
from odbench.plugins import hidden_state, introspect, loaded
from odbench.plugins.adapter import FunctionDetector
from odbench.plugins.specs import as_json, is_literal

PREFIX = "pickle:"
_NONE: Mapping[str, Any] = MappingProxyType({})
# Classes that this process has pickled.
_ALIVE: weakref.WeakSet[type] = weakref.WeakSet()


def is_frozen(spec: str) -> bool:
    """Check whether a text claims to be a spec of `freeze`."""
    return spec.lstrip().startswith(PREFIX)


def freeze(obj: object, overrides: Mapping[str, Any] = _NONE) -> str:
    """Return a spec that holds an object.

    Parameters
    ----------
    obj : object
        A detector, a class, a function or a `DetectorInfo`.
    overrides : mapping
        Parameters that differ from those of the object.

    Returns
    -------
    str
        ``pickle:`` and base64.

    Raises
    ------
    DetectorError
        If the object cannot be pickled.
    """
    cloudpickle = _cloudpickle()

    local = [m for m in _modules_of(obj) if _only_here(m)]
    for module in local:
        cloudpickle.register_pickle_by_value(module)
    try:
        data = _dumped(cloudpickle, (obj, version_of(obj), dict(overrides)))
    except Exception as error:
        msg = (
            f"detector {type(obj).__name__}: cannot be sent to another process "
            f"({type(error).__name__}: {error}); pass its class as "
            f"'package.module:Class' or 'file.py:Class'"
        )
        raise DetectorError(msg) from error
    finally:
        for module in local:
            cloudpickle.unregister_pickle_by_value(module)
    return PREFIX + base64.b64encode(data).decode()


def thaw(spec: str) -> tuple[Any, str, dict[str, Any]]:
    """Return the object in a spec of `freeze`, its version then, and the overrides.

    Raises
    ------
    DetectorError
        If the text is damaged or its classes cannot be imported.
    """
    try:
        data = base64.b64decode(spec.removeprefix(PREFIX), validate=True)
        obj, version, overrides = _Unpickler(io.BytesIO(data)).load()
    except Exception as error:
        msg = (
            f"detector given as an object: cannot be rebuilt "
            f"({type(error).__name__}: {error})"
        )
        raise DetectorError(msg) from error
    return obj, version, overrides


def version_of(obj: Any) -> str:
    """Return a version that changes with the code of an object or any of its steps.

    And with what it holds that neither code nor parameters tell.
    """
    parts = [step for _, step in _steps(obj)] or [obj]
    owners = [
        part
        if isinstance(part, (type, DetectorInfo)) or hasattr(part, "__code__")
        else type(part)
        for part in parts
    ]
    versions = dict.fromkeys(introspect.source_version(owner) for owner in owners)
    modules = dict.fromkeys(
        getattr(owner, "__module__", None) or "" for owner in owners
    )
    edited = map(loaded.difference, modules)
    states: list[Any] = []
    kept: dict[str, Any] = {}
    for place, part in enumerate(parts):
        if not isinstance(part, (type, DetectorInfo)):
            try:
                params = _get_params(part)
            except Exception:
                # A stranger's object may raise anything; `describe_object` tells it.
                params = {}
            if hasattr(part, "fit"):
                states += params.values()
            elif not hidden_state.is_whole(part):
                states.append(part)
            own = _kept(part, params)
            kept |= {f"{place} {name}": value for name, value in own.items()}
    held = hidden_state.digest(states, kept)
    return " ".join(filter(None, [*versions, *edited, held]))


def _kept(part: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of an object without get_params that are no parameters."""
    if not hasattr(part, "fit") or callable(getattr(part, "get_params", None)):
        return {}
    return {
        name: value
        for name, value in hidden_state.attributes_of(part).items()
        if name not in params and not name.endswith("_")
    }


def describe_object(obj: Any, spec: str) -> tuple[DetectorInfo, dict[str, Any]]:
    """Derive the facts about a detector object.

    Parameters
    ----------
    obj : object
        A detector or a pipeline.
    spec : str
        The result of `freeze` for it.

    Returns
    -------
    tuple of (DetectorInfo, dict)
        The info, whose `params` are the class's defaults; the parameters that
        differ from them.
    """
    if isinstance(obj, FunctionDetector):
        obj = obj.function
    steps = _steps(obj)
    parts = [step for _, step in steps] or [obj]
    params: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    seeded = False
    for prefix, part in steps or [("", obj)]:
        defaults = introspect.read_signature(type(part)).defaults
        for name, value in _get_params(part).items():
            if name == "random_state":
                seeded = seeded or value is None
            if name != "random_state" or value is not None:
                key = f"{prefix}__{name}" if prefix else name
                params[key] = defaults.get(name)
                if name not in defaults or as_json(value) != as_json(defaults[name]):
                    overrides[key] = value
    return (
        DetectorInfo(
            name="+".join(type(part).__name__ for part in parts),
            summary=introspect.first_line(type(obj)),
            build=Rebuild(spec),
            params=params,
            deterministic=not seeded,
            scores_batch=hasattr(obj, "score_batch"),
        ),
        overrides,
    )


def is_instance(obj: Any) -> bool:
    """Check whether this is a detector object, such as a pipeline, not its class."""
    described = isinstance(obj, (type, DetectorInfo)) or hasattr(obj, "members")
    return not described and callable(getattr(obj, "fit", None))


def with_params(obj: Any, given: Mapping[str, Any]) -> Any:
    """Return an unfitted copy of a detector object with other parameters.

    Parameters
    ----------
    obj : object
        A detector or a pipeline.
    given : mapping
        Parameters for its ``set_params``, such as ``{"knn__k": 3}``.

    Raises
    ------
    DetectorError
        If it has no such parameters.
    """
    if not given:
        return obj
    copied = copy.deepcopy(obj)
    try:
        return copied.set_params(**given) or copied
    except (ValueError, AttributeError, TypeError) as error:
        name = type(obj).__name__
        lines = str(error).strip().splitlines() or [""]
        msg = f"detector {name}: cannot set {', '.join(given)} ({lines[0]})"
        raise DetectorError(msg) from error


class Rebuild:
    """Builds a fresh copy of a frozen object."""

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def __call__(self, random_state: int | None = None, **_: Any) -> Any:
        """Return a copy whose unset random states are set."""
        obj = thaw(self.spec)[0]
        if random_state is None:
            return obj
        for part in [step for _, step in _steps(obj)] or [obj]:
            if "random_state" in _get_params(part) and part.random_state is None:
                part.random_state = random_state
        return obj


def _dumped(cloudpickle: Any, value: Any) -> bytes:
    """Return a pickle, and note the classes in it."""

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, type):
                _ALIVE.add(obj)
            return super().reducer_override(obj)

    sink = io.BytesIO()
    Pickler(sink).dump(value)
    return sink.getvalue()


class _Unpickler(pickle.Unpickler):
    """Reads a pickle without changing the classes of the process that wrote it.

    cloudpickle gives a class that it finds again the methods of the pickle, which keep
    the globals of then: a helper that is edited later would never be called.
    """

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if name == "_class_setstate":
            return functools.partial(_set_state, found)
        return found


def _set_state(set_state: Any, owner: type, state: Any) -> Any:
    return owner if owner in _ALIVE else set_state(owner, state)


def _cloudpickle() -> Any:
    """Return the module, which older versions of joblib contain."""
    try:
        return importlib.import_module("cloudpickle")
    except ImportError:
        return importlib.import_module("joblib.externals.cloudpickle")


def _steps(obj: Any) -> list[tuple[str, Any]]:
    """Return the steps of a pipeline, or an empty list for anything else."""
    steps = getattr(obj, "steps", None)
    if not isinstance(steps, list):
        return []
    return [(n, s) for n, s in steps if s is not None and not isinstance(s, str)]


def _get_params(obj: Any) -> Mapping[str, Any]:
    """Return an object's parameters, or its attributes if it has no get_params."""
    if callable(getattr(obj, "get_params", None)):
        try:
            found: Mapping[str, Any] = obj.get_params(deep=False)
        except TypeError:
            found = obj.get_params()
        return found
    own = hidden_state.attributes_of(obj)
    return {
        name: value
        for name, value in own.items()
        if not name.startswith("_") and not name.endswith("_") and is_literal(value)
    }


def _modules_of(obj: Any) -> Iterable[Any]:
    parts = [part for _, part in _steps(obj)] or [obj]
    owners = {type(part) for part in parts} | {
        part for part in parts if isinstance(part, type) or hasattr(part, "__code__")
    }
    names = {getattr(owner, "__module__", None) or "" for owner in owners}
    return [sys.modules[name] for name in sorted(names) if name in sys.modules]


def _only_here(module: Any) -> bool:
    """Check whether another process may fail to import a module."""
    file = getattr(module, "__file__", None)
    if file is None or module.__name__ in ("__main__", "builtins"):
        return False  # cloudpickle sends __main__ by value on its own
    return not introspect.is_importable_anywhere(module.__name__, Path(file))
