"""Contextual subspace inflation keeps its band, its ranges and its subspace."""

import numpy as np
import pytest
from scipy import stats

from odbench.synbench import gmm
from odbench.synbench.draw import Sizes
from odbench.synbench.stream import seeded
from tests.reference import synbench as reference

SIZES = Sizes(n_columns=6, n_inliers=3000, n_anomalies=400)


def draws(count, sizes=SIZES):
    return [gmm.draw(seeded(11, (i,)), sizes) for i in range(count)]


@pytest.mark.parametrize("d", [2, 6, 40])
def test_inliers_and_outliers_lie_on_their_sides_of_the_chi_square_band(d):
    for drawn in draws(4, Sizes(n_columns=d, n_inliers=600, n_anomalies=80)):
        law = drawn.parameters
        low, high = stats.chi2.ppf([0.85, 0.95], len(law["subspace"]))

        def distances(columns, law=law):
            key = law["means"], law["variances"], law["subspace"]
            return np.array([reference.distance(row, *key) for row in columns.T])

        inliers = np.concatenate([drawn.train, drawn.inliers], axis=1)
        assert distances(inliers).max() < low * (1 + 3e-9)
        assert distances(drawn.anomalies).min() > high * (1 - 3e-9)


def test_oracle_score_is_the_distance():
    drawn = draws(1)[0]
    law = drawn.parameters

    wanted = [
        reference.distance(row, law["means"], law["variances"], law["subspace"])
        for row in drawn.anomalies.T
    ]

    np.testing.assert_allclose(drawn.anomaly_scores, wanted, rtol=1e-12)


def test_parameters_keep_to_their_ranges():
    laws = [drawn.parameters for drawn in draws(150)]

    assert {law["n_components"] for law in laws} == {2, 3, 4, 5}
    assert {law["mean_range"] for law in laws} == {2, 3, 4, 5}
    assert {law["variance_range"] for law in laws} == {2, 3, 4, 5}
    assert {len(law["subspace"]) for law in laws} == {1, 2, 3, 4, 5, 6}
    for law in laws:
        means, variances = np.array(law["means"]), np.array(law["variances"])
        assert means.shape == variances.shape == (law["n_components"], 6)
        assert np.abs(means).max() <= law["mean_range"]
        assert variances.min() > 0
        assert variances.max() <= law["variance_range"]
        assert len(set(law["subspace"])) == len(law["subspace"])


def test_only_the_subspace_is_wider():
    """Component by component; overlap decides how many outliers each one gives."""
    mixture = gmm.Mixture(
        means=np.array([[-100.0, 0.3, 1.0], [100.0, -0.6, -2.0]]),
        variances=np.array([[1.0, 2.0, 0.5], [1.5, 0.2, 3.0]]),
        subspace=np.array([2]),
    )
    low, high = gmm.thresholds(1)
    source = seeded(12, ())
    inliers = gmm._accepted(source, mixture, 4000, inflation=1.0, limit=low)
    outliers = gmm._accepted(source, mixture, 4000, inflation=5.0, limit=high)

    for sign, component in ((-1, 0), (1, 1)):
        plain = inliers[:, sign * inliers[0] > 0]
        wide = outliers[:, sign * outliers[0] > 0]
        assert stats.ks_2samp(plain[0], wide[0]).pvalue > 1e-3
        assert stats.ks_2samp(plain[1], wide[1]).pvalue > 1e-3
        deviation = np.sqrt(mixture.variances[component, 2])
        z = np.abs(wide[2] - mixture.means[component, 2]) / deviation
        tail = stats.norm(scale=np.sqrt(5))
        beyond = tail.sf(z) / tail.sf(np.sqrt(high))
        assert beyond.max() <= 1 + 1e-8
        # Far from the other component the tail is the inflated normal's.
        if component == 0:
            left = z[wide[2] > 1.0]
            right = tail.sf(left) / tail.sf(np.sqrt(high))
            assert stats.kstest(right, "uniform").pvalue > 1e-3


def test_components_have_equal_weights():
    mixture = gmm.Mixture(
        means=np.array([[-100.0], [0.0], [100.0]]),
        variances=np.ones((3, 1)),
        subspace=np.array([0]),
    )

    x = mixture.sample(seeded(3, ()), 9000, inflation=5.0)[0]

    counts = [np.sum(np.abs(x - centre) < 50) for centre in (-100, 0, 100)]
    assert stats.chisquare(counts).pvalue > 1e-3
    spread = x[np.abs(x) < 50].std()
    assert spread == pytest.approx(np.sqrt(5), rel=0.06)
