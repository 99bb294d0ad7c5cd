"""Helpers are called by kernels only."""

import ast
from pathlib import Path

import pytest

import odbench_detectors

ZOO = Path(odbench_detectors.__file__).parent
FILES = sorted(ZOO.rglob("*.py"))


def compiled_as(function: ast.AST) -> str:
    """Return the name of a function's decorator that compiles it, or an empty name."""
    for decorator in getattr(function, "decorator_list", ()):
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(called, "id", "") in {"kernel", "helper"}:
            return called.id
    return ""


def names_used_in_python(tree: ast.AST) -> set[str]:
    """Return the names that code which is not compiled reads."""
    if compiled_as(tree):
        return set()
    own = {tree.id} if isinstance(tree, ast.Name) else set()
    if isinstance(tree, ast.Attribute):
        own = {tree.attr}
    return own.union(*map(names_used_in_python, ast.iter_child_nodes(tree)))


def helpers_of(path: Path) -> set[str]:
    """Return the helpers that a file defines."""
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if compiled_as(node) == "helper"
    }


def helpers_seen_by(tree: ast.AST, path: Path) -> set[str]:
    """Return the helpers that a file defines or imports."""
    seen = helpers_of(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            source = ZOO.parent / f"{node.module.replace('.', '/')}.py"
            if source.is_file():
                seen |= helpers_of(source) & {alias.name for alias in node.names}
    return seen


@pytest.mark.slow
def test_python_calls_no_helper():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    called = {
        path.name: helpers_seen_by(tree, path) & names_used_in_python(tree)
        for path, tree in trees.items()
    }

    assert not {name: found for name, found in called.items() if found}


def test_the_search_for_helpers_finds_them():
    code = "@helper()\ndef a():\n    b()\n\ndef c():\n    a()\n    m.d()\n"

    assert names_used_in_python(ast.parse(code)) == {"a", "m", "d"}
    assert "_squared" in helpers_of(ZOO / "shared/neighbours/product_kernels.py")
