"""Compiling is in nobody's seconds: a trial in which numba compiled is repeated."""

import numpy as np
import pytest

import odbench
from odbench.plugins.find import core_zoo, find_detector
from odbench.sweep.compiling import CompileClock
from odbench.sweep.handover import Handover
from odbench.sweep.places import HOME, kernels_of, place_of
from odbench.sweep.sandbox import Confinement, Limits, Sandbox

LATE = '''
import numba
import numpy as np


class Late:
    """Compiles a function when it sees a real table."""

    def fit(self, X):
        self.center = X.mean(axis=0)
        if len(X) != 64:
            self.sum = numba.njit(lambda rows: np.abs(rows).sum())
            self.sum(X)
        return self

    def decision_function(self, X):
        return np.abs(X - self.center).sum(axis=1)
'''


def test_the_clock_hears_numba_compile():
    numba = pytest.importorskip("numba")
    clock = CompileClock()
    clock.listen()

    numba.njit(lambda x: x + 1)(1)
    compiled = clock.seconds
    numba.njit(lambda x: x + 1).py_func(1)

    assert compiled > 0
    assert clock.seconds == compiled


def test_nested_compilations_count_once():
    clock = CompileClock()

    clock.start()
    clock.start()
    clock.stop()
    inner = clock.seconds
    clock.stop()

    assert inner == 0
    assert clock.seconds > 0


def test_a_detector_that_compiles_on_real_rows_is_charged_without_it(made_up, tmp_path):
    file = tmp_path / "late.py"
    file.write_text(LATE)

    row = odbench.run(
        "oddbench",
        detectors=[f"{file}:Late"],
        mirror=str(made_up),
        datasets="Gamma",
        jobs=1,
        show_progress=False,
    ).iloc[0]

    # This detector compiles in every trial, so the repeated one compiles, too; the
    # first, with numba's own first use, is the longer one.
    assert row["status"] == "ok"
    assert row["warmup_seconds"] > row["fit_seconds"] > 0


@pytest.mark.slow
def test_no_core_detector_compiles_in_the_seconds_of_a_trial():
    rng = np.random.default_rng(0)
    sizes = ((300, 3), (3000, 6), (300, 40), (3000, 12))
    sandbox = Sandbox(
        Limits(seconds=600.0),
        Confinement(
            hidden=(), place=place_of(HOME), kernels=kernels_of(HOME), sys_path=()
        ),
        is_trusted=True,
    )
    late = []
    try:
        for n, d in sizes:
            rows = rng.normal(size=(n, d)) + 9.0 * (np.arange(n)[:, None] // (n / 4))
            tables = Handover(rows, rows + rng.normal(size=(n, d)))
            specs = [one.spec for one in core_zoo()]
            for spec in specs:
                sandbox.trial(spec, 0, tables, specs=specs)
                outcome, compiled = sandbox._try(spec, 0, tables, again=True)
                assert outcome.status == "ok", (spec, outcome.reason)
                if compiled:
                    late.append((spec, n, d))
            tables.close()
    finally:
        sandbox.close()

    assert not late


def test_a_cold_kernel_is_compiled_for_the_arrays_of_a_trial():
    work_rows = np.random.default_rng(0).normal(size=(64, 4))
    detector = find_detector("knn").build(0)
    read_only = work_rows.copy()
    read_only.flags.writeable = False

    # The same scores for both kinds of arrays, of which a trial has one.
    a = detector.fit(work_rows).decision_function(work_rows)
    b = detector.fit(read_only).decision_function(read_only)

    np.testing.assert_array_equal(a, b)
