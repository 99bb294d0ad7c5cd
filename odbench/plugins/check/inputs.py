"""Probes with inputs as in real tables: odd layouts, constants, duplicates."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray
from odbench.plugins.check.bench import Bench, DoubtError, FaultError, difference
from odbench.plugins.entry_points import one_line


def read_only(bench: Bench) -> str:
    """Score read-only arrays."""
    train, test = bench.table.train.copy(), bench.table.test.copy()
    train.flags.writeable = test.flags.writeable = False
    return _same(bench, train, test, "read-only arrays")


def fortran(bench: Bench) -> str:
    """Score arrays in column-major order."""
    train = np.asfortranarray(bench.table.train)
    return _same(
        bench, train, np.asfortranarray(bench.table.test), "Fortran-ordered arrays"
    )


def strided(bench: Bench) -> str:
    """Score every other row of an array."""
    train = np.repeat(bench.table.train, 2, axis=0)[::2]
    test = np.repeat(bench.table.test, 2, axis=0)[::2]
    return _same(bench, train, test, "non-contiguous arrays")


def float32(bench: Bench) -> str:
    """Score float32 arrays."""
    train = bench.table.train.astype(np.float32)
    test = bench.table.test.astype(np.float32)
    scores = np.asarray(bench.score(train, test))  # type: ignore[arg-type]
    if scores.shape != bench.expected().shape or not np.isfinite(scores).all():
        msg = "float32 input gives no finite scores; convert: np.asarray(X, float)"
        raise FaultError(msg)
    return "float32 input is accepted"


def _same(bench: Bench, train: FloatArray, test: FloatArray, what: str) -> str:
    scores = bench.score(train, test)
    if np.allclose(scores, bench.expected(), rtol=1e-6, atol=1e-9):
        return f"{what} give the same scores"
    gap = difference(scores, bench.expected())
    msg = f"{what} give other scores ({gap}); start with np.ascontiguousarray(X)"
    raise FaultError(msg)


def one_row(bench: Bench) -> str:
    """Score a single row."""
    bench.finite(bench.table.train, bench.table.test[:1], "one row")
    return "one row can be scored"


def one_column(bench: Bench) -> str:
    """Fit and score a table of one column."""
    train, test = bench.table.train[:, :1].copy(), bench.table.test[:, :1].copy()
    bench.finite(train, test, "a table of one column")
    return "a table of one column works"


def constant_column(bench: Bench) -> str:
    """Fit a constant column, then score other values in it."""
    train, test = bench.table.train.copy(), bench.table.test.copy()
    train[:, 1] = test[:, 1] = 0.0
    bench.finite(train, test, "a constant column")
    test[::7, 1] = 3.0
    bench.finite(train, test, "a column that is constant in training only")
    return "a constant column works"


def duplicates(bench: Bench) -> str:
    """Fit seven rows, thirty times each."""
    train = np.repeat(bench.table.train[:7], 30, axis=0)
    bench.finite(train, np.concatenate([train[:3], bench.table.test]), "duplicates")
    return "a table of many duplicates works"


def few_rows(bench: Bench) -> str:
    """Fit three rows."""
    what = "three training rows"
    try:
        bench.finite(bench.table.train[:3], bench.table.test, what)
    except Exception as error:
        msg = (
            f"{what}: {one_line(error).removeprefix(f'{what}: ')}; shrink neighbours, "
            "samples or components to what there is"
        )
        raise DoubtError(msg) from error
    return "three training rows work"


def large_values(bench: Bench) -> str:
    """Score a value of 1e30."""
    test = bench.table.test.copy()
    test[0, 0] = 1e30
    bench.finite(bench.table.train, test, "a value of 1e30")
    return "a value of 1e30 works"
