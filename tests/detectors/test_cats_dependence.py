"""The view of CATS that knows which values belong together."""

import numpy as np
import pytest

from odbench.scoring.metrics import auroc
from odbench_detectors.cats import dependence
from odbench_detectors.cats.dependence import Dependence
from odbench_detectors.cats.detector import CATS
from tests.reference import two_groups


def a_curve(rng, n):
    """Two columns on a circle: neither their values nor a correlation tell much."""
    angle = rng.random(n) * 2 * np.pi
    rows = np.column_stack([np.cos(angle), np.sin(angle)])
    return rows + rng.normal(size=(n, 2)) * 0.05


def test_rows_of_shuffled_columns_are_found(rng):
    train, inliers = a_curve(rng, 800), a_curve(rng, 400)
    shuffled = rng.permuted(a_curve(rng, 400), axis=0)
    view = Dependence(train)
    labels = np.repeat([0, 1], 400).astype(np.int8)
    assert auroc(labels, view.of(np.vstack([inliers, shuffled]))) > 0.8
    # Train rows, judged by the trees without them, look like new ones.
    own = view.of_train(np.arange(800))
    assert own.mean() == pytest.approx(view.of(inliers).mean(), abs=0.03)


def test_shares_are_those_of_the_slow_version_to_the_last_bit(rng, monkeypatch):
    monkeypatch.setattr(dependence, "_TREES", 8)
    monkeypatch.setattr(dependence, "_MOST_ROWS", 60)
    Z = np.round(rng.normal(size=(70, 3)), 1)
    shuffled = np.random.default_rng(dependence._SEED).permuted(Z[:60], axis=0)
    both = np.vstack([Z[:60], shuffled])
    slow, _ = two_groups.out_of_bag(both, 60, 8, 256, 1, 3, dependence._SEED)
    view = Dependence(Z)
    assert view.of_train(np.arange(60)).tolist() == slow[:60]
    # Rows that no tree was grown on are judged by all, like new rows.
    assert view.of_train(np.arange(60, 70)).tolist() == view.of(Z[60:]).tolist()


def test_a_row_is_judged_alone_as_in_any_company(rng, monkeypatch):
    train, rows = a_curve(rng, 300), rng.normal(size=(200, 2))
    view = Dependence(train)
    together = view.of(rows)
    assert [float(view.of(row[None])[0]) for row in rows] == together.tolist()
    monkeypatch.setattr("odbench_detectors.cats.forest._ROWS", 7)
    assert view.of(rows).tolist() == together.tolist()


def test_a_single_column_depends_on_nothing(rng):
    view = Dependence(rng.normal(size=(50, 1)))
    assert not view.of(rng.normal(size=(9, 1))).any()
    assert not view.of_train(np.arange(50)).any()
    assert not view.by_column(rng.normal(size=(9, 1))).any()


def test_columns_that_are_bound_share_the_blame(rng):
    train = np.column_stack([rng.normal(size=600)] * 2 + [rng.normal(size=600)])
    odd = np.array([[1.5, -1.5, 0.0]])
    amounts = Dependence(train).by_column(odd)[0]
    assert amounts[:2].min() > 5 * amounts[2]
    explanation = CATS().fit(train).explain(odd, ["a", "b", "c"])[0]
    assert explanation.views["dependence"] > 0.05
