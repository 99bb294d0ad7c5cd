"""PCA against scikit-learn, and its import against scikit-learn's."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn import decomposition
from sklearn.preprocessing import StandardScaler

from odbench_detectors import PCA

# One by the covariance, one by all rows, one with more columns than rows, one with more
# columns than the covariance is taken for, and one with yet more rows.
SHAPES = [(400, 7), (60, 20), (5, 12), (1150, 1100), (40, 1), (2, 1)]


def slow(Z, axes, shares):
    """Return the sum of distances to the axes as unit vectors, over their shares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = [
            sum(np.linalg.norm(z - v) / w for v, w in zip(axes, shares, strict=True))
            for z in Z
        ]
    return np.nan_to_num(scores, nan=np.finfo(float).max, posinf=np.finfo(float).max)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_axes_are_those_of_scikit_learn(shape):
    rng = np.random.default_rng(0)
    X = 3.0 + rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4, shape[1])
    many_columns = shape[0] > shape[1] > 1000
    theirs = decomposition.PCA(
        svd_solver="covariance_eigh" if many_columns else "auto"
    ).fit(StandardScaler().fit_transform(X))

    ours = PCA().fit(X)

    np.testing.assert_array_equal(ours._axes, theirs.components_)
    np.testing.assert_array_equal(ours._shares, theirs.explained_variance_ratio_)


def test_scores_are_the_sum_of_the_docstring():
    rng = np.random.default_rng(1)
    X, new = rng.normal(size=(200, 4)), rng.normal(size=(30, 4))
    scaler = StandardScaler().fit(X)
    theirs = decomposition.PCA().fit(scaler.transform(X))

    scores = PCA().fit(X).decision_function(new)

    axes, shares = theirs.components_, theirs.explained_variance_ratio_
    np.testing.assert_allclose(scores, slow(scaler.transform(new), axes, shares))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-9, 12345678.9])
def test_a_constant_column_is_standardised_as_scikit_learn_does(value):
    X = np.random.default_rng(2).normal(size=(300, 3))
    X[:, 1] = value
    scaler = StandardScaler().fit(X)

    ours = PCA().fit(X)

    np.testing.assert_array_equal(ours._mean, scaler.mean_)
    np.testing.assert_array_equal(ours._scale, scaler.scale_)


@pytest.mark.parametrize("shape", [(300, 3), (20, 5)])
def test_values_whose_squares_overflow_are_ranked(shape):
    X = np.random.default_rng(3).normal(size=shape) * 1e300

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = PCA(floor=1e-12).fit(X).decision_function(X)

    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 1


def test_scikit_learn_is_not_imported():
    code = (
        "import sys, numpy as np; from odbench_detectors import PCA; "
        "X = np.arange(24.0).reshape(8, 3) % 5; PCA().fit(X).decision_function(X); "
        "print('sklearn' in sys.modules, 'pandas' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert told.stdout.split() == ["False", "False"]
