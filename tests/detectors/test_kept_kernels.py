"""Kernels kept on disk are loaded without the parts of numba that compile."""

import json
import os
import subprocess
import sys

import pytest

KERNELS = """
from odbench_detectors.shared.compiler import pipeline
from odbench_detectors.shared.kernels import kernel

if not is_known:
    pipeline._KNOWN_VERSIONS = set()

@kernel()
def total(values):
    found = 0.0
    for i in range(len(values)):
        found += values[i] ** 2
    return found

@kernel()
def largest(values):
    found = values[0]
    for i in range(len(values)):
        found = max(found, values[i])
    return found
"""
# numba.np.linalg is a module that only the compiler needs.
CALL = """
import builtins, json, sys
import numpy as np

builtins.is_known = sys.argv[2] == "known"
import kernels_of_a_detector as kernels

compiles = []
for name in sys.argv[1].split(","):
    answer = float(getattr(kernels, name)(np.arange(5.0)))
    compiles.append((answer, "numba.np.linalg" in sys.modules))
stats = getattr(kernels.total, "stats", None)
print(json.dumps([compiles, sum(stats.cache_hits.values()) if stats else None]))
"""


@pytest.fixture
def call(tmp_path):
    """Return a function that calls kernels in a process of their own."""
    (tmp_path / "kernels_of_a_detector.py").write_text(KERNELS, encoding="utf-8")
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}

    def run(names, version="known", **variables):
        done = subprocess.run(
            [sys.executable, "-c", CALL, names, version],
            env=os.environ | environment | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return run


def test_a_kept_kernel_is_loaded_without_the_compiler(call):
    assert call("total") == [[[30.0, True]], 0]
    assert call("total") == [[[30.0, False]], 1]


def test_a_kernel_that_is_not_kept_is_compiled_after_one_that_is(call):
    call("total")

    assert call("total,largest,total") == [
        [[30.0, False], [4.0, True], [30.0, True]],
        1,
    ]
    assert call("largest,total") == [[[4.0, False], [30.0, False]], 1]


def test_other_versions_of_numba_load_their_own_way(call):
    call("total")

    assert call("total", version="unknown") == [[[30.0, True]], 1]


def test_kernels_run_where_numba_is_told_not_to_compile(call):
    assert call("total", NUMBA_DISABLE_JIT="1") == [[[30.0, False]], None]
