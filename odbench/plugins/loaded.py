"""Tell code in memory from the code of its file, which may have been edited since.

A notebook that imports a detector's module keeps its code after the file was changed,
and may set its constants. An object is sent to its process with the code in memory, so
the file alone would be the version of other code.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from odbench.plugins import sources
from odbench.plugins.hidden_state import code_facts, function_in

# Values that code itself fills as it runs, such as a cache or a model that is loaded
# when it is first needed.
_TO_FILL = frozenset(("None", "[]", "{}"))


def difference(module: str) -> str:
    """Return 12 hex digits of the code in memory that differs from its files.

    Parameters
    ----------
    module : str
        Name of a module.

    Returns
    -------
    str
        Empty if the functions and the plain values of the module, and of the modules
        beside it that it imports, are those of the files, or if it is installed.
    """
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or file is None or sources.is_installed(Path(file)):
        return ""
    paths = {str(path) for path in sources.files_of(Path(file))}
    found = [
        each
        for known in list(sys.modules.values())
        if (path := getattr(known, "__file__", None)) in paths
        if known.__name__ != "__main__"
        for each in _changed(known, Path(path))
    ]
    if not found:
        return ""
    text = json.dumps(sorted(found, key=repr), default=repr)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


def _changed(module: ModuleType, path: Path) -> Iterator[list[Any]]:
    """Yield each function and plain value of a module that its file has not."""
    codes, values = _of_source(path, sources.stamp(path))
    for owner, name, value in _definitions(module):
        function, place = function_in(value), f"{owner}{name}"
        if function is not None:
            code = function.__code__
            facts = code_facts(code)
            is_own = code.co_filename == str(path)
            if is_own and facts not in codes.get(code.co_qualname, ()):
                yield [code.co_qualname, facts]
        elif place in values and repr(value) != values[place]:
            yield [place, repr(value)]


def _definitions(module: ModuleType) -> Iterator[tuple[str, str, Any]]:
    """Yield the names in a module and in its own classes, with their values."""
    for name, value in vars(module).items():
        yield "", name, value
        if isinstance(value, type) and value.__module__ == module.__name__:
            for within, each in vars(value).items():
                yield f"{name}.", within, each


@functools.lru_cache(maxsize=256)
def _of_source(
    path: Path, _state: tuple[int, ...]
) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Return the functions of a file, and its plain values, by their names."""
    try:
        tree = ast.parse(path.read_bytes())
        whole = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return {}, {}
    codes: dict[str, list[Any]] = {}
    for code in _within(whole):
        codes.setdefault(code.co_qualname, []).append(code_facts(code))
    return codes, dict(_literals(tree.body, ""))


def _within(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _within(constant)


def _literals(body: Iterable[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the names that are given a literal value, and nothing else, in a body."""
    found: dict[str, list[str]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef) and not prefix:
            yield from _literals(node.body, f"{node.name}.")
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(_literal(node.value))
    for name, texts in found.items():
        if len(texts) == 1 and texts[0] and texts[0] not in _TO_FILL:
            yield f"{prefix}{name}", texts[0]


def _literal(node: ast.expr) -> str:
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ""
