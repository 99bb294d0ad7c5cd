"""The memory of a trial is its own, whatever its process has done before."""

import sys
from contextlib import contextmanager

import numpy as np
import pytest

from odbench.plugins.find import find_detector
from odbench.sweep.handover import Handover
from odbench.sweep.places import HOME, kernels_of, place_of
from odbench.sweep.sandbox import Confinement, Limits, Sandbox

# Arrays of the size of the table are what these detectors need at least.
ROWS, COLUMNS = 20_000, 10
TABLE_BYTES = ROWS * COLUMNS * 8


@contextmanager
def a_process():
    sandbox = Sandbox(
        Limits(seconds=100.0),
        Confinement(
            hidden=(), place=place_of(HOME), kernels=kernels_of(HOME), sys_path=()
        ),
        is_trusted=True,
    )
    try:
        yield sandbox
    finally:
        sandbox.close()


def memory(sandbox, spec, tables):
    outcome = sandbox.trial(spec, 0, tables, specs=[spec])
    assert outcome.status == "ok", outcome.reason
    return outcome.costs["peak_memory_bytes"]


@pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux only")
@pytest.mark.parametrize("name", ["ecod", "hbos", "knn"])
def test_a_used_process_measures_what_a_fresh_one_does(rng, name):
    rows = rng.normal(size=(ROWS, COLUMNS))
    spec = find_detector(name).spec
    larger = Handover(np.tile(rows, (3, 1)), rows)
    tables = Handover(rows, rows.copy())
    try:
        with a_process() as process:
            fresh = memory(process, spec, tables)
        with a_process() as process:
            # Frees more than the trial needs, and would hide it.
            memory(process, spec, larger)
            used = [memory(process, spec, tables) for _ in range(3)]
    finally:
        larger.close()
        tables.close()

    assert fresh > TABLE_BYTES / 2
    assert used == pytest.approx([fresh] * 3, rel=0.5)
