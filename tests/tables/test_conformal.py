"""p-values and flags, against slow versions and on rows that are truly exchangeable."""

import numpy as np
import pytest

from odbench.errors import UsageError
from odbench.plugins.find import find_detector
from odbench.tables.conformal import (
    Conformal,
    among_themselves,
    benjamini_hochberg,
    every_kth,
    rows_needed,
)
from odbench.tables.learner import Learner


class Distance:
    """Scores by the distance to the mean of the rows it was fitted on."""

    def fit(self, X):
        self.mean = X.mean()
        return self

    def decision_function(self, X):
        return np.abs(X[:, 0] - self.mean)


def fit(rows):
    return Distance().fit(rows)


def p_slow(reference, new, parts):
    found = []
    for x in new:
        above = 0
        for part in parts:
            kept = [r for i, r in enumerate(reference) if i not in set(part.tolist())]
            mean = sum(kept) / len(kept)
            above += sum(abs(reference[i] - mean) >= abs(x - mean) for i in part)
        found.append((1 + above) / (len(reference) + 1))
    return found


def test_p_values_agree_with_the_definition(rng):
    reference, new = rng.normal(size=60), rng.normal(size=20) * 2
    parts = every_kth(60, 5)

    p = Conformal.of(reference[:, None], fit, parts).p_values(new[:, None])

    np.testing.assert_allclose(p, p_slow(reference.tolist(), new, parts), rtol=1e-12)


def test_parts_cover_every_row_once():
    for n in (1, 3, 5, 17):
        assert sorted(np.concatenate(every_kth(n, 5)).tolist()) == list(range(n))


def bh_slow(p, fdr):
    m, best = len(p), 0
    for k, value in enumerate(sorted(p), 1):
        if value <= k * fdr / m:
            best = k
    limit = sorted(p)[best - 1] if best else -1
    return [value <= limit for value in p]


@pytest.mark.parametrize("fdr", [0.01, 0.1, 0.5])
def test_selection_agrees_with_the_definition(rng, fdr):
    for _ in range(20):
        p = np.round(rng.random(40) ** rng.integers(1, 8), 3) + 1e-4

        assert benjamini_hochberg(p, fdr).tolist() == bh_slow(p.tolist(), fdr)


@pytest.mark.parametrize("fdr", [0.0, 1.0, -1.0, float("nan")])
def test_impossible_rates_are_refused(fdr):
    with pytest.raises(UsageError, match="is not a rate"):
        benjamini_hochberg(np.ones(3), fdr)


def test_the_number_of_rows_needed_is_exact():
    for m, fdr in ((100, 0.1), (7, 0.3), (1_000, 0.05)):
        n = rows_needed(m, fdr)
        for rows, expected in ((n, True), (n - 1, False)):
            p = np.ones(m)
            p[0] = 1 / (rows + 1)
            assert benjamini_hochberg(p, fdr).any() == expected


def test_rows_among_themselves_are_never_flagged(rng):
    p = among_themselves(rng.normal(size=500) ** 9)

    assert sorted(p.tolist()) == pytest.approx([i / 500 for i in range(1, 501)])
    assert not benjamini_hochberg(p, 0.99).any()


@pytest.mark.parametrize("detector", ["ecod", "knn"])
def test_p_values_of_inliers_are_uniform(detector):
    """Averaged over 40 draws, the share of p <= a is close to a."""
    shares = []
    for seed in range(40):
        rows = np.random.default_rng(seed).normal(size=(600, 3))
        learner = Learner.of(find_detector(detector), rows[:300])
        p = learner.calibrate(300).p_values(learner.scale.apply(rows[300:]))
        shares.append([(p <= level).mean() for level in (0.05, 0.1, 0.5)])

    # Three standard errors of a mean of 40 draws.
    np.testing.assert_allclose(np.mean(shares, 0), [0.05, 0.1, 0.5], atol=0.025)


def test_the_realised_rate_is_at_most_the_asked_one():
    """Averaged over 60 tables with 20 anomalies among 200 rows."""
    realised, found = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        learner = Learner.of(find_detector("ecod"), rng.normal(size=(1_000, 3)))
        table = rng.normal(size=(200, 3))
        table[:20] += rng.choice([-5, 5], size=(20, 3))
        p = learner.calibrate(200).p_values(learner.scale.apply(table))
        flagged = benjamini_hochberg(p, 0.2)
        realised.append(flagged[20:].sum() / max(flagged.sum(), 1))
        found.append(flagged[:20].mean())

    assert np.mean(realised) < 0.2
    assert np.mean(found) > 0.9
