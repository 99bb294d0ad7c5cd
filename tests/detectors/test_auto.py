"""AUTO: made-up anomalies, the search, a planted case, and tables with anomalies."""

import itertools

import numpy as np
import pytest

from odbench.errors import DetectorError
from odbench.scoring.metrics import auroc, average_precision
from odbench_detectors.auto import search as searching
from odbench_detectors.auto.anomalies import KINDS, made
from odbench_detectors.auto.detector import AUTO, Scale
from odbench_detectors.auto.pool import CANDIDATES, INCUMBENT
from odbench_detectors.auto.search import Rung, search
from odbench_detectors.auto.trimmed import fit_trimmed, surprise
from odbench_detectors.cats.detector import CATS
from odbench_detectors.knn.detector import KNN


def chain(rng, n, d=60, share=0.5):
    """Rows whose columns each follow the one before: one Gaussian tells it exactly."""
    rows = rng.normal(size=(n, d))
    for j in range(1, d):
        rows[:, j] = share * rows[:, j - 1] + np.sqrt(1 - share**2) * rows[:, j]
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_made_anomalies_are_finite_and_of_their_kind(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1)) + 0.1 * rng.normal(size=(300, 4))

    rows = made(X, 200, rng)[kind]

    assert rows.shape == (200, 4)
    assert np.isfinite(rows).all()
    if kind in ("dependency", "exchange"):
        # Every value is one of train, and values of a row no longer belong together.
        assert all(np.isin(rows[:, j], X[:, j]).all() for j in range(4))
        assert rows.std(axis=1).mean() > 3 * X.std(axis=1).mean()
    if kind == "uniform":
        assert (rows >= X.min(axis=0)).all()
        assert (rows <= X.max(axis=0)).all()


def test_one_column_has_no_anomalies_of_dependence():
    rng = np.random.default_rng(0)

    kinds = made(rng.normal(size=(50, 1)), 10, rng)

    assert set(kinds) == {"uniform", "local", "cluster"}


def test_refit_keeps_what_fit_chose(monkeypatch):
    rng = np.random.default_rng(0)
    rows = chain(rng, 300)
    detector = AUTO().fit(rows)
    assert detector.chosen_ != INCUMBENT
    monkeypatch.delattr(f"{AUTO.__module__}.search")

    detector.refit(rows[:200])

    alone = CANDIDATES[detector.chosen_]().fit(rows[:200])
    np.testing.assert_array_equal(
        detector.decision_function(rows), alone.decision_function(rows)
    )


def test_refit_wants_a_choice_of_fit():
    rows = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(DetectorError, match="call fit"):
        AUTO().refit(rows)
    trimmed = AUTO()
    trimmed.fit_score(rows)
    with pytest.raises(DetectorError, match="got knn of the core: call fit"):
        trimmed.refit(rows)


def test_the_incumbent_stays_without_strong_evidence():
    rng = np.random.default_rng(0)

    detector = AUTO().fit(rng.normal(size=(300, 3)))

    assert detector.chosen_ == INCUMBENT == "cats"
    rows = rng.normal(size=(20, 3))
    fixed = CATS().fit(np.random.default_rng(0).normal(size=(300, 3)))
    assert np.array_equal(
        detector.decision_function(rows), fixed.decision_function(rows)
    )


def test_a_planted_case_leaves_the_incumbent_and_is_right():
    rng = np.random.default_rng(0)
    train, normal = chain(rng, 600), chain(rng, 100)
    rows = np.concatenate([normal, rng.normal(size=(100, 60))])
    labels = np.repeat([0, 1], 100)

    detector = AUTO().fit(train)
    found = average_precision(labels, detector.decision_function(rows))
    fixed = average_precision(labels, CATS().fit(train).decision_function(rows))

    assert detector.chosen_ == "gmm"
    assert "leads cats by" in detector.search_.reason
    assert found > fixed + 0.02


