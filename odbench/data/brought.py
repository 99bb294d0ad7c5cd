"""Suites that installed packages bring: the entry points of ``odbench.suites``."""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import sys
from pathlib import Path

from odbench.data.own import open_suite
from odbench.errors import ManifestError, OdbenchError
from odbench.provenance import entry_points
from odbench.suites import Suite, load_suites

logger = logging.getLogger("odbench")

GROUP = "odbench.suites"


def plugin_suites() -> dict[str, Suite]:
    """Return the suites that installed packages bring; a broken one is a warning."""
    found = {}
    for name in _entry_points(tuple(sys.path)):
        try:
            suite = plugin_suite(name)
        except OdbenchError as error:
            logger.warning("%s", error)
            continue
        if suite is not None:
            found[name] = suite
    return found


def plugin_suite(name: str) -> Suite | None:
    """Return the suite that an installed package registers under a name, if any.

    Raises
    ------
    ManifestError
        If the package cannot be imported, or its suite is broken.
    """
    point = _entry_points(tuple(sys.path)).get(name)
    if point is None:
        return None
    known = load_suites().get(name)
    if known is not None and known.transport == "folder":
        return known
    origin = point.dist.name if point.dist is not None else "an unknown distribution"
    try:
        target = point.load()
        place = target if isinstance(target, (str, Path)) else target.__path__[0]
        return open_suite(place, name=name)
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split())[:200]
        msg = (
            f"suite {name[:80]!r}: the plugin {origin} is broken: {point.value!r} "
            f"({type(error).__name__}: {reason}); repair or uninstall it"
        )
        raise ManifestError(msg) from error


@functools.lru_cache(maxsize=4)
def _entry_points(
    path: tuple[str, ...],  # noqa: ARG001 - the cache's key
) -> dict[str, importlib.metadata.EntryPoint]:
    """Return the entry points by name; names of shipped suites are refused later."""
    points = sorted(entry_points(GROUP), key=lambda point: point.value)
    return {point.name: point for point in points}
