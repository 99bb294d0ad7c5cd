"""Which transport serves a suite, and where labels may lie because of it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from odbench.data.store import Store
from odbench.data.transports.generated import Generated
from odbench.data.transports.hub import Hub, hub_cache
from odbench.data.transports.mirror import Mirror
from odbench.data.transports.source import Source
from odbench.data.transports.urls import Urls
from odbench.suites import Suite, load_suites


def mirror_of(mirror: Path | str | None) -> Path | None:
    """Return the mirror that was named, or that ``ODBENCH_MIRROR`` names."""
    named = mirror or os.environ.get("ODBENCH_MIRROR")
    return Path(named) if named else None


def open_source(suite: Suite, *, mirror: Path | str | None = None) -> Source:
    """Open a suite's transport.

    Parameters
    ----------
    suite : Suite
        Whose files.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default. A generated suite needs
        none.

    Returns
    -------
    Source
        The mirror where one is named, else the hub, the files' URLs or the
        generator. Nothing is fetched yet.

    Raises
    ------
    TransportError
        If the mirror has no such suite.
    """
    return fresh_source(suite, mirror_of(mirror))


def fresh_source(suite: Suite, mirror: Path | str | None) -> Source:
    """Open a suite's transport as told, whatever the environment says."""
    if suite.transport == "generated":
        drawn = None if mirror is None else _drawn(Path(mirror), suite)
        return Generated(suite, private=drawn)
    if mirror is not None:
        folder = Path(mirror)
        others = [s.repository for s in load_suites().values() if s.repository]
        return Mirror(folder, suite, others)
    scratch = Store.default().root / "downloads"
    if suite.transport == "url":
        return Urls(suite, scratch)
    return Hub(suite, scratch)


def _drawn(folder: Path, suite: Suite) -> Mirror | None:
    """Return a privately drawn partition, where a folder is one."""
    described = (folder / "about.json").is_file() and (folder / "private").is_dir()
    if not described:
        return None
    return Mirror(folder, dataclasses.replace(suite, folders={"private": "private"}))


def label_places(mirror: Path | str | None = None) -> list[Path]:
    """Return every folder of this machine that may hold labels of a data set.

    Parameters
    ----------
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default.

    Returns
    -------
    list of Path
        The store's labels, downloads under way, the mirror, the hub client's own
        cache. Some may not exist.
    """
    root = Store.default().root
    folder = mirror_of(mirror)
    places = [root / "labels", root / "downloads", hub_cache()]
    return places if folder is None else [*places, folder]
