"""The metrics of a trial equal their definitions, including ties."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from odbench.errors import DataError, DetectorError
from odbench.scoring import metrics
from tests.reference import scoring as reference

# Slow examples on a busy machine are not failures.
patient = settings(deadline=None)


@st.composite
def trials(draw, most=6):
    """Labels of both kinds and scores with many ties."""
    n = draw(st.integers(2, most))
    labels = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    labels[0], labels[1] = 0, 1
    scores = draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n))
    return labels, [s / 3 for s in scores]


@patient
@given(trials())
def test_metrics_equal_the_slow_ones(trial):
    labels, scores = trial

    found = metrics.evaluate(labels, scores)

    rate = sum(labels) / len(labels)
    ap = reference.average_precision(labels, scores)
    assert found["auroc"] == pytest.approx(reference.auroc(labels, scores), abs=1e-14)
    assert found["ap"] == pytest.approx(ap, abs=1e-14)
    assert found["ap_adjusted"] == pytest.approx((ap - rate) / (1 - rate), abs=1e-14)
    assert found["f1"] == pytest.approx(
        reference.precision_at_n(labels, scores), abs=1e-14
    )


@patient
@given(trials(), st.data())
def test_weighted_metrics_equal_the_slow_ones(trial, data):
    labels, scores = trial
    size = len(labels)
    counts = data.draw(st.lists(st.integers(1, 4), min_size=size, max_size=size))
    weights = [1 / count for count in counts]

    found = metrics.evaluate(labels, scores, np.array(weights))

    expected = {
        "auroc_distinct": reference.weighted_auroc(labels, scores, weights),
        "ap_distinct": reference.weighted_average_precision(labels, scores, weights),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, 1e-12)
    assert max(found[name] for name in expected) <= 1
    plain = metrics.evaluate(labels, scores)
    assert {name: found[name] for name in plain} == plain


def test_equal_weights_are_no_weights(rng):
    labels = np.r_[np.zeros(30, int), np.ones(5, int)]
    scores = rng.normal(size=35)

    found = metrics.evaluate(labels, scores, np.ones(35))

    assert found["auroc_distinct"] == found["auroc"]
    assert found["ap_distinct"] == found["ap"]


def test_a_repeated_anomaly_counts_once_among_the_distinct():
    labels = [1] * 10 + [1, 0, 0]
    # The one that is repeated is found, the other is not.
    scores = [3] * 10 + [1, 2, 2]
    weights = np.array([0.1] * 10 + [1, 1, 1])

    found = metrics.evaluate(labels, scores, weights)

    assert found["auroc"] == pytest.approx(10 / 11)
    assert found["auroc_distinct"] == pytest.approx(0.5)
    assert found["ap_distinct"] == pytest.approx((1 + 2 / 4) / 2)


@patient
@given(trials(most=60))
def test_auroc_and_ap_equal_scikit_learns(trial):
    labels, scores = trial

    found = metrics.evaluate(labels, scores)

    assert found["auroc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found["ap"] == pytest.approx(
        average_precision_score(labels, scores), abs=1e-12
    )


@patient
@given(trials(most=40), st.randoms())
def test_the_order_of_the_rows_changes_no_bit(trial, random):
    labels, scores = trial
    order = list(range(len(labels)))
    random.shuffle(order)

    shuffled = metrics.evaluate([labels[i] for i in order], [scores[i] for i in order])

    assert shuffled == metrics.evaluate(labels, scores)


@patient
@given(trials(most=40))
def test_turning_the_scores_turns_the_auroc(trial):
    labels, scores = trial

    assert metrics.auroc(labels, [-s for s in scores]) == pytest.approx(
        1 - metrics.auroc(labels, scores), abs=1e-14
    )


def test_single_metrics_are_those_of_evaluate(rng):
    labels = np.r_[np.zeros(30, int), np.ones(5, int)]
    scores = rng.normal(size=35)

    found = metrics.evaluate(labels, scores)

    assert metrics.auroc(labels, scores) == found["auroc"]
    assert metrics.average_precision(labels, scores) == found["ap"]
    assert metrics.precision_at_n(labels, scores) == found["f1"]


def test_constant_scores_are_chance():
    labels = [1, 0, 0, 0, 0]

    found = metrics.evaluate(labels, [3.0] * 5)

    assert found["auroc"] == 0.5
    assert found["ap"] == found["f1"] == pytest.approx(0.2)
    assert found["ap_adjusted"] == pytest.approx(0.0)


def test_perfect_scores_are_one():
    best = metrics.evaluate([0, 1, 0, 1], [0, 2, 1, 3])
    assert list(best.values()) == [1.0, 1.0, 1.0, 1.0]


def test_scores_of_any_real_type_are_taken():
    labels = np.array([0, 1, 0], dtype=np.int8)

    for dtype in (np.float32, np.int16, np.float64):
        assert metrics.auroc(labels, np.array([1, 3, 2], dtype=dtype)) == 1.0


def test_scores_near_the_largest_float_do_not_overflow():
    assert metrics.auroc([0, 1], [-1.7e308, 1.7e308]) == 1.0


@pytest.mark.parametrize(
    "labels", [[0, 0, 0], [1, 1, 1], [], [0, 1, 2], [[0, 1]]],
    ids=["no anomaly", "no inlier", "no rows", "a third label", "two dimensions"],
)  # fmt: skip
def test_labels_that_rank_nothing_are_refused(labels):
    with pytest.raises(DataError, match="labels: got"):
        metrics.auroc(labels, np.zeros(np.shape(labels)))


@pytest.mark.parametrize(
    "scores", [[0.0, np.nan, 1.0], [0.0, np.inf, 1.0], [0.0, 1.0], ["a", "b", "c"]],
    ids=["NaN", "infinity", "too few", "words"],
)  # fmt: skip
def test_scores_that_are_not_numbers_are_refused(scores):
    with pytest.raises(DetectorError, match="scores: "):
        metrics.auroc([0, 1, 0], scores)


def test_the_metrics_load_numpy_and_nothing_heavier():
    code = (
        "import sys, odbench.scoring.metrics; "
        "print({m.split('.')[0] for m in sys.modules} "
        "& {'pandas', 'scipy', 'sklearn', 'pyarrow', 'numba'})"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "set()"
