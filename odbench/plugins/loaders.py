"""Import detectors that are not installed: ``pkg.module:Class``, ``file.py:Class``."""

from __future__ import annotations

import ast
import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from odbench.errors import DetectorError, UnknownDetectorError
from odbench.files import at_home
from odbench.plugins import sources

# Folders that were added to the path, that of the newest detector's file first.
_ADDED: list[str] = []
# Modules that detectors' files imported from their own folders, and these.
_BESIDE: dict[str, Path] = {}


def stem(module: str) -> str:
    """Return the last name of a module's or a file's path."""
    return Path(module).stem if module.endswith(".py") else module.rpartition(".")[2]


def load(target: str) -> tuple[Any, str]:
    """Import the object that a target names.

    Parameters
    ----------
    target : str
        ``package.module:Class`` or ``path/file.py:Class``. A module in the working
        directory is found, too.

    Returns
    -------
    tuple of (object, str)
        The object, and the target in a form that works in any process and directory:
        files by absolute path.

    Raises
    ------
    UnknownDetectorError
        If there is no such file, module or name in it.
    DetectorError
        If importing it fails.
    """
    if "\0" in target:
        msg = f"detector {target!r}: holds a NUL character; wanted file.py:Class"
        raise UnknownDetectorError(msg)
    where, _, name = target.rpartition(":")
    if target.endswith(".py"):
        where, name = target, ""
    where, name = where.strip(), name.strip()
    if not where.endswith(".py"):
        where = _file_of_local_module(where) or where
    if where.endswith(".py"):
        path = at_home(Path(where)).resolve()
        module, where = _import_file(path, target, name), str(path)
    else:
        module = _import_module(where, target)
    return _attribute(module, name, target), f"{where}:{name}"


def _file_of_local_module(module: str) -> str:
    """Return the file of a module that exists only in the working directory."""
    top = module.partition(".")[0]
    if top in sys.modules or not top.isidentifier():
        return ""
    here = Path.cwd()
    others = (p for p in sys.path if p and p not in _ADDED)
    places = [p for p in others if Path(p).resolve() != here]
    if importlib.machinery.PathFinder.find_spec(top, places) is not None:
        return ""
    base = here.joinpath(*module.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return str(file)
    return ""


def _import_module(name: str, target: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        top = name.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name in (name, top):
            msg = (
                f"detector {target!r}: no module {error.name!r} is installed or in "
                f"{str(Path.cwd())!r}; wanted package.module:Class or file.py:Class"
            )
            raise UnknownDetectorError(msg) from error
        raise DetectorError(_import_failed(target, name, error)) from error


def _import_file(path: Path, target: str, name: str) -> ModuleType:
    """Import a file, as part of its package if it belongs to one."""
    if not path.is_file():
        msg = f"detector {target!r}: no file {str(path)!r}; wanted file.py:Class"
        raise UnknownDetectorError(msg)
    if not name:
        raise UnknownDetectorError(_name_missing(path, target))
    root = sources.package_root(path)
    folder = (root or path).parent
    _prefer(folder)
    before = set(sys.modules)
    try:
        if root is not None:
            parts = path.relative_to(root.parent).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            return importlib.import_module(".".join(parts))
        return _execute(path)
    except (Exception, SystemExit) as error:
        raise DetectorError(_import_failed(target, str(path), error)) from error
    finally:
        _note_modules(folder, before)


def search_last(folders: Iterable[str]) -> None:
    """Add folders to the end of the path, after that of any detector's file.

    Parameters
    ----------
    folders : iterable of str
        Those that are on the path already stay where they are.
    """
    new = [folder for folder in folders if folder not in sys.path]
    sys.path.extend(new)
    _ADDED.extend(new)


def _prefer(folder: Path) -> None:
    """Let a file import the modules beside it, and not those beside another file.

    Its folder is after the libraries, so that it does not shadow installed modules.
    """
    sys.path[:] = [entry for entry in sys.path if entry not in _ADDED]
    if str(folder) not in sys.path:
        _ADDED[:] = [str(folder), *(one for one in _ADDED if one != str(folder))]
    sys.path.extend(_ADDED)
    for name, other in list(_BESIDE.items()):
        if other != folder and _has_module(folder, name.partition(".")[0]):
            sys.modules.pop(name, None)
            del _BESIDE[name]


def _has_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _note_modules(folder: Path, before: set[str]) -> None:
    """Remember the modules of a folder that were imported since."""
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(folder):
            _BESIDE[name] = folder


def _execute(path: Path) -> ModuleType:
    """Import a single file under a unique name, and again if it has changed."""
    digest = hashlib.sha256(bytes(path) + path.read_bytes()).hexdigest()[:12]
    name = f"{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = f"{str(path)!r} is not Python source"
        raise ImportError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    # Processes that joblib starts cannot import it by its name.
    with contextlib.suppress(ImportError):
        importlib.import_module("cloudpickle").register_pickle_by_value(module)
    return module


def _attribute(module: ModuleType, name: str, target: str) -> Any:
    obj: Any = module
    for part in name.split("."):
        if not hasattr(obj, part):
            names = [n for n in vars(module) if not n.startswith("_")]
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            msg = f"detector {target!r}: {module.__file__} has no {name!r}{hint}"
            raise UnknownDetectorError(msg)
        obj = getattr(obj, part)
    return obj


def _name_missing(path: Path, target: str) -> str:
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError):
        body = []
    names = [n.name for n in body if isinstance(n, (ast.ClassDef, ast.FunctionDef))]
    public = [n for n in names if not n.startswith("_")]
    example = public[0] if public else "Class"
    return f"detector {target!r}: which class of it? write {target}:{example}"


def _import_failed(target: str, where: str, error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return (
        f"detector {target!r}: {where} cannot be imported "
        f"({type(error).__name__}: {lines[0]})"
    )
