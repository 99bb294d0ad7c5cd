"""Kernels have the results of numba's own code, in fewer steps."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from odbench_detectors.shared.compiler import pipeline
from odbench_detectors.shared.compiler.lowering import KernelLower
from odbench_detectors.shared.kernels import helper, kernel


def elements(values, order, small, is_large, found):
    """Use elements of matrices and of columns, with indices of several types."""
    for i in range(len(order)):
        row = values[order[i]]
        column = values[:, i % values.shape[1]]
        for j in range(row.shape[0]):
            found[i, j] = row[j] * 2.0 - values[order[i], j] + column[i]
        found[i, 0] += values[np.uint32(i), 0] / 3.0
        found[-1, 1] = row[-1]
    return found[0, 0] > 0.5


def stacks(values, order, small, is_large, found):
    """Use elements and matrices of a stack of matrices."""
    stack = values.reshape(2, 4, values.shape[1])
    for s in range(2):
        matrix = stack[s]
        for i in range(4):
            for j in range(matrix.shape[1]):
                found[i, j] += stack[s, i, j] * matrix[3 - i, j] * order[i]
                found[i, 0] = max(found[i, 0], stack[s, i][j])
    return stack[1].size


def extremes(values, order, small, is_large, found):
    """Use the least and the largest of numbers, among them NaN."""
    total = 0
    for i in range(len(order)):
        first = values[i, 0] if i else np.nan
        found[i, 0] = min(first, values[i, 1], 0.25)
        found[i, 1] = max(values[i, 1], first)
        found[i, 2] = max(i, 3) / min(order[i], 2, i + 1)
        total += max(order[i], i) - min(i, order[i])
    return total


def loops(values, order, small, is_large, found):
    """Use ranges of all kinds, also empty ones, and leave some early."""
    total = 0.0
    for start in range(-2, 4):
        for stop in range(start - 2, start + 5, 3):
            for step in (1, 2, -1, -3):
                for i in range(start, stop, step):
                    total = total * 1.25 + i
                    if i == 2:
                        break
                else:
                    total -= 0.5
            for i in range(stop):
                if i % 2:
                    continue
                found[i % 4, 0] += total
    count = len(values)
    while count > 0:
        count -= 3
        total += values[abs(count), 0] ** 2
    return total, count


def types_of_numbers(values, order, small, is_large, found):
    """Mix numbers of several types, and arrays of truth values."""
    bits = np.uint64(7)
    for i in range(len(order)):
        bits ^= np.uint64(i) << np.uint64(3)
        is_large[i] = not is_large[i] or small[i] > 3
        found[i, 0] = small[i] // 2 + (small[i] % 3) * np.float32(0.1)
        found[i, 1] = -values[i, 1] if is_large[i] else values[i, 1] ** 3
        small[i] += i
        found[i, 2] = small[i] + (bits >> np.uint64(2))
    return int(values[0, 0] * 100), float(small[3])


CASES = [elements, stacks, extremes, loops, types_of_numbers]


def arguments():
    """Return a table, an order of its rows, two columns and an array to write to."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(8, 5))
    order = rng.permutation(8)[:5].astype(np.int32)
    return values, order, order.astype(np.int8), values[:, 0] > 0, np.zeros((8, 5))


def compiled_by_numba(function):
    """Return a function as numba compiles it."""
    return numba.njit(error_model="numpy")(function)


def assert_same(functions):
    """Check that functions return the same and leave their arguments the same."""
    arrays = [arguments() for _ in functions]
    answers = [f(*args) for f, args in zip(functions, arrays, strict=True)]

    assert len(set(answers)) == 1
    for ours, theirs in zip(*arrays, strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert np.isfinite(arrays[0][-1]).any()
    assert arrays[0][-1].any()


@pytest.mark.parametrize("function", CASES)
def test_kernels_have_the_bits_of_numbas_own_code(function):
    assert_same([kernel(cache=False)(function), compiled_by_numba(function)])


@pytest.mark.parametrize("function", [elements, loops])
def test_other_versions_of_numba_compile_with_its_own_passes(function, monkeypatch):
    compiled = kernel(cache=False)(function)
    monkeypatch.setattr(pipeline, "_KNOWN_VERSIONS", set())
    monkeypatch.setattr(KernelLower, "lower", None)

    assert_same([compiled, compiled_by_numba(function)])


@helper()
def deepest(row, i):
    """Return an element twice."""
    return row[i] + row[i]


@helper()
def middle(values, i, j, k):
    """Return a sum of what another helper returns."""
    return deepest(values[i], j) + deepest(values[i], k)


def sum_by_helpers(values, one, found):
    """Call helpers that call helpers."""
    for i in range(len(values)):
        found[i] = middle(values, i, one, one - one) - deepest(values[i], one)


def test_helpers_are_part_of_the_kernels_that_call_them():
    values, found = np.random.default_rng(0).normal(size=(9, 3)), np.empty(9)
    compiled = kernel(cache=False)(sum_by_helpers)

    compiled(values, 1, found)

    expected = [2 * row[1] + 2 * row[0] - 2 * row[1] for row in values]
    np.testing.assert_array_equal(found, expected)
    (result,) = deepest.overloads.values()
    assert result.library.get_pointer_to_function(result.fndesc.llvm_func_name) == 0


def test_references_to_arrays_stay_as_many():
    args = arguments()
    compiled = kernel(cache=False)(stacks)
    before = [sys.getrefcount(array) for array in args]

    for _ in range(10):
        compiled(*args)

    assert [sys.getrefcount(array) for array in args] == before


def test_kernels_make_no_array():
    def with_array(n):
        return np.empty(n)[0]

    with pytest.raises(numba.core.errors.NumbaError, match="built-in function empty"):
        kernel(cache=False)(with_array)(3)


def at(values, i):
    """Return an element."""
    return values[i]


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_out_of_range_is_found_where_asked_for(index, monkeypatch):
    monkeypatch.setattr(KernelLower, "checks_indices", True)
    compiled = kernel(cache=False)(at)

    assert compiled(np.arange(3.0), 2) == 2.0
    with pytest.raises(IndexError, match="index out of range"):
        compiled(np.arange(3.0), index)


ZOO = """
import numpy as np
from odbench.plugins.find import find_detector
from odbench_detectors.shared.compiler.lowering import KernelLower

KernelLower.checks_indices = True
rng = np.random.default_rng(0)
for n, d in (64, 4), (5, 2), (1000, 4), (1000, 32), (300, 1):
    rows = rng.normal(size=(n, d))
    for table in rows, np.round(rows), np.repeat(rows[: n // 2], 2, axis=0):
        for name in "ecod copod hbos kde knn iforest cats lof dte_np".split():
            detector = find_detector(name).build(0)
            detector.fit(table)
            assert np.isfinite(detector.decision_function(table[::2])).all()
            detector.score_batch(table[::3]) if n > 60 else None
print("all within range")
"""


@pytest.mark.long
def test_no_index_of_the_zoo_is_out_of_range(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", ZOO],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stdout == "all within range\n", ran.stderr
