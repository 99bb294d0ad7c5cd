"""Rows of numbers with missing values: as odd as what is missing is rare."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import odbench
from odbench.tables import learner as learning
from odbench.tables.missing import Missing, Raised


def table(rng, n, share):
    rows = rng.normal(size=(n, 4))
    rows[rng.random(n) < share, 1] = np.nan
    return pd.DataFrame(rows, columns=list("abcd"))


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_rows_that_lack_what_many_lack_are_not_first_as_such(rng, monkeypatch, share):
    made = table(rng, 600, share)

    def among_first():
        frame = odbench.score(made)
        return made["b"].isna().to_numpy()[frame["rank"].to_numpy() <= 30].mean()

    assert among_first() < 0.2
    # The core of cats has few such rows, or none.
    monkeypatch.setattr(learning, "_FEWEST", 601)
    assert among_first() > 0.5


def test_a_row_that_lacks_what_no_other_lacks_is_among_the_first(rng):
    made = table(rng, 300, 0.0)
    made.loc[7, "c"] = np.nan

    frame = odbench.score(made)

    assert frame["rank"][7] <= 2
    assert frame["reasons"][7].startswith("c missing")


def test_rarer_values_that_are_missing_count_more(rng):
    gone = rng.random((500, 3)) < [0.3, 0.1, 0.02]
    rows = np.column_stack([rng.normal(size=500), gone * 1.0])
    missing = Missing.of(rows, np.array([1, 2, 3]), np.full(3, 0.5))

    shares = missing.shares(rows)

    rarity = -np.log(gone.mean(axis=0))
    surprise = [sum(rarity[j] for j in np.flatnonzero(row)) for row in gone]
    for row in range(500):
        alike = np.mean([s >= surprise[row] - 1e-9 for s in surprise])
        assert shares[row] == pytest.approx(alike if gone[row].any() else 1.0)
    most = missing.shares(np.array([[0.0, 1.0, 1.0, 1.0]]))
    assert most == pytest.approx(gone.all(axis=1).mean())


class Value:
    """A detector by which the first column is the score."""

    def fit_score(self, X):
        return self.fit(X).decision_function(X)

    def fit(self, X):
        self.width = X.shape[1]
        return self

    def decision_function(self, X):
        assert X.shape[1] == self.width == 1
        return X[:, 0]


def test_scores_are_raised_to_those_of_as_many_rows_and_keep_their_order():
    rows = np.column_stack([np.arange(100.0), np.zeros(100)])
    rows[:10, 1] = 1.0
    missing = Missing.of(rows, np.array([1]), np.array([0.5]))
    raised = Raised(Value().fit(rows[:, :1]), np.array([0]), missing, rows[:, 0])

    scores = raised.decision_function(rows)

    np.testing.assert_array_equal(scores[10:], np.arange(10.0, 100.0))
    # A tenth of the rows lack the value, and a tenth have a score from 90.
    assert scores[:10] == pytest.approx(np.full(10, 90.0), abs=1e-3)
    assert (np.diff(scores[:10]) > 0).all()
    assert raised.decision_function(np.array([[99.0, 1.0]]))[0] == 99.0


def test_rows_beyond_those_that_are_fitted_are_raised_alike(rng, monkeypatch):
    monkeypatch.setattr(learning, "FIT_ROWS", 200)
    plain = odbench.find_detector(Value)
    trimming = replace(plain, info=replace(plain.info, trims=True))
    rows = np.column_stack([rng.normal(size=1_000), rng.random(1_000) < 0.1])
    made = learning.Learner.of(trimming, rows)

    scores = made.own_scores(missing=[1])

    gone = rows[:, 1] > 0.5
    level = np.quantile(scores[~gone], 0.8)
    assert (scores[gone] > level).all()
    np.testing.assert_allclose(
        scores[~gone], made.scale.apply(rows)[~gone, 0], atol=1e-12
    )
