"""The C-index against pairs counted one by one, and what it refuses."""

import numpy as np
import pytest

from odbench.errors import DataError, DetectorError
from odbench.scoring.metrics import auroc, evaluate
from odbench.scoring.severity import c_index
from tests.reference import scoring as slow


@pytest.mark.parametrize("seed", range(6))
def test_it_equals_the_slow_version_with_ties(seed):
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 5, 60)
    scores = rng.integers(0, 12, 60) / 4

    assert c_index(levels, scores) == pytest.approx(slow.c_index(levels, scores))


def test_with_two_levels_it_is_the_auroc():
    rng = np.random.default_rng(1)
    labels, scores = rng.integers(0, 2, 200), rng.normal(size=200)

    assert c_index(labels, scores) == auroc(labels, scores)


def test_perfect_reversed_and_constant_scores():
    levels = np.array([0, 0, 1, 2, 3, 4])

    assert c_index(levels, levels) == 1.0
    assert c_index(levels, -levels) == 0.0
    assert c_index(levels, np.zeros(6)) == 0.5


def test_evaluate_has_it_only_with_levels():
    labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.3, 0.9])
    levels = np.array([0, 0, 1, 4], dtype=np.int8)

    assert "c_index" not in evaluate(labels, scores)
    found = evaluate(labels, scores, levels=levels)
    assert found["c_index"] == slow.c_index(levels, scores) == 0.8


@pytest.mark.parametrize(
    ("levels", "scores", "error", "text"),
    [
        ([0.5, 1.0], [1.0, 2.0], DataError, "whole numbers"),
        ([1, 1], [1.0, 2.0], DataError, "two or more levels"),
        ([0, 1], [1.0], DetectorError, "one per row"),
        ([0, 1], [1.0, np.nan], DetectorError, "finite"),
    ],
)
def test_bad_input_is_named(levels, scores, error, text):
    with pytest.raises(error, match=text):
        c_index(levels, scores)
