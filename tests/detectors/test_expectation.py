"""Mixtures by expectation maximisation, against scikit-learn's."""

import warnings

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from odbench_detectors.shared.expectation import fit_gaussians

TABLES = {
    "two clusters": np.concatenate(
        [
            np.random.default_rng(0).normal(size=(60, 3)),
            np.random.default_rng(1).normal(4, 2, size=(30, 3)),
        ]
    ),
    "equal rows": np.round(np.random.default_rng(2).normal(size=(80, 2))),
    "a constant column": np.random.default_rng(3).normal(size=(50, 4)) * [1, 0, 1, 3],
    "nine columns": np.random.default_rng(4).normal(size=(200, 9)),
    "two rows": np.array([[0.0], [1e140]]),
}


@pytest.mark.parametrize("ridge", [1e-3, 1e-6])
@pytest.mark.parametrize("components", [1, 2, 9])
@pytest.mark.parametrize("covariance", ["full", "diag"])
@pytest.mark.parametrize("table", TABLES)
def test_mixtures_are_those_of_scikit_learn(table, covariance, components, ridge):
    X = TABLES[table]
    components = min(components, len(X))
    expected = GaussianMixture(
        components, covariance_type=covariance, reg_covar=ridge, random_state=5
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected.fit(X)
    found = fit_gaussians(
        X,
        components=components,
        is_diagonal=covariance == "diag",
        ridge=ridge,
        random_state=5,
    )
    assert found.weights == pytest.approx(expected.weights_, rel=1e-9)
    assert found.means == pytest.approx(expected.means_, rel=1e-9, abs=1e-12)
    assert found.factors == pytest.approx(
        expected.precisions_cholesky_, rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("is_diagonal", [False, True])
def test_a_covariance_that_is_not_positive_definite_is_refused(is_diagonal):
    X = np.column_stack([np.arange(9.0), np.zeros(9)])
    with pytest.raises(ValueError, match="not positive definite; use fewer"):
        fit_gaussians(X, components=2, is_diagonal=is_diagonal, ridge=0, random_state=0)
