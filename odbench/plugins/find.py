"""Find detectors: installed ones by entry point, others by module or file.

An entry point of the group ``odbench.detectors`` is a `DetectorInfo`, a
`DetectorFamily` or a detector's class. odbench's own come the same way, and no other
distribution can take their names. A detector is imported only when it is needed.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from odbench.detector import DetectorFamily, DetectorInfo
from odbench.errors import (
    DetectorError,
    MissingExtraError,
    OdbenchError,
    UnknownDetectorError,
)
from odbench.plugins import introspect, loaders, objects
from odbench.plugins.adapter import adapt
from odbench.plugins.configuration import Configuration
from odbench.plugins.contained import contained, prints_to_stderr
from odbench.plugins.entry_points import Registry, one_line
from odbench.plugins.specs import (
    as_json,
    is_import,
    join_spec,
    parse_specs,
    split_spec,
)
from odbench.plugins.weights import restored

__all__ = [
    "Configuration",
    "core_zoo",
    "find_detector",
    "find_detectors",
    "grid_of",
    "is_home",
    "list_detectors",
    "missing_requirements",
    "parse_specs",
    "restore_detector",
]

# Seconds after which a command says that it waits for a stranger's code.
_SLOW_SECONDS = 30.0


def find_detector(spec: str | object, *, needed: bool = True) -> Configuration:
    """Find a detector and check that it can be built.

    Parameters
    ----------
    spec : str or object
        ``knn``, ``knn:k=20``, ``knn[k=20]``, ``family.Member``,
        ``package.module:Class`` or ``path/file.py:Class`` (a function
        ``f(X_train, X_test)`` does too, and so does an object such as a pipeline),
        each with parameters; or a detector object, its class, such a function, or a
        `DetectorInfo`.
    needed : bool
        Refuse it if a module that it needs is not installed. Without it, what its info
        says is known all the same.

    Returns
    -------
    Configuration
        With the parameters given; the rest are the detector's reference.

    Raises
    ------
    UnknownDetectorError
        If nothing has that name.
    MissingExtraError
        If it needs a module that is not installed.
    DetectorError
        If the plugin is broken, or has no such parameter.
    """
    if isinstance(spec, Configuration):
        return spec
    with contained():
        return _found(spec, needed=needed)


def _found(spec: str | object, *, needed: bool = True) -> Configuration:
    if not isinstance(spec, str):
        with _code_of(type(spec).__name__):
            found = _from_object(objects.freeze(spec))
        if needed:
            _check_requirements(found.info)
        return found
    if objects.is_frozen(spec):
        msg = (
            f"detector {spec.strip()[:40]!r}: is a pickled object, and reading it "
            f"would run its code; pass the object itself to odbench.run, or name its "
            f"class as package.module:Class or file.py:Class"
        )
        raise DetectorError(msg)
    target, given = split_spec(spec)
    if not is_import(target):
        with _code_of(target):
            info, version = _installed(target, given)
        if needed:
            _check_requirements(info)
        return _configure(info, version, target, given)
    with _code_of(target):
        obj, target = loaders.load(target)
        if objects.is_instance(obj):
            return _from_object(objects.freeze(objects.with_params(obj, given)))
        info = _info_of(obj, _free_name(target, obj), given)
        if needed:
            _check_requirements(info)
        return _configure(info, introspect.source_version(obj), target, given)


@contextlib.contextmanager
def _code_of(name: str) -> Iterator[None]:
    """Name a stranger's detector in an error of its class, its defaults or its texts.

    Raises
    ------
    DetectorError
        For any error but odbench's own and those that end the command.
    """
    slow = threading.Timer(_SLOW_SECONDS, _tell_slow, [name])
    slow.daemon = True
    # Where no thread may start, the code runs all the same.
    with contextlib.suppress(RuntimeError):
        slow.start()
    try:
        with prints_to_stderr():
            yield
    except (OdbenchError, KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        msg = f"detector {name!r}: cannot be used ({type(error).__name__}: "
        msg += f"{one_line(error)}); mend its class"
        raise DetectorError(msg) from error
    finally:
        slow.cancel()


def _tell_slow(name: str) -> None:
    sys.stderr.write(
        f"odbench: detector {name!r}: its module or class has run for "
        f"{_SLOW_SECONDS:g} s, and the command waits for it\n"
    )


def restore_detector(spec: str) -> Configuration:
    """Recreate a configuration from its own `Configuration.spec`.

    Only a detector's process calls this, with the text that the run's driver sent: the
    spec of an object holds a pickle, which runs code when it is read.

    Parameters
    ----------
    spec : str
        The `spec` of a configuration that `find_detector` returned.

    Returns
    -------
    Configuration
        One with the same detector, parameters and id.

    Raises
    ------
    DetectorError
        If the detector cannot be found or rebuilt here.
    HashMismatchError
        If its weights were changed.
    """
    if objects.is_frozen(spec):
        return _from_object(spec)
    return restored(_found(spec))


def find_detectors(specs: str | Iterable[str | object]) -> list[Configuration]:
    """Find several detectors, each once, and refuse two that a table cannot tell apart.

    Parameters
    ----------
    specs : str or iterable
        The value of ``--detectors``, or arguments of `find_detector`.

    Raises
    ------
    DetectorError
        If two different detectors have the same name and label, or one refuses its
        parameters.
    """
    items = parse_specs(specs) if isinstance(specs, str) else list(specs)
    found: dict[tuple[str, str], Configuration] = {}
    for item in items:
        one = _tried(item)
        other = found.setdefault((one.info.name, one.label), one)
        if (other.version, other.id) != (one.version, one.id):
            msg = (
                f"detector {one.info.name!r}: names two different detectors; "
                f"give each a class or a function of its own name"
            )
            raise DetectorError(msg)
    return list(found.values())


def _tried(spec: str | object) -> Configuration:
    """Find a detector and build it once."""
    # Its process sets what its module sets; here, this would silence or break odbench.
    with contained(), warnings.catch_warnings(), np.errstate():
        one = find_detector(spec)
        # odbench's own detectors accept their own defaults.
        if one.overrides or not is_home(one):
            with _code_of(one.info.name):
                one.check()
    return one


def list_detectors() -> tuple[list[DetectorInfo], list[str]]:
    """List the installed detectors.

    Returns
    -------
    tuple of (list of DetectorInfo, list of str)
        The detectors by name, a family's members among them, whether or not their
        extras are installed; one warning for each plugin that is broken or ignored.
    """
    registry = Registry.read()
    infos: list[DetectorInfo] = []
    with contained():
        for name in sorted(registry.entries):
            try:
                with _code_of(name):
                    obj = registry.load(name)
                    members = _members(obj, name)
                    infos += [_info_of(obj, name, {})] if members is None else members
            except Exception as error:
                registry.warnings.append(one_line(error))
    return infos, registry.warnings


def core_zoo() -> list[Configuration]:
    """Return every detector of the core zoo in its reference configuration, by name.

    Those whose extra is not installed are left out.
    """
    registry = Registry.read()
    zoo = []
    for name, entry in sorted(registry.entries.items()):
        if registry.is_home(entry):
            obj = registry.load(name)
            if (
                isinstance(obj, DetectorInfo)
                and obj.core
                and not missing_requirements(obj)
            ):
                info = _info_of(obj, name, {})
                zoo.append(_configure(info, registry.version(name, info), name, {}))
    return zoo


def grid_of(configuration: Configuration) -> list[Configuration]:
    """Return the grid of a detector, without changing parameters that the user set.

    Parameters
    ----------
    configuration : Configuration
        The detector and the user's parameters.

    Returns
    -------
    list of Configuration
        In the grid's order; the configuration alone if there is no grid.
    """
    info, fixed = configuration.info, configuration.overrides
    open_grid = {k: v for k, v in info.grid.items() if k not in fixed}
    if not open_grid:
        return [configuration]
    version, spec = configuration.version, configuration.spec
    points = replace(info, grid=open_grid).configurations()
    if objects.is_frozen(spec):
        given = [_overrides(info, {**fixed, **point}) for point in points]
        return [_from_object(objects.freeze(info, each)) for each in given]
    target = split_spec(spec)[0]
    return [_configure(info, version, target, {**fixed, **point}) for point in points]


def _configure(
    info: DetectorInfo, version: str, target: str, given: Mapping[str, Any]
) -> Configuration:
    """Return a configuration whose parameters were checked."""
    overrides = _overrides(info, given)
    spec = join_spec(target, overrides)
    return Configuration(info, version, spec, MappingProxyType(overrides))


def _overrides(info: DetectorInfo, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check parameters against the reference and keep those that differ."""
    known = dict(info.params) if info.deterministic else {"random_state": None}
    known = {**known, **info.params}
    overrides = {}
    for name, value in given.items():
        if name not in known:
            raise DetectorError(_unknown_parameter(info, name, known))
        value = _like(value, known[name])  # noqa: PLW2901 - the same value, its type settled
        if as_json(value) != as_json(known[name]) or (
            isinstance(value, bool) != isinstance(known[name], bool)
        ):
            overrides[name] = value
    return overrides