def test_each_rung_halves_the_candidates_and_doubles_the_rows():
    X = np.random.default_rng(0).normal(size=(1_500, 3))

    course = search(X, budget=20_000, seed=0)

    assert [rung.rows for rung in course.rungs[:2]] == [250, 500]
    sizes = [len(rung.values) for rung in course.rungs]
    assert sizes[0] == len(CANDIDATES)
    assert all(b == 1 + (a - 1) // 2 for a, b in itertools.pairwise(sizes))
    assert all(INCUMBENT in rung.values for rung in course.rungs)
    assert course.fitted_rows == sum(
        rung.rows * len(rung.values) * searching.RESAMPLES for rung in course.rungs
    )


@pytest.mark.parametrize("budget", [0, 3_999, 4_000, 20_000])
def test_the_budget_is_kept(budget):
    X = np.random.default_rng(0).normal(size=(800, 2))

    course = search(X, budget, seed=0)

    assert course.fitted_rows <= budget
    assert bool(course.rungs) == (budget >= 4_000)


def test_few_rows_are_not_judged():
    detector = AUTO().fit(np.random.default_rng(0).normal(size=(40, 2)))

    assert detector.chosen_ == "cats"
    assert detector.search_.reason == "40 train rows are too few to judge by"


def test_one_resample_without_a_lead_keeps_the_incumbent():
    sure = Rung(250, {"cats": {"local": [0.5, 0.5]}, "gmm": {"local": [0.7, 0.62]}})
    unsure = Rung(250, {"cats": {"local": [0.5, 0.5]}, "gmm": {"local": [0.9, 0.55]}})

    assert searching.outcome(sure)[0] == "gmm"
    assert searching.outcome(unsure)[0] == "cats"


def test_a_seed_gives_the_same_course():
    X = np.random.default_rng(0).normal(size=(200, 4))

    assert search(X, 20_000, seed=3) == search(X, 20_000, seed=3)
    assert search(X, 20_000, seed=3).rungs != search(X, 20_000, seed=4).rungs


def dirty(rng, n=400, share=0.25):
    """Return rows of which a share are anomalies in groups of five, and labels."""
    odd = int(share * n) // 5 * 5
    mixing = rng.normal(size=(6, 6))
    normal = rng.normal(size=(n - odd, 6)) @ mixing
    centres = 4 * rng.normal(size=(odd // 5, 6)) @ mixing
    groups = centres.repeat(5, axis=0) + 0.01 * rng.normal(size=(odd, 6))
    order = rng.permutation(n)
    rows = np.concatenate([normal, groups])[order]
    return rows, np.repeat([0, 1], [n - odd, odd])[order]


def test_groups_of_anomalies_do_not_pass_as_normal():
    rows, labels = dirty(np.random.default_rng(0))

    found = auroc(labels, AUTO().fit_score(rows))
    # The rows of a group are near each other, so they hide one another from this one.
    fixed = auroc(labels, KNN(k=3).fit_score(rows))

    assert found > 0.99
    assert fixed < 0.9


def test_the_core_holds_hardly_an_anomaly():
    rows, labels = dirty(np.random.default_rng(1))

    trimmed = fit_trimmed((rows - rows.mean(axis=0)) / rows.std(axis=0), 0)

    assert len(trimmed.core) == 240
    assert labels[trimmed.core].mean() < 0.01
    assert labels.mean() == 0.25


def test_rows_are_scored_against_the_core_and_those_of_it_as_if_left_out():
    rng = np.random.default_rng(0)
    rows, _ = dirty(rng)
    Z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    core = Z[fit_trimmed(Z, 0).core]

    detector = AUTO()
    own = detector.fit_score(rows)

    for place in range(0, 400, 37):
        distances = np.sort(np.linalg.norm(core - Z[place], axis=1))
        # A row of the core is at distance 0 from itself, which does not count.
        fifth = distances[distances > 0][4]
        assert own[place] == pytest.approx(fifth)
    assert detector.decision_function(rows[:1] + 1e3) > own.max()
    assert (detector.chosen_, detector.search_) == ("knn of the core", None)


@pytest.mark.parametrize("shape", [(40, 30), (2, 3), (3, 1), (7, 2)])
def test_small_and_wide_tables_have_scores(shape):
    own = AUTO().fit_score(np.random.default_rng(0).normal(size=shape))

    assert own.shape == shape[:1]
    assert np.isfinite(own).all()


@pytest.mark.parametrize("unit", [2.0**900, 2.0**-900])
def test_the_unit_of_columns_does_not_matter(unit):
    rows, _ = dirty(np.random.default_rng(0))
    other = AUTO()

    assert np.array_equal(other.fit_score(rows * unit), AUTO().fit_score(rows))
    far = np.vstack([rows[:1] + 1e308, rows[:1] - 1e308])
    assert np.isfinite(other.decision_function(far)).all()


def test_the_largest_values_are_scored():
    rows = 1.7e308 * np.random.default_rng(0).uniform(-1.0, 1.0, size=(100, 3))

    own = AUTO().fit_score(rows)

    assert np.isfinite(own).all()
    assert len(set(own)) > 90
    assert np.isfinite(AUTO().fit(rows).decision_function(rows)).all()


def test_equal_values_have_a_deviation_of_one():
    rows = np.random.default_rng(0).normal(size=(50, 2))
    rows[:, 1] = 0.1

    scale = Scale.of(rows)

    # NumPy's own is the rounding error of the mean.
    assert 0.0 < rows[:, 1].std() < 1e-15
    assert scale.deviation[1] == 1.0


def test_surprise_is_the_share_that_scores_as_high():
    scores = np.append(np.random.default_rng(0).normal(size=98).round(1), [9.0, np.inf])

    slow = [-np.log(sum(s >= x for s in scores) / 100) for x in scores]
    assert surprise(scores) == pytest.approx(slow)


def test_the_chosen_detector_explains_if_it_can():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))

    detector = AUTO()
    assert not hasattr(detector, "explain")
    detector.fit(X)

    table = detector.explain(X[:1], ["a", "b", "c"]).table(0)
    assert set(table["column"]) == {"a", "b", "c"}


def test_wrong_calls_are_one_line():
    with pytest.raises(DetectorError, match="budget"):
        AUTO(budget=-1).fit(np.zeros((5, 2)))
    with pytest.raises(DetectorError, match=r"auto wants budget .*; got budget=2\.5"):
        AUTO(budget=2.5).check_params()
    for seed in (-1, 2**63, 1.5, "abc", None):
        with pytest.raises(DetectorError, match="auto wants random_state a whole num"):
            AUTO(random_state=seed).fit(np.ones((100, 2)))
    with pytest.raises(DetectorError, match="call fit first"):
        AUTO().decision_function(np.zeros((5, 2)))
    with pytest.raises(DetectorError, match="at least 2 train rows"):
        AUTO().fit(np.zeros((1, 2)))
