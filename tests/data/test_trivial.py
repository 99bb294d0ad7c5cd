"""The share of anomalies that one rule finds, against a slow version and by example."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from odbench.data.protocol import standardise
from odbench.data.trivial import trivial_share
from tests.reference import trivial as reference

_VALUES = st.integers(-4, 4).map(float)


def tables(rows):
    return hnp.arrays(np.float64, st.tuples(rows, st.just(2)), elements=_VALUES)


@settings(deadline=None)
@given(tables(st.integers(2, 12)), tables(st.integers(2, 45)), st.data())
def test_it_is_the_best_of_all_thresholds(train, test, data):
    labels = np.zeros(len(test), dtype=np.int8)
    labels[: data.draw(st.integers(1, len(test) - 1))] = 1
    axes = reference.on_axes(*standardise(train, test))
    bases = [(train, test), *([axes] if axes is not None else [])]
    expected = max(reference.best(a, b, labels) for a, b in bases)
    assert trivial_share(train, test, labels) == pytest.approx(expected)


@pytest.fixture
def gaussian(rng):
    return rng.normal(size=(500, 3)), rng.normal(size=(400, 3))


def share(train, inliers, anomalies):
    labels = np.r_[np.zeros(len(inliers)), np.ones(len(anomalies))].astype(np.int8)
    return trivial_share(train, np.vstack([inliers, anomalies]), labels)


def test_anomalies_beyond_one_column_are_trivial(gaussian, rng):
    train, inliers = gaussian
    anomalies = rng.normal(size=(40, 3))
    anomalies[:, 1] -= 8
    assert share(train, inliers, anomalies) == 1


def test_anomalies_in_a_gap_are_trivial(gaussian, rng):
    train, inliers = (np.sign(X) * (3 + np.abs(X)) for X in gaussian)
    assert share(train, inliers, rng.normal(size=(40, 3)) / 10) == 1


def test_anomalies_beyond_a_principal_axis_are_trivial(rng):
    def correlated(n):
        both = rng.normal(size=(n, 1))
        return np.hstack([both, both]) + 0.01 * rng.normal(size=(n, 2))

    anomalies = rng.normal(size=(30, 1)) * [1, -1] + [0.5, -0.5]
    train, inliers = correlated(500), correlated(400)
    assert share(train, inliers, anomalies) > 0.9


def test_each_anomaly_outside_another_column_is_trivial(gaussian):
    train, inliers = gaussian
    inliers = np.clip(inliers, train.min(axis=0), train.max(axis=0))
    anomalies = np.vstack([9 * np.eye(3), -9 * np.eye(3)])
    assert share(train, inliers, anomalies) == 1


def test_anomalies_like_inliers_are_not(gaussian, rng):
    train, inliers = gaussian
    assert share(train, inliers, rng.normal(size=(400, 3))) < 0.15


def test_the_ends_of_the_float_range_are_measured():
    train = np.array([[-1.7e308], [1.7e308], [0.0]])
    assert share(train, train, np.array([[8e307]])) == 1
    constant = np.zeros((3, 2))
    assert share(constant, constant, np.full((1, 2), 1.7e308)) == 1
    assert share(constant, constant, constant[:1]) == 0