def _like(value: Any, reference: Any) -> Any:
    """Return 1 as 1.0 if the reference is a float, so that both count as equal."""
    if isinstance(reference, float) and type(value) is int:
        return float(value)
    return value


def _unknown_parameter(info: DetectorInfo, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    wanted = f"it has {', '.join(names)}" if names else "it has none"
    return f"detector {info.name!r}: no parameter {name!r}; {hint}{wanted}"


def is_home(configuration: Configuration) -> bool:
    """Check whether odbench itself registers a configuration's detector."""
    if objects.is_frozen(configuration.spec):
        return False
    target, _ = split_spec(configuration.spec)
    entry = Registry.read().entries.get(target.partition(".")[0])
    return not is_import(target) and entry is not None and Registry.is_home(entry)


def _installed(target: str, given: Mapping[str, Any]) -> tuple[DetectorInfo, str]:
    """Find an installed detector or a member of a family."""
    registry = Registry.read()
    head, dot, member = target.partition(".")
    if target in registry.entries:
        obj = registry.load(target)
        if isinstance(obj, DetectorFamily) and not isinstance(obj, DetectorInfo):
            members = obj.members()
            if not members:
                obj.info("NAME")
            some = ", ".join(f"{target}.{m}" for m in members[:3])
            msg = f"detector {target!r}: is a family; name a member: {some}, ..."
            raise UnknownDetectorError(msg)
        info = _info_of(obj, target, given)
        return info, registry.version(target, info)
    if dot and head in registry.entries:
        family = registry.load(head)
        if isinstance(family, DetectorFamily):
            info = family.info(member)
            return info, registry.version(head, info)
    raise UnknownDetectorError(_unknown_detector(target, registry))


def _unknown_detector(name: str, registry: Registry) -> str:
    close = {n.lower(): n for n in registry.entries}
    match = difflib.get_close_matches(name.lower(), close, n=1)
    hint = f"did you mean {close[match[0]]!r}? " if match else ""
    return (
        f"detector {name!r}: nothing installed has that name; {hint}"
        f"`odbench detectors list` lists the installed ones"
    )


def _info_of(obj: object, name: str, given: Mapping[str, Any]) -> DetectorInfo:
    """Return the info of an object from an entry point or an import."""
    if isinstance(obj, DetectorInfo):
        _check_info(obj, name)
        return obj if obj.name == name else replace(obj, name=name)
    return introspect.describe(obj, name, given)


def _check_info(info: DetectorInfo, name: str) -> None:
    """Refuse a grid, needs or globs that are not lists: they would be misread."""

    def refuse(field: str, value: object, wanted: str) -> NoReturn:
        msg = f"detector {name!r}: its info's {field} is {value!r}; wanted {wanted}"
        raise DetectorError(msg)

    if not isinstance(info.grid, Mapping):
        refuse("grid", info.grid, "a mapping")
    for key, values in info.grid.items():
        if not isinstance(values, (tuple, list)):
            refuse(f"grid[{key!r}]", values, "a tuple, such as (1, 3, 10)")
    if not isinstance(info.requires, (tuple, list)):
        refuse("requires", info.requires, "a tuple of modules' names")
    if not isinstance(info.trained_on, (tuple, list)):
        # Each character of a text would be a glob, and `*` is every data set.
        refuse("trained_on", info.trained_on, "a tuple of globs: ('adbench/*',)")


def _members(obj: object, name: str) -> list[DetectorInfo] | None:
    """Return the detectors of a family, or None if the object is not a family."""
    if isinstance(obj, (DetectorInfo, type)) or not isinstance(obj, DetectorFamily):
        return None
    infos = []
    # A family without its library has no members, but its error names the extra.
    for member in obj.members() or ["NAME"]:
        try:
            infos.append(obj.info(member))
        except MissingExtraError as error:
            infos.append(
                DetectorInfo(name=f"{name}.{member}", summary=str(error), build=dict)
            )
    return infos


def _from_object(spec: str) -> Configuration:
    """Return the configuration of an object that its spec contains."""
    obj, version, given = objects.thaw(spec)
    if isinstance(obj, DetectorInfo):
        _check_info(obj, obj.name)
        return Configuration(obj, version, spec, MappingProxyType(given))
    if isinstance(obj, type) or introspect.is_scoring_function(obj):
        name = getattr(obj, "__name__", type(obj).__name__).strip("<>")
        return Configuration(introspect.describe(obj, name, {}), version, spec)
    info, overrides = objects.describe_object(obj, spec)
    adapt(obj)
    return Configuration(info, version, spec, MappingProxyType(overrides))


def _free_name(target: str, obj: object) -> str:
    """Name a class by its own name, or with its module if odbench has that name.

    A `DetectorInfo` says its own name.
    """
    module, _, name = target.rpartition(":")
    name = obj.name if isinstance(obj, DetectorInfo) else name
    taken = name in Registry.read().entries
    return f"{loaders.stem(module)}.{name}" if taken else name


def missing_requirements(info: DetectorInfo) -> list[str]:
    """Return the modules that a detector requires and that are not installed."""
    return [m for m in info.requires if not _is_importable(m)]


def _is_importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _check_requirements(info: DetectorInfo) -> None:
    lacking = missing_requirements(info)
    if not lacking:
        return
    what = f"'odbench[{info.extra}]'" if info.extra else " ".join(lacking)
    are = "are" if len(lacking) > 1 else "is"
    msg = (
        f"detector {info.name!r}: needs {' and '.join(lacking)}, which {are} not "
        f"installed: pip install {what}"
    )
    raise MissingExtraError(msg)
