"""The cache: its contents by kind, and removing them when no run uses them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from odbench.errors import RunLockedError, StoreError, UsageError

_USE = ".in-use"
# Kind -> folders and files of it below the cache folder, and their meaning.
KINDS = {
    "datasets": (("features", "labels", "locks"), "data sets, stored as Arrow files"),
    "downloads": (("downloads",), "unfinished downloads"),
    "listings": (("listings",), "lists of the data sets on the hub"),
    "weights": (("weights",), "trained weights of detectors"),
    "detectors": (("detectors", "zoo"), "files that detectors keep between runs"),
    "kernels": (("kernels",), "compiled code"),
    "timings": (("timings.json",), "times of earlier trials, for estimates"),
}
OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A part of the cache that is listed and removed as one.

    Attributes
    ----------
    kind : str
        A key of `KINDS`, or `OTHER`, which is never removed.
    name : str
        The suite of data sets; else the name of the folder or file.
    paths : tuple of Path
        Its folders and files.
    files, bytes : int
        Number and size of the files; links are not followed.
    """

    kind: str
    name: str
    paths: tuple[Path, ...]
    files: int
    bytes: int


def cache_roots() -> list[Path]:
    """Return the cache folder and, if it is another one, that of compiled code."""
    from odbench.data.store import default_cache
    from odbench.sweep.places import HOME, kernels_of

    return list(dict.fromkeys([default_cache(), kernels_of(HOME).parent]))


def list_cache() -> list[Entry]:
    """Return the contents of the cache, by kind and name."""
    root, *others = cache_roots()
    entries = [*_datasets(root), *_known(root, skip="datasets"), *_unknown(root)]
    for other in others:
        entries += [e for e in _known(other, skip="datasets") if e.kind == "kernels"]
    order = [*KINDS, OTHER]
    return sorted(entries, key=lambda e: (order.index(e.kind), e.name, e.paths))


def select_entries(kinds: Sequence[str], suites: Sequence[str] = ()) -> list[Entry]:
    """Return the entries to remove.

    Parameters
    ----------
    kinds : sequence of str
        Keys of `KINDS`; all of them if there is none.
    suites : sequence of str
        Only data sets of these suites; other kinds are then left out.

    Raises
    ------
    UsageError
        If there is no such kind, or nothing is stored of a suite, or a suite is named
        and the kinds are others than data sets.
    """
    wrong = [kind for kind in kinds if kind not in KINDS]
    if wrong:
        msg = f"cache: got kind {wrong[0]!r}, wanted some of {', '.join(KINDS)}"
        raise UsageError(msg)
    if suites and kinds and "datasets" not in kinds:
        msg = (
            f"cache: got kind {kinds[0]!r} and a suite, which has data sets alone; "
            f"leave out one of the two"
        )
        raise UsageError(msg)
    found = [e for e in list_cache() if e.kind in (kinds or KINDS)]
    if not suites:
        return found
    chosen = [e for e in found if e.kind == "datasets" and e.name in suites]
    missing = set(suites) - {e.name for e in chosen}
    if missing:
        stored = ", ".join(e.name for e in found if e.kind == "datasets")
        msg = (
            f"cache: no data sets of suite {min(missing)!r}; stored are {stored or '-'}"
        )
        raise UsageError(msg)
    return chosen


def clean_cache(entries: Sequence[Entry]) -> None:
    """Remove entries of the cache.

    Parameters
    ----------
    entries : sequence of Entry
        From `select_entries`.

    Raises
    ------
    RunLockedError
        If a run of any process uses the cache; nothing is removed then.
    StoreError
        If a file cannot be removed.
    """
    roots = cache_roots()
    with contextlib.ExitStack() as stack:
        for root in roots:
            stack.enter_context(_unused(root))
        for path in (path for entry in entries for path in entry.paths):
            _remove(path, roots)


@contextlib.contextmanager
def cache_in_use() -> Iterator[None]:
    """Keep `clean_cache` of any process away from the cache while the block lasts.

    On a disk without locks, or one that cannot be written to, nothing is kept away.
    """
    with contextlib.ExitStack() as stack:
        for root in cache_roots():
            with contextlib.suppress(OSError, ImportError):
                _share(stack, root)
        yield


def _share(stack: contextlib.ExitStack, root: Path) -> None:
    import fcntl

    root.mkdir(parents=True, exist_ok=True)
    file = stack.enter_context((root / _USE).open("a", encoding="ascii"))
    fcntl.flock(file, fcntl.LOCK_SH)


@contextlib.contextmanager
def _unused(root: Path) -> Iterator[None]:
    """Lock a cache folder against runs, or raise if one uses it."""
    if not root.is_dir():
        yield
        return
    from odbench.files import lock

    with (root / _USE).open("a", encoding="ascii") as file:
        try:
            lock(file)
            _refuse_held(root / "locks")
        except BlockingIOError:
            msg = (
                f"cache {str(root)!r}: a run uses it, so nothing was removed; wait for "
                f"the run to end"
            )
            raise RunLockedError(msg) from None
        yield


def _refuse_held(folder: Path) -> None:
    """Raise `BlockingIOError` if another process is storing a data set."""
    from odbench.files import lock

    for path in folder.rglob("*.lock"):
        with path.open("a", encoding="ascii") as file:
            lock(file)


def _remove(path: Path, roots: Sequence[Path]) -> None:
    """Remove a folder or file of a cache; a link is removed, not its target."""
    if not any(path.parent == root or root in path.parents for root in roots):
        msg = f"cache: {str(path)!r} is not in {str(roots[0])!r}; nothing was removed"
        raise UsageError(msg)
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        where = error.filename or path
        msg = (
            f"cache: cannot remove {str(where)!r} ({error.strerror}); check the "
            f"folder's rights"
        )
        raise StoreError(msg) from error


def _datasets(root: Path) -> list[Entry]:
    """Return an entry per suite; a link in the place of a folder is not followed."""
    folders = [root / name for name in KINDS["datasets"][0]]
    folders = [f for f in folders if f.is_dir() and not f.is_symlink()]
    suites = sorted({path.name for folder in folders for path in folder.iterdir()})
    return [
        _entry("datasets", suite, [f / suite for f in folders if (f / suite).exists()])
        for suite in suites
    ]


def _known(root: Path, *, skip: str) -> list[Entry]:
    return [
        _entry(kind, name, [root / name])
        for kind, (names, _) in KINDS.items()
        for name in names
        if kind != skip and os.path.lexists(root / name)
    ]


def _unknown(root: Path) -> list[Entry]:
    known = {name for names, _ in KINDS.values() for name in names} | {_USE}
    if not root.is_dir():
        return []
    return [_entry(OTHER, p.name, [p]) for p in root.iterdir() if p.name not in known]


def _entry(kind: str, name: str, paths: Sequence[Path]) -> Entry:
    sizes = [size for path in paths for size in _sizes(path)]
    return Entry(
        kind=kind, name=name, paths=tuple(paths), files=len(sizes), bytes=sum(sizes)
    )


def _sizes(path: Path) -> Iterator[int]:
    """Yield the size of each file below a path, or of the path itself, in bytes."""
    if path.is_symlink() or not path.is_dir():
        yield path.lstat().st_size
        return
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield Path(folder, name).lstat().st_size
