"""A leaderboard as a folder that web hosts serve as it is: a static Space, Pages."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from odbench.errors import RunBrokenError, UsageError
from odbench.files import is_disk_fault, limit_cure, whole_files
from odbench.leaderboard.build import build_files
from odbench.leaderboard.evaluated import read_evaluated
from odbench.leaderboard.publish import list_files

PAGE, CARD = "index.html", "README.md"
TITLE = "Leaderboard of outlier detectors"
# GitHub Pages serves every file unchanged if this one is there.
UNCHANGED = ".nojekyll"
# A file of the host's own, which is never removed.
_OF_HOST = frozenset({"CNAME"})
_FRONT_MATTER = re.compile(rb"\A---\r?\n.*?^---\r?\n", re.DOTALL | re.MULTILINE)
_STATIC = re.compile(rb"^sdk:\s*static\s*$", re.MULTILINE)


class Written(NamedTuple):
    """The changes that `write_site` made.

    Attributes
    ----------
    files, changed : int
        Number of files of the site, and of those that were new or different.
    removed : tuple of str
        Files that were removed.
    """

    files: int
    changed: int
    removed: tuple[str, ...]


def site_files(sources: Sequence[Path], *, title: str = TITLE) -> dict[str, bytes]:
    """Return the files of a static site.

    Parameters
    ----------
    sources : sequence of Path
        One folder that ``odbench leaderboard build`` wrote, or runs to build it from.
    title : str
        Title of the Space.

    Returns
    -------
    dict of str to bytes
        Content by path. ``README.md`` begins with the settings of a static Space.

    Raises
    ------
    UsageError, ResultsError, SubmissionError
        If the source is no leaderboard, or holds files that must not be published.
    """
    if len(sources) == 1 and (sources[0] / PAGE).is_file():
        # An edited table must not be published.
        read_evaluated(sources[0])
        found = list_files(sources[0])
        files = {name: path.read_bytes() for name, path in found.items()}
    else:
        if len(sources) == 1 and sources[0].is_dir() and read_evaluated(sources[0]):
            board = shlex.quote(str(sources[0]))
            msg = (
                f"leaderboard {str(sources[0])!r}: has evaluated submissions and no "
                f"page; make one with `odbench leaderboard build RUN... --out {board}`"
            )
            raise UsageError(msg)
        files = build_files(sources).files
    card = front_matter(title).encode() + files.pop(CARD, b"")
    return {CARD: card, UNCHANGED: b"", **files}


def front_matter(title: str) -> str:
    """Return the settings of a static Space, the beginning of its ``README.md``.

    Notes
    -----
    The keys are those of the hub's "Spaces configuration reference".
    """
    return (
        "---\n"
        f"title: {json.dumps(title, ensure_ascii=False)}\n"
        "emoji: 📊\n"
        "colorFrom: gray\n"
        "colorTo: blue\n"
        "sdk: static\n"
        f"app_file: {PAGE}\n"
        "pinned: false\n"
        "tags:\n- leaderboard\n- outlier-detection\n"
        "---\n\n"
    )


def write_site(
    sources: Sequence[Path], out: Path, *, title: str = TITLE, prune: bool = False
) -> Written:
    """Write a static site to a folder, all files or none.

    Parameters
    ----------
    sources, title
        See `site_files`.
    out : Path
        The folder, such as a clone of a Space; created if needed. Settings at the top
        of its ``README.md`` are kept, and so are hidden files.
    prune : bool
        Remove other files of the folder that are not hidden.

    Returns
    -------
    Written

    Raises
    ------
    UsageError
        If the folder holds a source, or the ``README.md`` of something else.
    RunBrokenError
        If the disk is full.
    """
    _refuse_overlap(sources, out)
    files = site_files(sources, title=title)
    files[CARD] = _with_own_settings(files[CARD], out)
    stale = _stale(files, out) if prune else []
    changed = [name for name in files if _content(out / name) != files[name]]
    try:
        for name in files:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
        with whole_files({out / name: files[name] for name in changed}):
            for name in stale:
                (out / name).unlink()
    except OSError as error:
        place = error.filename if isinstance(error, IsADirectoryError) else out
        msg = (
            f"site {str(place)!r}: cannot be written ({error.strerror}); "
            f"{limit_cure(error) or 'make room, or name another folder with --to'}"
        )
        kind = RunBrokenError if is_disk_fault(error) else UsageError
        raise kind(msg) from error
    return Written(len(files), len(changed), tuple(stale))


def _refuse_overlap(sources: Sequence[Path], out: Path) -> None:
    """Refuse to write a site into its source, or around it."""
    there = out.resolve()
    for source in sources:
        here = source.resolve()
        if there.is_relative_to(here) or here.is_relative_to(there):
            msg = (
                f"site {str(out)!r}: overlaps {str(source)!r}, which it is made from; "
                f"name another folder with --to"
            )
            raise UsageError(msg)


def _with_own_settings(card: bytes, out: Path) -> bytes:
    """Keep the settings of a Space that is there already."""
    there = _content(out / CARD)
    if there is None:
        return card
    found = _FRONT_MATTER.match(there)
    if found is None or not _STATIC.search(found[0]):
        msg = (
            f"site {str(out)!r}: its README.md is not that of a static Space; name "
            f"an empty folder, or remove that file"
        )
        raise UsageError(msg)
    return found[0] + _FRONT_MATTER.sub(b"", card, count=1)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _stale(files: dict[str, bytes], out: Path) -> list[str]:
    names = (
        p.relative_to(out).as_posix() for p in sorted(out.rglob("*")) if _is_file(p)
    )
    return [
        name
        for name in names
        if name not in files
        and name not in _OF_HOST
        and not any(part.startswith(".") for part in name.split("/"))
    ]


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()
