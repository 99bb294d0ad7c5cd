"""ECOD scores as defined, for all kinds of columns."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from odbench.errors import DetectorError
from odbench_detectors.copod.detector import COPOD
from odbench_detectors.ecod.detector import ECOD
from odbench_detectors.hbos.detector import HBOS
from tests.reference import ecod as slow


def tables(rng):
    """Yield (name, train, rows) for many kinds of columns."""
    yield "normal", rng.standard_normal((60, 3)), rng.standard_normal((40, 3)) * 2
    yield "ties", rng.integers(0, 4, (80, 3)) * 1.0, rng.integers(-1, 6, (30, 3)) * 1.0
    yield "constant", np.ones((20, 2)), np.array([[1.0, 1.0], [0.0, 2.0], [1.0, 2.0]])
    yield "one row", rng.standard_normal((1, 2)), rng.standard_normal((5, 2))
    yield "wide", rng.standard_normal((15, 70)), rng.standard_normal((9, 70))
    heavy = np.exp(8 * rng.standard_normal((200, 2)))
    yield "heavy tails", heavy, heavy[::-1] * 1.5
    huge = rng.choice([1.0, 2.0, 8e36, -3e300], (150, 2))
    yield "huge", huge, np.vstack((huge[:20], [[1.7e308, -1.7e308]]))
    zeros = np.where(rng.random((300, 2)) < 0.6, 0.0, rng.standard_normal((300, 2)))
    yield "half zeros", zeros, np.vstack((zeros[:40], rng.standard_normal((40, 2))))


@pytest.mark.parametrize("aggregate", ["sums", "columns"])
def test_equals_counting(rng, aggregate):
    for name, train, rows in tables(rng):
        fast = ECOD(aggregate).fit(train).decision_function(rows)
        expected = slow.ecod(train.tolist(), rows.tolist(), aggregate)
        assert_allclose(fast, expected, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.filterwarnings("ignore:Precision loss:RuntimeWarning")
def test_batch_reference_equals_pyod(rng):
    pyod = pytest.importorskip("pyod.models.ecod")
    for name, train, rows in tables(rng):
        if name in ("one row", "huge"):
            continue  # its check_array and scipy's skewness refuse them
        ours = ECOD("columns", "batch").fit(train).decision_function(rows)
        theirs = pyod.ECOD().fit(train).decision_function(rows)
        assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12, err_msg=name)


def test_many_rows_equal_counting(rng):
    train = np.round(rng.standard_normal((3000, 2)), 2)
    rows = np.round(rng.standard_normal((9000, 2)) * 1.5, 2)
    at_most = np.searchsorted(np.sort(train[:, 0]), rows[:, 0], side="right")
    below = np.searchsorted(np.sort(train[:, 0]), rows[:, 0], side="left")

    scores = ECOD("columns").fit(train[:, :1]).decision_function(rows[:, :1])

    least = np.minimum(1 + at_most, 1 + 3000 - below)
    assert_allclose(scores, -np.log(least / 3001), rtol=1e-12)


@pytest.mark.parametrize("quantiles", [0, 16])
@pytest.mark.parametrize("scale", [1e-308, 1e-200, 1e-110, 1e110, 1e200, 1e306])
def test_the_skewness_is_that_of_the_column_at_any_scale(rng, scale, quantiles):
    X = np.exp(rng.standard_normal((500, 2))) * [1.0, -1.0]
    plain = ECOD().fit(X).columns_.skewness

    scaled = ECOD(quantiles=quantiles).fit(X * scale).columns_.skewness

    assert_allclose(scaled, plain, rtol=1e-9)


def test_the_least_float_is_no_constant():
    column = np.array([[0.0], [5e-324], [0.0]])

    assert_allclose(ECOD().fit(column).columns_.skewness, np.sqrt(0.5))


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_a_sketch_of_blocks_of_other_scales_has_the_skewness_of_all(rng, scale):
    X = np.exp(rng.standard_normal((500, 2))) * [1.0, -1.0]
    X[:100] = 0
    X[300:] *= scale
    exact = ECOD().fit(X).columns_.skewness

    halves = [ECOD(quantiles=16).fit(part) for part in (X[:250], X[250:])]
    merged = halves[0].merge(halves[1]).columns_.skewness

    assert_allclose(merged, exact, rtol=1e-9)


@pytest.mark.parametrize("reference", ["train", "batch"])
def test_threads_and_layout_change_nothing(rng, reference):
    train, rows = rng.standard_normal((500, 11)), rng.standard_normal((300, 11))
    plain = ECOD(reference=reference).fit(train).decision_function(rows)
    train.flags.writeable = rows.flags.writeable = False
    for threads in (2, 3, -1):
        detector = ECOD(reference=reference, n_jobs=threads)
        fortran = detector.fit(np.asfortranarray(train))

        assert_array_equal(fortran.decision_function(np.asfortranarray(rows)), plain)
        assert_array_equal(fortran.decision_function(rows), plain)


def test_float32_is_exact_on_its_own_values(rng):
    train = rng.standard_normal((400, 5)).astype(np.float32)
    rows = rng.standard_normal((300, 5)).astype(np.float32)
    single = ECOD().fit(train)

    assert single.columns_.values.dtype == np.float32
    double = ECOD().fit(train.astype(np.float64)).decision_function(rows.astype(float))
    assert_array_equal(single.decision_function(rows), double)


def test_says_what_is_wrong(rng):
    train = rng.standard_normal((10, 2))
    with pytest.raises(DetectorError, match=r"aggregate.*sums, columns.*got 'max'"):
        ECOD("max").fit(train)
    with pytest.raises(DetectorError, match="call fit first"):
        ECOD().decision_function(train)
    with pytest.raises(DetectorError, match="expected 2 columns as in fit, got 3"):
        ECOD().fit(train).decision_function(np.ones((4, 3)))
    with pytest.raises(DetectorError, match="row 1 holds NaN or infinity"):
        ECOD().fit(train).decision_function(np.array([[0.0, 1], [np.nan, 0]]))
    with pytest.raises(DetectorError, match="column 1 holds NaN or infinity"):
        ECOD().fit(np.array([[0.0, 1], [0.0, np.nan]]))
    with pytest.raises(DetectorError, match=r"shape \(0, 2\)"):
        ECOD().fit(np.empty((0, 2)))


@pytest.mark.parametrize("kind", [ECOD, COPOD, HBOS])
def test_parameters_are_set_as_scikit_learn_does(kind):
    detector = kind(n_jobs=3)

    assert detector.set_params(n_jobs=2) is detector
    assert detector.get_params()["n_jobs"] == 2
    assert set(detector.get_params()) == set(inspect.signature(kind).parameters)
    with pytest.raises(DetectorError, match="has no parameter 'bins'"):
        detector.set_params(bins=3)
