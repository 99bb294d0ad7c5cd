"""Audit fields."""

import dataclasses
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from odbench.data import groups as module
from odbench.data.audit import audit, audit_beyond_duplicates
from odbench.data.groups import group_rows
from odbench.data.whole_numbers import large_integers
from tests.reference import data as reference

_VALUES = st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1.5, 8e36])


def tables(rows):
    return hnp.arrays(np.float64, st.tuples(rows, st.just(2)), elements=_VALUES)


@given(tables(st.integers(1, 12)), tables(st.integers(2, 12)), st.data())
def test_counts_are_those_of_sets_of_tuples(train, test, data):
    labels = np.zeros(len(test), dtype=np.int8)
    labels[: data.draw(st.integers(1, len(test) - 1))] = 1
    expected = reference.audit(train, test, labels)
    assert dataclasses.asdict(audit(train, test, labels)) == pytest.approx(expected)


def test_without_labels_only_the_other_fields_are_measured(rng):
    found = audit(rng.normal(size=(5, 2)), rng.normal(size=(4, 2)), None)
    assert (found.anomalies_in_train, found.label_conflict) == (None, None)
    assert (found.duplicate_train, found.test_in_train) == (0, 0)


def test_minus_zero_is_zero():
    found = audit(np.array([[0.0], [-0.0]]), np.array([[-0.0]]), None)
    assert found.duplicate_train == 0.5
    assert found.test_in_train == 1


def test_columns_of_whole_numbers_beyond_the_exact_ones_are_found(rng):
    train, test = rng.normal(size=(5, 5)), rng.normal(size=(4, 5))
    train[:, :4] = np.rint(train[:, :4])
    test[:, :4] = np.rint(test[:, :4])
    train[0, 1] = -(2.0**53) - 2
    test[0, 2] = 8e36
    train[0, 3] = 2.0**53
    # A column with fractions is a measurement.
    train[0, 4] = 8e36
    assert large_integers(train, test) == [1, 2]
    assert audit_beyond_duplicates(train, test, None) == {"large_integers": 2}


def test_a_collision_of_hashes_changes_nothing(rng, monkeypatch):
    X = rng.integers(0, 3, size=(60, 3)).astype(float)
    expected = np.unique(X, axis=0, return_inverse=True)[1]
    monkeypatch.setattr(module, "_hash", lambda x: np.zeros(len(x), dtype=np.uint64))
    groups = group_rows(X)
    # The grouping must be the same; the numbers may differ.
    pairs = {(int(a), int(b)) for a, b in zip(groups, expected, strict=True)}
    assert len(pairs) == len(np.unique(expected)) == len(np.unique(groups))


def test_large_tables_take_seconds_not_minutes(rng):
    X = rng.integers(0, 50, size=(330_000, 12)).astype(float)
    labels = np.zeros(165_000, dtype=np.int8)
    labels[::10] = 1
    start = time.perf_counter()
    audit(X[:165_000], X[165_000:], labels)
    assert time.perf_counter() - start < 5
