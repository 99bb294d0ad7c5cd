"""Find the source files of a detector: its own, and those that they import.

Installed libraries are left out, because their versions are recorded, and a detector's
version would change with every update of them.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

_MOST_FILES = 2000
# A run records the version of odbench by itself, and a checkout has it in a folder.
_OWN = frozenset({"odbench", "odbench_manifest"})
# Functions that import the module of which they get the name.
_IMPORTERS = frozenset({"import_module", "__import__"})


def package_root(path: Path) -> Path | None:
    """Return the outermost package folder around a file, None for a lone module."""
    root = None
    for folder in path.resolve().parents:
        if not (folder / "__init__.py").is_file():
            break
        root = folder
    return root


def is_installed(path: Path) -> bool:
    """Check whether a file belongs to the standard library or an installed package."""
    return any(path.is_relative_to(place) for place in _library_folders())


def files_of(path: Path) -> list[Path]:
    """List the files that a module's code is made of.

    Parameters
    ----------
    path : Path
        The module's file.

    Returns
    -------
    list of Path
        The file, or the whole package that contains it; then, for each module beside
        it that these import by a statement, or by a call with its name as a text, the
        same, and so on. At most 2,000, each once. A module that is imported by a name
        that is only computed is not found.
    """
    home = (package_root(path) or path).parent
    found: dict[Path, None] = {}
    waiting, known = [path], {_top(path), *_OWN}
    if _is_alone(home, known):
        return _own_files(path)[:_MOST_FILES]
    while waiting and len(found) < _MOST_FILES:
        for file in _own_files(waiting.pop(0)):
            found[file] = None
            new = [name for name in _imported(file, stamp(file)) if name not in known]
            known.update(new)
            waiting += _beside(home, new)
    return list(found)[:_MOST_FILES]


def file_digest(path: Path) -> str:
    """Return 12 hex digits over the source of a file; see `files_of`."""
    files = files_of(path)
    states = map(stamp, files)
    root = package_root(path) or path.parent
    return _digest(tuple(files), tuple(states), root)


@functools.lru_cache(maxsize=64)
def _digest(
    files: tuple[Path, ...], _states: tuple[tuple[int, ...], ...], root: Path
) -> str:
    # Kept by the files' states, since a sweep asks for every configuration.
    digest = hashlib.sha256()
    for file in files:
        name = Path(os.path.relpath(file, root)).as_posix()
        digest.update(name.encode(errors="surrogateescape") + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def stamp(file: Path) -> tuple[int, ...]:
    """Return what tells one state of a file from another without reading it."""
    state = file.stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _top(path: Path) -> str:
    """Return the name by which a file, or the package around it, is imported."""
    return (package_root(path) or path).stem


def _is_alone(home: Path, known: set[str]) -> bool:
    """Check whether a folder has no other module, so that no file must be parsed."""
    try:
        entries = list(home.iterdir())
    except OSError:
        # The sandbox may let a process read the files but not list them.
        return False
    return all(
        entry.stem in known
        for entry in entries
        if entry.suffix == ".py" or (entry / "__init__.py").is_file()
    )


def _own_files(path: Path) -> list[Path]:
    root = package_root(path)
    return [path] if root is None else sorted(root.rglob("*.py"))


def _beside(home: Path, names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        for file in (home / name / "__init__.py", home / f"{name}.py"):
            if file.is_file() and not is_installed(file):
                yield file
                break


@functools.lru_cache(maxsize=4096)
def _imported(file: Path, _state: tuple[int, ...]) -> tuple[str, ...]:
    """Return the first parts of the absolute names that a file imports."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return ()
    names: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names[node.module] = None
        elif isinstance(node, ast.Call) and _is_import(node.func):
            names.update(dict.fromkeys(_texts(node.args[:1])))
    return tuple(dict.fromkeys(name.partition(".")[0] for name in names))


def _is_import(called: ast.expr) -> bool:
    """Check whether a call is of `importlib.import_module` or `__import__`."""
    name = called.attr if isinstance(called, ast.Attribute) else None
    name = called.id if isinstance(called, ast.Name) else name
    return name in _IMPORTERS


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@functools.cache
def _library_folders() -> frozenset[str]:
    places = {sysconfig.get_path(key) for key in ("purelib", "platlib", "stdlib")}
    return frozenset(place for place in places if place)
