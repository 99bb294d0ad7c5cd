"""The choice of rows, and standardisation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odbench.data.protocol import ROW_LIMIT, choose_rows, reaches, standardise
from odbench.errors import UsageError
from tests.reference import data as reference


def labels_of(n, anomalies):
    labels = np.zeros(n, dtype=np.int8)
    labels[-anomalies:] = 1
    return labels


def rows(n_train, labels, n_test=None, **options):
    options = {"dataset_id": "tiny/one", "seed": 0, **options}
    return choose_rows(n_train, labels, n_test or len(labels), **options)


def test_up_to_the_limit_every_row_is_used_in_order():
    chosen = rows(60_000, labels_of(40_000, 10))
    assert ROW_LIMIT == 100_000
    np.testing.assert_array_equal(chosen.train, np.arange(60_000))
    np.testing.assert_array_equal(chosen.test, np.arange(40_000))
    assert len(chosen.moved) == 0
    assert chosen.is_everything(60_000, 40_000)


def test_over_the_limit_the_ratio_of_train_to_test_stays():
    n_train, labels = 231_864, labels_of(250_001, 18_137)
    chosen = rows(n_train, labels)
    total = n_train + len(labels)
    assert len(chosen.train) == round(100_000 * n_train / total)
    assert len(chosen.train) + len(chosen.test) == 100_000
    share = labels[chosen.test].mean()
    assert share == pytest.approx(labels.mean(), abs=1 / len(chosen.test))
    for part in (chosen.train, chosen.test):
        assert (np.diff(part) > 0).all()


@given(
    n_train=st.integers(1, 400),
    n_inliers=st.integers(1, 400),
    n_anomalies=st.integers(1, 400),
    limit=st.integers(4, 500),
    contamination=st.sampled_from([None, 0.0, 0.03, 0.07, 0.4]),
    seed=st.integers(0, 3),
)
@settings(deadline=None)
def test_a_choice_is_always_one_that_can_be_scored(
    *, n_train, n_inliers, n_anomalies, limit, contamination, seed
):
    labels = labels_of(n_inliers + n_anomalies, n_anomalies)
    options = {"limit": limit, "contamination": contamination, "seed": seed}
    size = (n_train, len(labels), n_anomalies)
    if contamination is not None and not reaches(*size, contamination, limit=limit):
        with pytest.raises(UsageError, match="smaller share"):
            rows(n_train, labels, **options)
        return
    chosen = rows(n_train, labels, **options)
    total = len(chosen.train) + len(chosen.test)
    if contamination is None:
        assert total == min(limit, n_train + len(labels))
    assert total + len(chosen.moved) <= min(limit, n_train + len(labels))
    assert len(chosen.train) >= 1
    assert labels[chosen.moved].all()
    assert not set(chosen.moved) & set(chosen.test)
    kept = labels[chosen.test]
    assert kept.any()
    assert not kept.all()
    if contamination:
        share = len(chosen.moved) / (len(chosen.train) + len(chosen.moved))
        # The number of moved rows is rounded, so it may be half a row too large.
        assert share <= contamination + 0.5 / len(chosen.train)


def test_a_test_far_smaller_than_train_keeps_both_labels():
    labels = labels_of(60, 30)
    chosen = rows(5_000_000, labels, limit=60)
    assert len(chosen.train) == 58
    assert sorted(labels[chosen.test]) == [0, 1]


def test_a_test_of_one_row_is_no_reason_to_use_fewer():
    chosen = rows(1000, None, 1, limit=10)
    assert len(chosen.train) == 9
    assert chosen.test.tolist() == [0]


def test_one_seed_chooses_the_same_rows_another_chooses_others():
    labels = labels_of(90_000, 900)
    once, again, other = (rows(90_000, labels, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(once.train, again.train)
    np.testing.assert_array_equal(once.test, again.test)
    assert not np.array_equal(once.train, other.train)
    elsewhere = rows(90_000, labels, seed=1, dataset_id="tiny/two")
    assert not np.array_equal(once.train, elsewhere.train)


def test_the_draw_is_the_same_on_every_machine():
    chosen = rows(12, labels_of(12, 4), limit=10, seed=7)
    assert chosen.train.tolist() == [3, 4, 9, 10, 11]
    assert chosen.test.tolist() == [1, 2, 5, 8, 9]


def test_every_row_is_drawn_equally_often():
    labels = labels_of(20, 5)
    counts = np.zeros(20)
    for seed in range(3000):
        counts[rows(20, labels, limit=20, seed=seed).train] += 1
    # Binomial(3000, 1/2): five standard deviations.
    assert np.abs(counts - 1500).max() < 5 * np.sqrt(3000) / 2


@pytest.mark.parametrize("share", [0.0, 0.03, 0.05, 0.07])
def test_contamination_is_the_share_among_the_training_rows(share):
    chosen = rows(1000, labels_of(1500, 500), contamination=share)
    moved = len(chosen.moved)
    assert moved == round(share * 1000 / (1 - share))
    assert moved / (1000 + moved) == pytest.approx(share, abs=0.0005)


def test_a_larger_share_moves_the_same_anomalies_and_more():
    labels = labels_of(1500, 500)
    small, large = (rows(1000, labels, contamination=c) for c in (0.03, 0.07))
    assert set(small.moved) < set(large.moved)


def test_every_share_is_judged_on_the_same_rows():
    labels = labels_of(1500, 500)
    tests = [rows(1000, labels, contamination=c).test for c in (0.0, 0.03, 0.07)]
    for other in tests[1:]:
        np.testing.assert_array_equal(tests[0], other)
    assert labels[tests[0]].sum() == 250
    assert (labels[tests[0]] == 0).sum() == 1000


@pytest.mark.parametrize(("n_train", "n_anomalies"), [(1000, 7), (90_000, 20_000)])
def test_a_share_that_cannot_be_reached_is_refused(n_train, n_anomalies):
    labels = labels_of(30_000, n_anomalies)
    reached = [
        share
        for share in np.linspace(0.0, 0.4, 41)
        if reaches(n_train, len(labels), n_anomalies, share)
    ]
    assert reached == [c for c in np.linspace(0.0, 0.4, 41) if c <= max(reached)]
    chosen = rows(n_train, labels, limit=100_000, contamination=max(reached))
    assert labels[chosen.test].sum() >= len(chosen.moved)
    with pytest.raises(UsageError, match="smaller share"):
        rows(n_train, labels, limit=100_000, contamination=max(reached) + 0.01)


def test_without_labels_rows_are_drawn_and_nothing_moves():
    chosen = rows(60, None, 60, limit=50)
    assert len(chosen.train) == len(chosen.test) == 25
    with pytest.raises(UsageError, match="not public"):
        rows(60, None, 60, contamination=0.05)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"limit": 3}, "limit"), ({"contamination": 0.5}, "contamination")],
)
def test_what_is_impossible_is_refused(options, word):
    with pytest.raises(UsageError, match=word):
        rows(10, labels_of(10, 2), **options)


def test_z_scores_are_exact_to_the_last_digits(rng):
    train = rng.normal(3, 7, size=(50, 4))
    test = rng.normal(3, 7, size=(20, 4))
    check_against_fractions(train, test)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 8e36, 1e200, 1.7e308], ids=str)
def test_neither_huge_nor_tiny_values_break_the_scale(rng, scale):
    train = rng.uniform(-1, 1, size=(40, 2)) * scale
    test = rng.uniform(-1, 1, size=(10, 2)) * scale
    check_against_fractions(train, test)


def test_close_values_far_from_zero_keep_their_digits(rng):
    # Time stamps: scikit-learn's one-pass variance loses half of the digits here. The
    # plain mean is off by its rounding, 2e-8 of a standard deviation when measured.
    train = 180_102_070_000.0 + rng.integers(0, 500, size=(2000, 1))
    check_against_fractions(train, train[:50] + 1.0, atol=1e-7)


def test_ordinary_tables_are_scaled_by_the_plain_formula_to_the_last_bit(rng):
    train, test = rng.normal(3, 2, size=(500, 6)), rng.normal(size=(70, 6))

    Z_train, Z_test = standardise(train, test)

    mean, sd = train.mean(axis=0), train.std(axis=0)
    np.testing.assert_array_equal(Z_train, (train - mean) / sd)
    np.testing.assert_array_equal(Z_test, (test - mean) / sd)


@pytest.mark.parametrize("power", [-1060, -1000, -3, 1, 700, 1020])
def test_a_power_of_two_in_the_unit_changes_no_bit(rng, power):
    # Of so many digits that even the smallest unit keeps them all.
    train = rng.integers(1, 8, size=(50, 3)) / 4.0
    test = rng.integers(-8, 8, size=(20, 3)) / 4.0

    Z_train, Z_test = standardise(train, test)
    scaled = standardise(np.ldexp(train, power), np.ldexp(test, power))

    assert Z_train.tobytes() == scaled[0].tobytes()
    assert Z_test.tobytes() == scaled[1].tobytes()


def check_against_fractions(train, test, atol=1e-13):
    before = train.copy()
    Z_train, Z_test = standardise(np.asfortranarray(train), test)
    np.testing.assert_array_equal(train, before)
    for Z, values in ((Z_train, train), (Z_test, test)):
        assert Z.flags.c_contiguous
        assert Z.dtype == np.float64
        for j in range(train.shape[1]):
            expected = reference.z_scores(train[:, j], values[:, j])
            np.testing.assert_allclose(Z[:, j], expected, rtol=1e-12, atol=atol)


@pytest.mark.parametrize("value", [0.0, 1.11, -8e36, 1.7e308, 5e-324])
def test_a_constant_column_becomes_zero(value):
    train = np.full((345, 2), value)
    train[:, 1] = np.arange(345)
    Z_train, Z_test = standardise(train, train[:7])
    assert not Z_train[:, 0].any()
    assert not Z_test[:, 0].any()
    assert Z_train[:, 1].std() == pytest.approx(1)


def test_what_departs_from_a_constant_column_keeps_its_distance():
    train = np.full((345, 1), 1.11)
    test = np.array([[1.11], [7.0], [-1.7e308]])
    Z_train, Z_test = standardise(train, test)
    assert not Z_train.any()
    assert Z_test[:, 0] == pytest.approx([0, 7 - 1.11, -1.7e308])


def test_rounding_is_not_blown_up():
    # The same decimal number from two computations may differ in the last bit.
    train = np.array([[0.1 + 0.2], [0.3]] * 50)
    Z_train, Z_test = standardise(train, np.array([[0.3], [0.1 + 0.2], [0.4]]))
    assert not Z_train.any()
    assert Z_test[:, 0] == pytest.approx([0, 0, 0.1])


def test_a_small_but_real_spread_is_kept():
    train = 1 + np.arange(100.0)[:, None] * 1e-14
    Z_train, _ = standardise(train, train)
    assert Z_train.std() == pytest.approx(1)


def test_an_absurd_test_value_stays_finite():
    train = np.arange(10.0)[:, None] * 1e-300
    Z_train, Z_test = standardise(train, np.array([[1e308], [-1e308]]))
    assert np.isfinite(Z_train).all()
    assert np.isfinite(Z_test).all()
    assert Z_test[0, 0] > 1e300 > -1e300 > Z_test[1, 0]


@pytest.mark.mirror
@pytest.mark.parametrize(
    "name", ["AbandonedMineLand", "BettingIntegrity", "MineAccident", "SystemHealth"]
)
def test_real_tables_scale_as_scikit_learn_scales_them(mirror, name):
    from sklearn.preprocessing import StandardScaler

    from odbench.data.catalog import load_dataset

    dataset = load_dataset(f"oddbench/{name}", mirror=mirror)
    scaler = StandardScaler().fit(dataset.X_train)
    Z_train, Z_test = standardise(dataset.X_train, dataset.X_test)
    for Z, X in ((Z_train, dataset.X_train), (Z_test, dataset.X_test)):
        np.testing.assert_allclose(Z, scaler.transform(X), rtol=1e-7, atol=1e-7)
