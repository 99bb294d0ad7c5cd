"""The explanations of CATS: one per row, and the shape of all detectors."""

import numpy as np
import pytest

from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.views import VIEWS

NAMES = ["height", "weight", "age"]


@pytest.fixture
def explained(rng):
    detector = CATS().fit(rng.normal(size=(300, 3)))
    X = np.array([[0.0, 9.0, 0.0], [0.1, 0.0, -0.1], [5.0, 0.0, 0.0]])
    return detector, X, detector.explain(X, NAMES)


def test_scores_are_the_detectors_to_the_last_bit(explained):
    detector, X, explanations = explained
    assert list(explanations.scores) == list(detector.decision_function(X))
    assert [each.score for each in explanations] == list(explanations.scores)


def test_it_is_a_sequence_of_one_explanation_per_row(explained):
    _, _, explanations = explained
    first, *_, last = explanations
    assert len(explanations) == 3
    assert [first.row, last.row] == [0, 2]
    assert explanations[-1] == last
    assert explanations[1:] == [explanations[1], last]
    with pytest.raises(IndexError):
        explanations[3]


def test_a_table_ranks_the_columns_and_names_a_view(explained):
    _, _, explanations = explained
    table = explanations.table(0)
    assert list(table) == ["column", "value", "view", "share"]
    assert list(table["column"]) == list(explanations[0].columns)
    assert list(table["share"]) == list(explanations[0].columns.values())
    assert [table["column"][0], table["value"][0]] == ["weight", 9.0]
    assert set(table["view"]) <= set(VIEWS)
    assert list(explanations.table(2, limit=1)["value"]) == [5.0]


def test_chunks_make_no_difference(rng, monkeypatch):
    detector, X = CATS().fit(rng.normal(size=(100, 3))), rng.normal(size=(10, 3))
    whole = detector.explain(X, NAMES)
    monkeypatch.setattr("odbench_detectors.cats.scoring._CHUNK", 3)
    parts = detector.explain(X, NAMES)
    assert list(whole) == list(parts)
    assert whole.table(8).equals(parts.table(8))


def test_no_rows_have_no_explanations(rng):
    explanations = CATS().fit(rng.normal(size=(100, 3))).explain(np.empty((0, 3)))
    assert list(explanations) == []
    assert explanations.scores.shape == (0,)
