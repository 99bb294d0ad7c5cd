"""Derive a `DetectorInfo` for classes and functions without a description.

The constructor's signature gives the parameters; a ``random_state`` among them means
that the detector is not deterministic.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import inspect
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odbench.detector import DetectorInfo
from odbench.errors import DetectorError
from odbench.plugins import hidden_state, sources
from odbench.plugins.adapter import FunctionDetector

_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Stands for the reference value of a parameter without a default.
UNSET = "(unset)"


@dataclass(frozen=True)
class Signature:
    """Facts about a detector, derived from its signature.

    Attributes
    ----------
    defaults : mapping
        Every parameter with a default, except ``random_state``.
    required : tuple of str
        Parameters without a default.
    random : bool
        Whether there is a ``random_state``.
    open_ended : bool
        Whether it accepts ``**kwargs``.
    """

    defaults: Mapping[str, Any]
    required: tuple[str, ...]
    random: bool
    open_ended: bool


def read_signature(target: Callable[..., Any], *, skip: int = 0) -> Signature:
    """Read the parameters of a class or function, without the first `skip`."""
    try:
        parameters = list(inspect.signature(target).parameters.values())[skip:]
    except (TypeError, ValueError):
        return Signature({}, (), random=False, open_ended=True)
    named = [p for p in parameters if p.kind not in _VARIADIC]
    return Signature(
        defaults={
            p.name: p.default
            for p in named
            if p.default is not p.empty and p.name != "random_state"
        },
        required=tuple(p.name for p in named if p.default is p.empty),
        random=any(p.name == "random_state" for p in named),
        open_ended=any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


def describe(target: object, name: str, given: Mapping[str, Any]) -> DetectorInfo:
    """Return the info of a class without one, or of a function of both splits.

    Parameters
    ----------
    target : object
        A detector's class or a function ``f(X_train, X_test, **params)``.
    name : str
        Its name.
    given : mapping
        Parameters set by the user, possibly ones without a default.

    Returns
    -------
    DetectorInfo
        Its `params` are the constructor's defaults.

    Raises
    ------
    DetectorError
        If `target` is neither, or a parameter without a default is not given.
    """
    if isinstance(target, type):
        signature = read_signature(target)
        build: Callable[..., Any] = target
    elif callable(target) and is_scoring_function(target):
        signature = read_signature(target, skip=2)
        build = _FunctionBuilder(target)
    else:
        msg = (
            f"detector {name!r}: got {_describe_kind(target)}; wanted a detector's "
            f"class, a DetectorInfo, or a function f(X_train, X_test)"
        )
        raise DetectorError(msg)
    lacking = [p for p in signature.required if p not in given]
    if lacking:
        example = ",".join(f"{p}=..." for p in lacking)
        msg = (
            f"detector {name!r}: parameter {lacking[0]!r} has no default; "
            f"write it after the detector, as in ...:{example}"
        )
        raise DetectorError(msg)
    # A parameter without a default never equals its reference: labels always show it.
    named = given if signature.open_ended else {}
    params = {
        **dict.fromkeys([*signature.required, *named], UNSET),
        **signature.defaults,
    }
    params.pop("random_state", None)
    return DetectorInfo(
        name=name,
        summary=first_line(target),
        build=build,
        params=params,
        deterministic=not signature.random,
        scores_batch=hasattr(target, "score_batch"),
    )


def is_scoring_function(target: object) -> bool:
    """Check whether this is a function whose first two parameters are the splits."""
    if isinstance(target, type) or not callable(target):
        return False
    try:
        parameters = list(inspect.signature(target).parameters.values())[:2]
    except (TypeError, ValueError):
        return False
    return len(parameters) == 2 and all(
        p.kind in _POSITIONAL and p.default is p.empty for p in parameters
    )


class _FunctionBuilder:
    """Builds the detector of a function; a class, so that it can be pickled."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, **params: Any) -> FunctionDetector:
        return FunctionDetector(_Partial(self.function, params))


class _Partial:
    """A function with parameters bound by name."""

    def __init__(self, function: Any, params: Mapping[str, Any]) -> None:
        self.function, self.params = function, dict(params)

    def __call__(self, X_train: Any, X_test: Any) -> Any:
        return self.function(X_train, X_test, **self.params)


def first_line(target: object) -> str:
    """Return the first line of a docstring, or nothing."""
    own = target.__dict__.get("__doc__") if isinstance(target, type) else None
    text = own if isinstance(target, type) else getattr(target, "__doc__", None)
    lines = (text or "").strip().splitlines()
    return lines[0].strip() if lines else ""


def source_version(target: object) -> str:
    """Return a version that changes with the detector's code.

    Parameters
    ----------
    target : object
        A class or a function.

    Returns
    -------
    str
        ``distribution version`` for installed code; otherwise 12 hex digits of the
        source: of the file or the whole package that contains it, and of the modules
        beside it that it imports. For code of a notebook, an interactive session or the
        script that runs, of the code and of all that it names.
    """
    if isinstance(target, DetectorInfo):
        target = target.build
    module = sys.modules.get(getattr(target, "__module__", "") or "")
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__ == "__main__":
        return hidden_state.code_digest(target)
    path = Path(file)
    if sources.is_installed(path):
        return _distribution_version(module.__name__.partition(".")[0])
    return sources.file_digest(path)


def module_file(module: str) -> Path:
    """Return the file of a module's outermost package, without importing it."""
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None or spec.origin is None:
        # A namespace has no file of its own: the module itself has one.
        spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        msg = f"{module}: has no source file; install its package again"
        raise DetectorError(msg)
    return Path(spec.origin)


def is_importable_anywhere(module: str, file: Path) -> bool:
    """Check whether any process of this Python can import a module by its name."""
    parts = Path(*module.split("."))
    homes = {file.parents[len(parts.parts) - (file.name != "__init__.py")]}
    return sources.is_installed(file) or bool(homes & _editable_folders())


@functools.cache
def _providers() -> Mapping[str, list[str]]:
    """Return the distributions of each module; cached, as it reads all metadata."""
    return importlib.metadata.packages_distributions()


def _editable_folders() -> set[Path]:
    """Return the folders that editable installs put on every process's path."""
    links = Path(sysconfig.get_path("purelib")).glob("*.pth")
    lines = [line for link in links for line in link.read_text("utf-8").splitlines()]
    return {Path(line) for line in lines if line and not line.startswith("import")}


def library_versions(module: str) -> list[str]:
    """Return ``["library version"]`` of the distribution that provides a module."""
    names = _providers().get(module.partition(".")[0], [])
    return [f"{name} {importlib.metadata.version(name)}" for name in names[:1]]


def _distribution_version(top_level: str) -> str:
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return (library_versions(top_level) or [python])[0]


def _describe_kind(target: object) -> str:
    if inspect.isfunction(target):
        return f"a function {target.__name__}{inspect.signature(target)}"
    return f"an object of {type(target).__name__}"
