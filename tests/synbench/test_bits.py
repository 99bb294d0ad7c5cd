"""The same bits for any BLAS, number of threads, vector width and C library."""

import ast
import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import odbench.synbench
from odbench.synbench import suite

GOLDEN = ["-0x1.364aa8cab84a0p-1", "0x1.11ee0098c8cf3p-3"]
# Small, but every archetype and, in all, every dimension bin.
NAMES = (
    "gmm-subspace-047", "scm-measurement-065", "scm-structural-009",
    "copula-probabilistic-004", "copula-dependence-008",
)  # fmt: skip
# The same of version 2.
NAMES_2 = (
    "synbench-2/gmm-subspace-020", "synbench-2/scm-measurement-001",
    "synbench-2/scm-structural-007", "synbench-2/copula-probabilistic-003",
    "synbench-2/copula-dependence-009", "synbench-severity/scm-measurement-001",
)  # fmt: skip
SCRIPT = """
import hashlib, sys
from odbench.synbench import suite
from odbench.synbench.v2.suites import DESIGNS
for name in sys.argv[1:]:
    version, _, name = name.rpartition("/")
    made = DESIGNS[version].make(name) if version else suite.make(name)
    parts = made.X_train, made.X_test, made.y_test, made.oracle_scores
    parts += () if made.severity is None else (made.severity,)
    digest = hashlib.sha256(b"".join(part.tobytes() for part in parts))
    digest.update(repr(made.metadata).encode())
    print(name, digest.hexdigest())
"""
# Functions that SynBench must not use; they show that the settings below do differ.
CONTROL = """
import hashlib
import numpy as np
rng = np.random.default_rng(0)
a, b = rng.normal(size=(60, 60)), rng.normal(size=(60, 3000))
print(hashlib.sha256((a @ b).tobytes() + np.tanh(b).tobytes()).hexdigest())
"""
MACHINES = {
    "one BLAS thread": {"OPENBLAS_NUM_THREADS": "1"},
    "two BLAS threads": {"OPENBLAS_NUM_THREADS": "2"},
    "BLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "BLAS for Sandy Bridge": {"OPENBLAS_CORETYPE": "Sandybridge"},
    "BLAS for Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
    "no AVX2 and FMA in NumPy": {"NPY_DISABLE_CPU_FEATURES": "X86_V3,X86_V4"},
    "no AVX2 and FMA in libm": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA"},
}


def run(script, *arguments, **settings):
    # A feature that NumPy does not know, or the machine lacks, is only a warning.
    command = [sys.executable, "-W", "ignore", "-c", script, *arguments]
    environment = {**os.environ, **settings}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def here():
    return run(SCRIPT, *NAMES, *NAMES_2)


@pytest.mark.parametrize("settings", MACHINES.values(), ids=MACHINES.keys())
def test_bits_do_not_depend_on_the_machine(settings, here):
    assert run(SCRIPT, *NAMES, *NAMES_2, **settings) == here


@pytest.mark.skipif(platform.machine() != "x86_64", reason="kernels of x86-64")
def test_the_machines_above_do_differ():
    outcomes = {run(CONTROL, **settings) for settings in MACHINES.values()}

    if len(outcomes) == 1:
        pytest.skip("this BLAS and NumPy have one kernel: nothing is shown above")
    assert len(outcomes) > 1


@pytest.mark.slow
def test_bits_do_not_depend_on_the_order_or_the_company(here):
    backwards = run(SCRIPT, *reversed((*NAMES, *NAMES_2)))

    assert sorted(backwards.splitlines()) == sorted(here.splitlines())
    assert run(SCRIPT, NAMES[2]) == here.splitlines(keepends=True)[2]


def test_threads_do_not_disturb_each_other():
    from concurrent.futures import ThreadPoolExecutor

    def digest(name):
        train, test, *_ = suite.generate(name)
        return hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest()

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(digest, NAMES * 2))

    assert together == [digest(name) for name in NAMES] * 2


# Functions whose last bit depends on a C library, a vector kernel or an order of
# additions that is not fixed.
FORBIDDEN = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan",
    "tanh", "sinh", "cosh", "arctan", "arcsin", "arccos", "power", "float_power",
    "cbrt", "hypot", "logaddexp", "dot", "matmul", "einsum", "inner", "outer",
    "tensordot", "vdot", "linalg", "random", "mean", "std", "var", "fft", "convolve",
    "interp", "quantile", "percentile", "median", "corrcoef", "cov", "cumsum", "prod",
}  # fmt: skip
# Not part of what makes the bits, or exact: whole numbers, and seed sequences.
EXEMPT = {
    "picture.py": "draws, does not generate",
    "oracle.py:cumsum": "adds up whole numbers",
    "stream.py:random": "PCG64 and SeedSequence, whose words NumPy guarantees",
}


@pytest.mark.parametrize(
    "path",
    sorted(Path(odbench.synbench.__file__).parent.rglob("*.py")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_generators_use_nothing_whose_last_bit_may_vary(path):
    if path.name in EXEMPT:
        pytest.skip(EXEMPT[path.name])
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN:
            owner = node.value
            ours = isinstance(owner, ast.Name) and owner.id == "portable"
            if not ours and f"{path.name}:{node.attr}" not in EXEMPT:
                found.add(node.attr)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.MatMult, ast.Pow)):
            constant = isinstance(node.left, ast.Constant)
            if not constant:
                found.add(type(node.op).__name__)
        names = node.names if isinstance(node, ast.ImportFrom) else ()
        if isinstance(node, ast.ImportFrom) and node.module in ("math", "scipy"):
            found |= {alias.name for alias in names}

    assert found == set()


def test_a_set_is_pinned_to_the_bit():
    """Golden: written by generator version 1. A change of it is a new version."""
    train, test, labels, columns, _ = suite.generate("copula-dependence-010")

    assert suite.VERSION == 1
    assert columns == ("x0", "x1")
    assert (train.shape, test.shape, int(labels.sum())) == ((919, 2), (950, 2), 30)
    assert [value.hex() for value in train[0]] == GOLDEN
    assert np.isfinite(train).all()
