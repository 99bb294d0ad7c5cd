"""Encoding against a slow, obvious version; hashes and orders of rows."""

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from odbench.tables.encode import Encoder
from odbench.tables.order import canonical_order, hash_rows
from odbench.tables.roles import infer_roles
from odbench.tables.scale import Scale

TABLE = pa.table(
    {
        "kind": ["a", "b", "a", None, "a", "c", "a", "b"],
        "flag": ["t", "f", "f", "f", "t", "f", "f", "f"],
        "size": ["1.5", "?", "2.5", "3.0", "4.0", "", "7.5", "1.0"],
        "day": ["2026-01-05 06:00", "2026-01-06 07:00", "2026-01-07 06:00", "", "", "",
                "2026-01-05 06:00", "2026-01-08 06:00"],
        "same": ["x"] * 8,
    }
)  # fmt: skip


def encoder_of(table):
    return Encoder.of(infer_roles(table), table)


def rarity_slow(values):
    counts = Counter(values)
    return [-math.log(counts[value] / len(values)) for value in values]


def test_encoding_agrees_with_the_definition():
    encoder = encoder_of(TABLE)
    X = encoder.encode(TABLE)
    columns = dict(zip(encoder.names, X.T, strict=True))

    assert list(columns) == [
        "kind", "flag", "size", "size missing",
        "day", "day hour", "day weekday", "day missing",
    ]  # fmt: skip
    for name in ("kind", "flag"):
        expected = rarity_slow(TABLE[name].to_pylist())
        np.testing.assert_allclose(columns[name], expected, rtol=1e-15)
    present = [1.5, 2.5, 3.0, 4.0, 7.5, 1.0]
    middle = sorted(present)
    median = (middle[2] + middle[3]) / 2
    assert columns["size"].tolist() == [1.5, median, 2.5, 3.0, 4.0, median, 7.5, 1.0]
    assert columns["size missing"].tolist() == [0, 1, 0, 0, 0, 1, 0, 0]
    assert columns["day weekday"][:3].tolist() == [0, 1, 2]
    assert columns["day hour"][:2].tolist() == [6, 7]


def test_rows_are_encoded_alike_alone_and_in_a_batch():
    encoder = encoder_of(TABLE)
    whole = encoder.encode(TABLE)

    for row in range(TABLE.num_rows):
        alone = encoder.encode(TABLE.slice(row, 1))
        np.testing.assert_array_equal(alone[0], whole[row])


def test_a_category_never_seen_is_rarer_than_any():
    encoder = encoder_of(TABLE)
    new = TABLE.slice(0, 1).set_column(0, "kind", pa.array(["zebra"]))

    assert encoder.encode(new)[0, 0] > encoder.encode(TABLE)[:, 0].max()


def test_missing_values_that_another_column_tells_about_are_told_once():
    there = ["t", "f", "t", "t"] * 5
    value = [None if t == "f" else str(n * n / 7) for n, t in enumerate(there)]
    also = [None if t == "f" else str(n / 3) for n, t in enumerate(there)]

    encoder = encoder_of(pa.table({"measured": there, "v": value, "w": also}))

    assert encoder.names == ("measured", "v", "w")
    alone = encoder_of(pa.table({"v": value, "w": also}))
    assert alone.names == ("v", "v missing", "w")


def test_values_are_finite_for_hostile_numbers():
    table = pa.table({"x": [1e308, -1e308, 5e-324, 0.0, np.nan, np.inf, 1e300, 2.0]})
    X = encoder_of(table).encode(table)
    Z = Scale.of(X).apply(X)

    assert np.isfinite(X).all()
    assert np.isfinite(Z).all()


def test_scale_agrees_with_the_definition(rng):
    X = rng.normal(3, 5, size=(50, 3))
    X[:, 2] = 0.1 + 0.2

    Z = Scale.of(X).apply(X)

    for j in range(2):
        mean = sum(X[:, j]) / 50
        deviation = math.sqrt(sum((x - mean) ** 2 for x in X[:, j]) / 50)
        np.testing.assert_allclose(Z[:, j], (X[:, j] - mean) / deviation, atol=1e-12)
    assert not Z[:, 2].any()


@pytest.mark.parametrize("copies", [1, 3])
def test_the_canonical_order_depends_on_content_alone(rng, copies):
    X = np.repeat(rng.integers(0, 3, size=(200, 3)).astype(float), copies, axis=0)
    wanted = X[canonical_order(hash_rows(X))]

    for _ in range(8):
        Y = X[rng.permutation(len(X))]
        np.testing.assert_array_equal(Y[canonical_order(hash_rows(Y))], wanted)


def test_copies_are_spread_over_the_canonical_order():
    X = np.concatenate([np.zeros((900, 1)), np.arange(1, 101)[:, None]])

    first = X[canonical_order(hash_rows(X))][:500]

    assert 420 < (first == 0).sum() < 480


def test_equal_rows_have_equal_hashes_and_others_differ(rng):
    X = rng.normal(size=(20_000, 2))
    X[1] = X[0]

    hashes = hash_rows(X)

    assert len(np.unique(hashes)) == len(X) - 1
    assert hash_rows(np.array([[0.0]])) == hash_rows(np.array([[-0.0]]))
