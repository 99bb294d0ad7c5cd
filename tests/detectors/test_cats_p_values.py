"""When p-values of CATS hold: simulations with inliers, and with anomalies too."""

import numpy as np
import pytest

from odbench.tables.conformal import among_themselves
from odbench_detectors.cats.detector import CATS

LEVELS = (0.05, 0.1, 0.25)


def own_p_values(X):
    return among_themselves(CATS().fit_score(X))


def test_the_p_value_of_one_row_of_a_table_of_inliers_holds(rng):
    tables, n = 300, 60
    first = np.array([own_p_values(rng.normal(size=(n, 2)))[0] for _ in range(tables)])
    for level in LEVELS:
        # Three standard deviations of a share of that many tables.
        allowance = 3 * np.sqrt(level * (1 - level) / tables)
        assert np.mean(first <= level) <= level + allowance


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_anomalies_raise_the_rate_of_inliers_by_no_more_than_their_share(rng, share):
    n, count = 200, int(200 * share)
    for _ in range(5):
        X = rng.normal(size=(n, 3))
        X[:count] = rng.normal(size=(count, 3)) * 0.3 + 2.0
        p = own_p_values(X)[count:]
        for level in LEVELS:
            assert np.mean(p <= level) <= level / (1 - count / n)


def test_p_values_after_fit_score_are_too_small_and_those_after_fit_hold(rng):
    X, fresh = rng.normal(size=(1_000, 3)), rng.normal(size=(2_000, 3))
    of_a_core = CATS()
    of_a_core.fit_score(X)
    trimmed, whole = of_a_core.p_values(fresh), CATS().fit(X).p_values(fresh)
    for level in LEVELS:
        assert np.mean(trimmed <= level) > 1.5 * level
        # The calibration rows are 500, the same for all fresh rows.
        assert np.mean(whole <= level) <= level + 4 * np.sqrt(level * (1 - level) / 500)
