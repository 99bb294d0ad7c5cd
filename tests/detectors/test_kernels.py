"""Kernels are numba's own code, and helpers are called by kernels only."""

import ast
import re
from pathlib import Path

import numba
import numpy as np

import odbench_detectors
from odbench_detectors.shared.kernels import kernel

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


def least_per_row(values, bound, found):
    """Find the least value of each row that exceeds a bound, and how many do."""
    total = 0
    for i in range(len(values)):
        row, least = values[i], np.inf
        for j in range(len(row)):
            if row[j] > bound:
                least, total = min(least, row[j]), total + 1
        found[i, 0], found[i, 1] = least, abs(bound)
    return total


def instructions_of(function):
    """Return the machine code of a function's only signature, without symbols."""
    (text,) = function.inspect_asm().values()
    lines = re.sub(r"_ZN[\w$.]+|\b\d{9,}\b|\.L[\w$.]+", "", text).splitlines()
    return [line for line in lines if line.startswith("\t") and line[1:2].isalpha()]


def test_passes_left_out_change_no_instruction():
    usual = numba.njit(error_model="numpy", nogil=True, no_cfunc_wrapper=True)
    mine, theirs = kernel(cache=False)(least_per_row), usual(least_per_row)
    values = np.random.default_rng(0).normal(size=(50, 7))
    found = [np.empty((50, 2)), np.empty((50, 2))]

    counts = [mine(values, 0.5, found[0]), theirs(values, 0.5, found[1])]

    assert counts == [np.sum(values > 0.5)] * 2
    np.testing.assert_array_equal(*found)
    assert len(instructions_of(mine)) > 50
    assert instructions_of(mine) == instructions_of(theirs)
