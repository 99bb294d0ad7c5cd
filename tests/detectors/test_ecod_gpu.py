"""The array version of ECOD's kernels agrees with the numba kernels.

It runs on a GPU if there is one, on NumPy, and on a strict stand-in for a device.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from odbench.errors import DetectorError, MissingExtraError
from odbench_detectors.copod.detector import COPOD
from odbench_detectors.ecod import cpu, device, gpu
from odbench_detectors.ecod.detector import ECOD
from odbench_detectors.shared.columns_sketch import ColumnSketch
from tests.detectors.late_device import STREAM, LateDevice

DEVICES = ["late device", pytest.param("cupy", marks=pytest.mark.gpu)]


def namespace(name):
    if name == "numpy":
        return np
    if name == "late device":
        return LateDevice()
    try:
        return device.find_cupy()
    except DetectorError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["numpy", *DEVICES])
def xp(request):
    """Array namespaces that the array version runs on."""
    return namespace(request.param)


def table(rng, n_rows):
    return np.column_stack(
        (
            rng.standard_normal((n_rows, 3)),
            rng.integers(-2, 4, (n_rows, 2)),
            np.exp(3 * rng.standard_normal(n_rows)),
            np.full(n_rows, 2.5),
        )
    )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_twins_sort_alike(rng, xp, order, dtype):
    X = table(rng, 700).astype(dtype, order=order)

    ours, twin = cpu.sorted_columns(X), gpu.sorted_columns(X, xp=xp)

    assert_array_equal(device.to_host(twin.values, xp), ours.values)
    assert_allclose(twin.skewness, ours.skewness, rtol=1e-10)


def test_twins_measure_skewness_at_any_scale(rng, xp):
    scales = np.array([5e-324 * 2**40, 1e-308, 1e-200, 1e200, 1e306])
    X = np.exp(rng.standard_normal((400, 1))) * scales

    ours, twin = cpu.sorted_columns(X), gpu.sorted_columns(X, xp=xp)

    assert_allclose(ours.skewness, ours.skewness[2], rtol=1e-6)
    assert_allclose(twin.skewness, ours.skewness, rtol=1e-10)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("threads", [1, 3])
def test_tables_arrive_whole_through_two_buffers(rng, xp, order, threads):
    X = np.asarray(rng.standard_normal((1000, 7)), order=order)
    arrived = xp.empty((7, 1000))

    device.upload_columns(X, arrived, xp=xp, budget=4000, n_jobs=threads)

    assert STREAM.idle
    assert_array_equal(device.to_host(arrived, xp), X.T)


@pytest.mark.parametrize("aggregate", ["sums", "columns", "copod"])
@pytest.mark.parametrize("budget", [gpu.BUDGET, 20_000])
def test_twins_score_alike(rng, xp, aggregate, budget):
    X, rows = table(rng, 600), 1.3 * table(rng, 500)
    tails = np.array([-1, 0, 1, -1, 1, 0, 1], np.int8)
    twin = gpu.sorted_columns(X, xp=xp, budget=budget)
    for plus in (0, 1):
        call = {"plus": plus, "aggregate": aggregate}
        counted = rows if plus else X
        expected = cpu.tail_sums(cpu.sorted_columns(X), counted, tails, **call)

        sums = gpu.tail_sums(twin, counted, tails, **call, xp=xp, budget=budget)

        assert_allclose(sums, expected, rtol=1e-12, atol=1e-12)


def test_twins_score_a_sketch_alike(rng, xp):
    sketch = ColumnSketch(7, 64)
    sketch.add(table(rng, 3000))
    columns, rows = sketch.columns(), 1.3 * table(rng, 500)
    tails = np.ones(7, np.int8)
    expected = cpu.tail_sums(columns, rows, tails, plus=1, aggregate="sums")
    moved = type(columns)(
        xp.asarray(columns.values), columns.skewness, columns.n_rows, columns.ranks
    )

    sums = gpu.tail_sums(moved, rows, tails, plus=1, aggregate="sums", xp=xp)

    assert_allclose(sums, expected, rtol=1e-12)


def test_array_twin_marks_rows_with_nan(rng, xp):
    X = rng.standard_normal((30, 2))
    columns = gpu.sorted_columns(X, xp=xp)
    rows = np.array([[0.0, np.nan], [0.0, 0.0]])

    sums = gpu.tail_sums(
        columns, rows, np.ones(2, np.int8), plus=1, aggregate="sums", xp=xp
    )

    assert_array_equal(np.isnan(sums.max(axis=0)), [True, False])
    with pytest.raises(DetectorError, match="column 1 holds NaN"):
        gpu.sorted_columns(rows, xp=xp)


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("make", [ECOD, COPOD, lambda **kw: ECOD("columns", **kw)])
def test_device_changes_nothing(rng, make, name, monkeypatch):
    xp = namespace(name)
    monkeypatch.setattr(device, "find_cupy", lambda: xp)
    X, rows = table(rng, 5000), 1.3 * table(rng, 4000)
    on_cpu = make(device="cpu").fit(X[:3000]).partial_fit(X[3000:])
    on_gpu = make(device="cuda").fit(X[:3000]).partial_fit(X[3000:])

    scores = on_gpu.decision_function(rows)

    assert_allclose(scores, on_cpu.decision_function(rows), rtol=1e-12)
    explained = on_gpu.explain(rows[:3])
    assert_allclose(explained.surprise.sum(axis=1), scores[:3], rtol=1e-12)


def test_missing_cupy_is_said_clearly(rng, monkeypatch):
    def no_cupy(name):
        raise ImportError(name)

    monkeypatch.setattr(device.importlib, "import_module", no_cupy)
    X = rng.standard_normal((10, 2))
    with pytest.raises(MissingExtraError, match=r"pip install 'odbench\[gpu\]'"):
        ECOD(device="cuda").fit(X)
    assert device.choose("auto", device.LARGE) is None


def test_missing_device_is_said_clearly(rng, monkeypatch):
    class NoDevice:
        class cuda:  # noqa: N801 - CuPy's name
            class runtime:  # noqa: N801 - CuPy's name
                CUDARuntimeError = RuntimeError

                @staticmethod
                def getDeviceCount():  # noqa: N802 - CuPy's name
                    msg = "cudaErrorNoDevice"
                    raise RuntimeError(msg)

    monkeypatch.setattr(device.importlib, "import_module", lambda _: NoDevice)
    with pytest.raises(DetectorError, match=r"sees no GPU \(cudaErrorNoDevice\)"):
        ECOD(device="cuda").fit(rng.standard_normal((10, 2)))
