"""The order of the train rows changes no score of CATS, no flag and no reason."""

import numpy as np
import pytest

from odbench_detectors.cats.candidates import Candidates
from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.order import content_order
from odbench_detectors.shared.neighbours.graph import neighbour_graph

KINDS = ("continuous", "whole numbers", "copies", "wide")


def a_table(rng, kind, n=1500):
    if kind == "wide":
        return rng.normal(size=(60, 90))
    X = rng.normal(size=(n, 4)) @ rng.normal(size=(4, 4))
    if kind == "whole numbers":
        X = rng.integers(0, 4, size=(n, 4)).astype(float)
    if kind == "copies":
        X[: n // 3] = X[n // 3 : 2 * (n // 3)]
    return X


@pytest.mark.parametrize("kind", KINDS)
def test_ten_orders_of_the_train_rows_give_the_same_bits(rng, kind):
    X = a_table(rng, kind)
    queries = np.vstack([X[:40], X[:60] + rng.normal(size=(60, X.shape[1]))])
    detector = CATS().fit(X)
    scores, flags = detector.decision_function(queries), detector.flag(queries, 0.2)
    own = CATS().fit_score(X)
    for _ in range(9):
        order = rng.permutation(len(X))
        other = CATS().fit(X[order])
        assert (other.decision_function(queries) == scores).all()
        assert (other.flag(queries, 0.2) == flags).all()
        assert (CATS().fit_score(X[order]) == own[order]).all()


def test_content_order_moves_with_the_rows_and_spreads_copies(rng):
    Z = rng.normal(size=(400, 3))
    Z[200:] = Z[0]
    order = content_order(Z)
    assert sorted(order) == list(range(400))
    moved = rng.permutation(400)
    assert (Z[moved][content_order(Z[moved])] == Z[order]).all()
    copies = np.flatnonzero(order >= 200)
    assert copies[:50].max() < 200  # not all at the end
    assert len(np.unique(copies // 40)) == 10


def test_content_order_survives_the_rounding_of_another_unit(rng):
    Z = rng.normal(size=(500, 4))
    there = Z * 3.7 / 3.7 + 1e-13
    assert (content_order(Z) == content_order(there)).all()


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("size", [1, 5, 15])
def test_a_shared_search_gives_the_same_candidates(rng, kind, size):
    X = a_table(rng, kind, 300)
    queries = a_table(rng, kind, 120)
    order = content_order(X)
    candidates = Candidates(X[order], order, size)

    def shared(rows):
        return neighbour_graph(X, rows, size + 1)

    assert (candidates.of_train(shared) == candidates.of_train()).all()
    assert (candidates.of(queries, shared) == candidates.of(queries)).all()


def test_a_row_is_not_its_own_candidate_among_many_copies():
    X = np.zeros((40, 2))
    order = content_order(X)
    candidates = Candidates(X[order], order, 5)

    def shared(rows):
        return neighbour_graph(X, rows, 6)

    for near in (candidates.of_train(), candidates.of_train(shared)):
        assert near.shape == (40, 5)
        own = np.flatnonzero((near == np.arange(40)[:, None]).any(axis=1))
        assert len(own) == 0
