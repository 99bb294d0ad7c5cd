"""The entry points of ``odbench.detectors``, read without importing them."""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from dataclasses import dataclass, field
from pathlib import Path

from odbench.detector import DetectorInfo
from odbench.errors import DetectorError
from odbench.plugins import introspect, sources
from odbench.plugins.contained import prints_to_stderr
from odbench.plugins.specs import is_import
from odbench.provenance import entry_points

GROUP = "odbench.detectors"
_HOME = "odbench"


@dataclass
class Registry:
    """The entry points by name; odbench's own names are protected.

    Attributes
    ----------
    entries : dict of str to EntryPoint
        The entry point of each name.
    clashes : dict of str to str
        Names that two other distributions both register, and the error for each.
    warnings : list of str
        One line for each ignored entry point, with the reason.
    digests : dict of Path to str
        Those of editable packages that were asked for: the many detectors of a package
        have the same one.
    """

    entries: dict[str, importlib.metadata.EntryPoint]
    clashes: dict[str, str]
    warnings: list[str]
    digests: dict[Path, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Registry:
        """Read the entry points; nothing is imported."""
        # This parses the metadata of every distribution, so it is done only once.
        known = cls._read(tuple(sys.path))
        return cls(dict(known.entries), dict(known.clashes), list(known.warnings))

    @classmethod
    @functools.lru_cache(maxsize=4)
    def _read(cls, path: tuple[str, ...]) -> Registry:  # noqa: ARG003 - the cache's key
        registry = cls({}, {}, [])
        points = {(p.name, p.value, _distribution(p)): p for p in entry_points(GROUP)}
        for point in sorted(points.values(), key=_home_first):
            if is_import(point.name):
                registry.warnings.append(
                    f"detector {point.name!r}: {_origin(point)} registers a name that "
                    f"reads as a module or a file, so it is ignored; give it one "
                    f"without ':' that does not end in .py"
                )
                continue
            first = registry.entries.setdefault(point.name, point)
            if first is not point:
                registry._refuse(first, point)
        return registry

    def _refuse(
        self,
        first: importlib.metadata.EntryPoint,
        second: importlib.metadata.EntryPoint,
    ) -> None:
        msg = (
            f"detector {second.name!r}: {_origin(second)} registers a name that "
            f"{_origin(first)} has"
        )
        if _distribution(first) != _HOME:
            # Neither can be used, which `load` says.
            self.clashes[first.name] = f"{msg}; uninstall one of them"
        else:
            self.warnings.append(f"{msg}; the second is ignored")

    def load(self, name: str) -> object:
        """Import the target of an entry point."""
        if name in self.clashes:
            raise DetectorError(self.clashes[name])
        entry = self.entries[name]
        try:
            with prints_to_stderr():
                return entry.load()
        except (Exception, SystemExit) as error:
            msg = (
                f"detector {name!r}: the plugin {_origin(entry)} is broken: "
                f"{entry.value!r} cannot be loaded "
                f"({type(error).__name__}: {one_line(error)}); "
                f"repair or uninstall it"
            )
            raise DetectorError(msg) from error

    def version(self, name: str, info: DetectorInfo) -> str:
        """Return the version of the distribution and of the libraries it builds on.

        The source of an editable install can change, so that its hash is added.
        """
        entry = self.entries[name]
        if entry.dist is None:
            parts = ["0"]
        else:
            version, is_editable = _state(entry.dist)
            own = self.is_home(entry)
            parts = [version if own else f"{_name(entry.dist)} {version}"]
            if is_editable:
                parts.append(self._digest(introspect.module_file(entry.module)))
        for module in info.requires:
            parts += introspect.library_versions(module)
        return " + ".join(parts)

    def _digest(self, file: Path) -> str:
        if file not in self.digests:
            self.digests[file] = sources.file_digest(file)
        return self.digests[file]

    @staticmethod
    def is_home(point: importlib.metadata.EntryPoint) -> bool:
        """Check whether an entry point is odbench's own."""
        return _distribution(point) == _HOME


def one_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        # A stranger's error may raise another one for its text.
        lines = []
    return lines[0] if lines else type(error).__name__


def _distribution(point: importlib.metadata.EntryPoint) -> str:
    return _name(point.dist) if point.dist is not None else ""


@functools.lru_cache(maxsize=1024)
def _name(distribution: importlib.metadata.Distribution) -> str:
    # Each look at the name parses the metadata, which takes milliseconds.
    return distribution.name


@functools.lru_cache(maxsize=1024)
def _state(distribution: importlib.metadata.Distribution) -> tuple[str, bool]:
    """Return a distribution's version, and whether its install is editable."""
    facts = distribution.read_text("direct_url.json") or ""
    return distribution.version, '"editable": true' in facts


def _home_first(point: importlib.metadata.EntryPoint) -> tuple[bool, str, str]:
    return _distribution(point) != _HOME, _distribution(point), point.name


def _origin(point: importlib.metadata.EntryPoint) -> str:
    if point.dist is None:
        return "an unknown distribution"
    return f"{point.dist.name} {point.dist.version}"
