"""The class that defines the scoring method decides the sign."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, OneClassSVM

from odbench.errors import DetectorError
from odbench.plugins.adapter import adapt


class Plain(BaseEstimator):
    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)

    def decision_function(self, X):
        return np.abs(X - self.mean_).sum(axis=1)


class OnlyFitChanged(IsolationForest):
    def fit(self, X, y=None):
        return super().fit(X, y)


class OwnSign(IsolationForest):
    def decision_function(self, X):
        return -super().decision_function(X)


class Density:
    """score_samples is scikit-learn's name for a log density."""

    def fit(self, X):
        self.mean = X.mean(axis=0)

    def score_samples(self, X):
        return -np.abs(X - self.mean).sum(axis=1)


def ranks_planted_first(detector, rng):
    train = rng.normal(size=(200, 3))
    test = np.concatenate([rng.normal(size=(20, 3)), [[9.0, 9, 9]]])
    scores = adapt(detector).fit(train).decision_function(test)
    assert scores.dtype == np.float64
    assert scores.shape == (21,)
    return scores.argmax() == 20


def far(X_train, X_test):
    return np.abs(X_test - X_train.mean(axis=0)).max(axis=1)


@pytest.mark.parametrize(
    "detector",
    [
        Plain(),
        Density(),
        IsolationForest(random_state=0),
        OnlyFitChanged(random_state=0),
        OwnSign(random_state=0),
        OneClassSVM(),
        EllipticEnvelope(random_state=0),
        KernelDensity(),
        GaussianMixture(),
        LocalOutlierFactor(),
        make_pipeline(StandardScaler(), LocalOutlierFactor()),
        make_pipeline(StandardScaler(), OneClassSVM()),
        make_pipeline(StandardScaler(), Plain()),
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), OneClassSVM())),
        far,
    ],
    ids=lambda one: getattr(one, "__name__", type(one).__name__),
)
def test_the_planted_row_scores_highest(detector, rng):
    assert ranks_planted_first(detector, rng)


@pytest.mark.filterwarnings("ignore")
def test_pyod_is_taken_as_it_is(rng):
    knn = pytest.importorskip("pyod.models.knn")

    assert ranks_planted_first(knn.KNN(), rng)
    assert ranks_planted_first(make_pipeline(StandardScaler(), knn.KNN()), rng)


def test_scikit_learns_forest_keeps_its_digits(rng):
    X = rng.normal(size=(100, 2))
    forest = IsolationForest(random_state=0).fit(X)
    ours = adapt(IsolationForest(random_state=0)).fit(X).decision_function(X)

    assert np.array_equal(ours, -forest.score_samples(X))


def test_adapting_twice_turns_once():
    once = adapt(OneClassSVM())

    assert adapt(once) is once


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        (Plain, "wanted an instance"),
        (object(), "no fit"),
        (StandardScaler(), "neither decision_function"),
        (make_pipeline(StandardScaler(), "passthrough"), "last step"),
        (SVC(), r"detector SVC: fit\(X, y\) needs y; a detector gets features alone"),
        (make_pipeline(StandardScaler(), SVC()), r"detector SVC: fit\(X, y\) needs y"),
    ],
)
def test_what_cannot_score_is_named(detector, message):
    with pytest.raises(DetectorError, match=message) as caught:
        adapt(detector)
    assert "\n" not in str(caught.value)


class Returning(Plain):
    def __init__(self, what):
        self.what = what

    def decision_function(self, X):
        return self.what


def test_a_column_becomes_flat():
    scores = adapt(Returning([[1], [2]])).decision_function(np.ones((2, 1)))

    assert scores.tolist() == [1.0, 2.0]


def test_wrong_shapes_and_nan_are_not_hidden():
    wide = adapt(Returning(np.ones((2, 2)))).decision_function(np.ones((2, 1)))
    nan = adapt(Returning([np.nan, 1])).decision_function(np.ones((2, 1)))

    assert wide.shape == (2, 2)
    assert np.isnan(nan[0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, bool])
def test_masked_entries_are_nan(dtype):
    masked = np.ma.MaskedArray(np.ones(3, dtype), mask=[False, True, False])
    scores = adapt(Returning(masked)).decision_function(np.ones((3, 1)))

    assert type(scores) is np.ndarray
    assert np.isnan(scores).tolist() == [False, True, False]
    assert scores[[0, 2]].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("what", [None, ["a", "b"], [1j, 2j], [[1], [1, 2]], {}])
def test_what_is_no_number_is_an_error(what):
    with pytest.raises(DetectorError, match="Returning"):
        adapt(Returning(what)).decision_function(np.ones((2, 1)))


def test_other_attributes_can_be_reached():
    detector = adapt(Returning("x"))

    assert detector.what == "x"
    assert not hasattr(detector, "shared_needs")
