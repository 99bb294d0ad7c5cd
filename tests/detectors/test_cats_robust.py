"""CATS in the unsupervised setting: anomalies in the table do not hide each other."""

import math

import numpy as np
import pytest

from odbench.scoring.metrics import auroc
from odbench_detectors.cats.detector import CATS
from odbench_detectors.cats.far import far_distances
from odbench_detectors.cats.robust import core, on_scale_of
from odbench_detectors.cats.rounding import rounded
from odbench_detectors.cats.views import VIEWS
from odbench_detectors.shared.neighbours.graph import NeighbourIndex
from tests.reference import core as slow


def test_a_group_of_anomalies_is_found_among_the_rows(rng):
    X = np.vstack([rng.normal(size=(500, 4)), rng.normal(size=(40, 4)) * 0.2 + 3.0])
    labels = np.repeat([0, 1], [500, 40]).astype(np.int8)
    assert auroc(labels, CATS().fit_score(X)) > 0.9


def test_equal_rows_have_equal_scores_in_any_order(rng):
    X = rng.normal(size=(300, 3))
    X[50:60] = X[0]
    scores = CATS().fit_score(X)
    assert len(np.unique(scores[50:60])) == 1
    for _ in range(10):
        order = rng.permutation(300)
        assert (CATS().fit_score(X[order]) == scores[order]).all()


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 5), (20, 120)])
def test_small_and_wide_tables_get_finite_scores(rng, n, d):
    X = rng.normal(size=(n, d))
    scores = CATS().fit_score(X)
    assert scores.shape == (n,)
    assert np.isfinite(scores).all()
    assert 2 <= len(core(X)) <= n


def test_the_core_leaves_out_a_group_of_anomalies(rng):
    Z = np.vstack([rng.normal(size=(300, 4)), rng.normal(size=(60, 4)) * 0.1 + 3.0])
    chosen = core(Z)
    assert len(chosen) == math.ceil(0.6 * 360)
    assert chosen.max() < 300


TABLES = {
    "normal": lambda rng: rng.normal(size=(110, 3)),
    "one column": lambda rng: rng.lognormal(size=(60, 1)),
    "a group": lambda rng: np.vstack(
        [rng.normal(size=(60, 4)), rng.normal(size=(15, 4)) * 0.1 + 3.0]
    ),
    "far out": lambda rng: rng.normal(size=(60, 2)) * rng.choice([1.0, 1e9], (60, 1)),
    "coarse": lambda rng: np.round(rng.normal(size=(70, 2)) * 2.0),
    "constant": lambda rng: rng.normal(size=(50, 3)) * [1.0, 0.0, 1.0],
    "wide": lambda rng: rng.normal(size=(24, 104)),
    "two rows": lambda rng: rng.normal(size=(2, 2)),
}


@pytest.mark.parametrize("table", TABLES)
def test_the_core_is_that_of_the_slow_definition(rng, table):
    Z = TABLES[table](rng)
    assert core(Z).tolist() == slow.core(Z)


@pytest.mark.parametrize(
    ("n", "d", "k", "values"),
    [
        (600, 3, 20, 5),
        (400, 9, 100, 10**6),
        (2, 1, 20, 9),
        (90, 2, 30, 2),
        (50, 30, 9, 4),
    ],
)
def test_far_distances_are_those_of_the_search_to_the_last_bit(rng, n, d, k, values):
    X = rng.integers(0, values, size=(n, d)) * 0.37
    expected = NeighbourIndex(X).search_self(k).distances[:, -1]
    assert (far_distances(X, k) == expected).all()


def test_rows_that_tie_are_in_the_core_together():
    Z = np.repeat([[0.0], [1.0], [-1.0]], [40, 30, 30], axis=0)
    chosen = np.isin(range(100), core(Z))
    for copies in np.split(chosen, [40, 70]):
        assert copies.all() or not copies.any()


def test_scores_of_the_core_and_of_others_follow_the_slow_definition(rng):
    X = rng.normal(size=(120, 3))
    X[:10] += 4.0
    own = CATS().fit_score(X)
    detector = CATS()
    detector.fit_score(X)
    n = 120
    chosen = {tuple(row) for row in detector._standard.apply(X)} & {
        tuple(row) for row in detector.views.train.z
    }
    assert 72 <= len(chosen) < n
    # A second fit, on the same rows, scores the others as the views of new rows.
    is_in = np.array([tuple(z) in chosen for z in detector._standard.apply(X)])
    again = CATS().fit(X[is_in])
    seen = {name: np.zeros(n) for name in VIEWS}
    for start, at in again.placed(X[~is_in]):
        for name, values in again.views.raw(at).items():
            seen[name][np.flatnonzero(~is_in)[start : start + len(at.z)]] = values
    fresh = CATS()
    places = np.flatnonzero(is_in)[fresh._learn(np.ascontiguousarray(X[is_in]))]
    raw = fresh.views.raw_of_train(np.arange(len(places)))
    fresh._calibrate(np.arange(len(places)), raw)
    for name in VIEWS:
        seen[name][places] = raw[name]
    rows = detector._standard.apply(X)
    seen["density"] = again.views.density.surprise(rows)
    seen["distance"] = np.array(slow.squared_distances(rows.tolist(), rows[is_in]))
    total = np.zeros(n)
    for name in ("whitened", "density", "copula", "distance"):
        s = rounded(seen[name])
        for i in range(n):
            total[i] += math.log(n / sum(s >= s[i])) ** 2
    nats = {name: fresh.tails[name].surprise(seen[name]) for name in VIEWS}
    squares = sum(s**2 / (2 if name == "dependence" else 1) for name, s in nats.items())
    lengths = sorted(np.sqrt(squares))
    for i in range(n):
        # Totals that are equal but for rounding may come in either order.
        low = sum(total < total[i] - 1e-9)
        high = sum(total <= total[i] + 1e-9)
        assert lengths[low] - 1e-12 <= own[i] <= lengths[high - 1] + 1e-12


def test_a_scale_is_put_in_the_order_of_scores():
    moved = on_scale_of(np.array([3.0, 1.0, 2.0, 2.0]), np.array([9.0, 7.0, 8.0, 6.0]))
    assert moved.tolist() == [9.0, 6.0, 7.0, 7.0]


def test_no_order_is_lost_where_the_scale_has_ties(rng):
    scores = rng.permutation(200).astype(float)
    moved = on_scale_of(scores, np.repeat([0.0, 2.5], 100))
    assert (np.argsort(moved) == np.argsort(scores)).all()
    assert len(np.unique(moved)) == 200
    assert moved == pytest.approx(np.where(scores < 100, 0.0, 2.5), abs=1e-12)
