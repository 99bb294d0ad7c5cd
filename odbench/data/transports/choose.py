"""Open a suite's transport, and name the folders where it may put labels."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

from odbench.data.store import Store
from odbench.data.transports.folder import Folder
from odbench.data.transports.generated import Generated
from odbench.data.transports.mirror import Mirror, drawn_suite
from odbench.data.transports.source import Source
from odbench.errors import TransportError
from odbench.suites import Suite, load_suites


def mirror_of(mirror: Path | str | None) -> Path | None:
    """Return the given mirror, or the one that ``ODBENCH_MIRROR`` names."""
    named = mirror or os.environ.get("ODBENCH_MIRROR")
    return Path(named) if named else None


def open_source(suite: Suite, *, mirror: Path | str | None = None) -> Source:
    """Open a suite's transport.

    Parameters
    ----------
    suite : Suite
        Its description.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default. A generated suite and one
        of one's own need none.

    Returns
    -------
    Source
        The mirror if there is one, otherwise the hub, the files' URLs or the
        generator. Nothing is fetched yet.

    Raises
    ------
    TransportError
        If the mirror has no such suite.
    """
    return fresh_source(suite, mirror_of(mirror))


def fresh_source(suite: Suite, mirror: Path | str | None) -> Source:
    """Open a suite's transport as `open_source` does, ignoring ``ODBENCH_MIRROR``."""
    if suite.transport == "folder":
        return Folder(suite)
    if suite.transport == "generated":
        drawn = None if mirror is None else _drawn(Path(mirror), suite)
        return Generated(suite, private=drawn)
    if mirror is not None:
        folder = Path(mirror)
        others = [s.repository for s in load_suites().values() if s.repository]
        return Mirror(folder, suite, others)
    scratch = Store.default().root / "downloads"
    # Imported only here: clients of the network take long to import.
    if suite.transport == "url":
        from odbench.data.transports.urls import Urls

        return Urls(suite, scratch)
    from odbench.data.transports.hub import Hub

    return Hub(suite, scratch)


class Sources:
    """The sources of one run: each suite's is opened once, and shared by threads.

    The hub is thus resolved to one commit and listed once.

    Parameters
    ----------
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default.
    """

    def __init__(self, mirror: Path | str | None = None) -> None:
        self.mirror = mirror_of(mirror)
        self._lock = threading.Lock()
        self._opened: dict[str, Source | TransportError] = {}

    def of(self, suite: Suite) -> Source:
        """Return a suite's source.

        Raises
        ------
        TransportError
            If the mirror has no such suite.
        """
        with self._lock:
            if suite.name not in self._opened:
                try:
                    source = open_source(suite, mirror=self.mirror)
                    self._opened[suite.name] = source
                except TransportError as error:
                    self._opened[suite.name] = error
            source_or_error = self._opened[suite.name]
        if isinstance(source_or_error, TransportError):
            raise source_or_error
        return source_or_error


def _drawn(folder: Path, suite: Suite) -> Mirror | None:
    """Return the mirror of the suite's partition, if one was drawn in the folder."""
    if drawn_suite(folder) != suite.name:
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
        The store's labels, its unfinished downloads, the hub client's cache, the
        folders of opened suites and the mirror. Some may not exist.
    """
    from odbench.data.transports.hub import hub_cache

    root = Store.default().root
    folder = mirror_of(mirror)
    own = [Path(suite.root) for suite in load_suites().values() if suite.root]
    places = [root / "labels", root / "downloads", hub_cache(), *own]
    return places if folder is None else [*places, folder]
