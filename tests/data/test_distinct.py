"""Distinct rows, and the best metrics that a table allows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odbench.data.ceiling import ceiling_ap, ceiling_auroc
from odbench.data.distinct import distinct_rows
from odbench.data.groups import pair_weights
from odbench.scoring.metrics import evaluate
from tests.reference import scoring as reference


@st.composite
def small_tables(draw):
    """Up to ten rows of up to four vectors, with both labels."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=8
        )
    )
    rows += [(draw(st.integers(0, 3)), 0), (draw(st.integers(0, 3)), 1)]
    groups, labels = (np.array(column) for column in zip(*rows, strict=True))
    # Numbers without gaps, as `group_rows` gives them.
    return np.unique(groups, return_inverse=True)[1], labels


@settings(deadline=None)
@given(small_tables())
def test_ceilings_are_those_of_the_best_of_all_orders(table):
    groups, labels = table
    best_auroc, best_ap = reference.ceilings(groups.tolist(), labels.tolist())
    assert ceiling_auroc(groups, labels) == pytest.approx(best_auroc, abs=1e-12)
    assert ceiling_ap(groups, labels) == pytest.approx(best_ap, abs=1e-12)


def test_the_order_by_share_is_not_always_the_best_for_ap():
    # 10 anomalies, then 50 of 100 rows (.5) or 2 of 5 rows (.4).
    sizes, hits = (10, 100, 5), (10, 50, 2)
    groups = np.repeat([0, 1, 2], sizes)
    labels = np.concatenate(
        [np.arange(n) < h for n, h in zip(sizes, hits, strict=True)]
    )
    by_share = evaluate(labels, np.array([2.0, 1.0, 0.0])[groups])["ap"]
    best = evaluate(labels, np.array([2.0, 0.0, 1.0])[groups])["ap"]
    assert best > by_share
    assert ceiling_ap(groups, labels) == pytest.approx(best)


def test_no_score_of_a_large_table_exceeds_its_ceilings(rng):
    X = rng.integers(0, 40, size=(2_000, 1)).astype(float)
    labels = (rng.random(2_000) < X[:, 0] / 100).astype(np.int8)
    facts = distinct_rows(X, labels).facts
    for _ in range(50):
        found = evaluate(labels, X[:, 0] + 5 * rng.normal(size=40)[X[:, 0].astype(int)])
        assert found["auroc"] <= facts["ceiling_auroc"] + 1e-4
        assert found["ap"] <= facts["ceiling_ap"] + 1e-4


def test_without_conflicts_the_ceilings_are_one(rng):
    facts = distinct_rows(rng.normal(size=(9, 2)), np.array([0] * 7 + [1] * 2)).facts
    assert facts == {
        "n_distinct_test": 9,
        "n_distinct_anomalies": 2,
        "ceiling_auroc": 1,
        "ceiling_ap": 1,
    }


def test_each_vector_with_its_label_has_the_weight_one():
    X = np.array([[1.0], [1.0], [1.0], [-0.0], [0.0], [2.0]])
    labels = np.array([1, 1, 0, 0, 0, 1], dtype=np.int8)
    found = distinct_rows(X, labels)
    assert found.weights.tolist() == [0.5, 0.5, 1.0, 0.5, 0.5, 1.0]
    assert found.facts["n_distinct_test"] == 4
    assert found.facts["n_distinct_anomalies"] == 2


@given(small_tables())
def test_metrics_of_distinct_rows_are_those_without_the_repeats(table):
    groups, labels = table
    scores = (groups * 7 + 3) % 4
    weights = pair_weights(groups, labels)
    _, kept = np.unique(2 * groups + labels, return_index=True)
    found = evaluate(labels, scores, weights)
    once = evaluate(labels[kept], scores[kept])
    assert found["auroc_distinct"] == pytest.approx(once["auroc"], abs=1e-12)
    assert found["ap_distinct"] == pytest.approx(once["ap"], abs=1e-12)
