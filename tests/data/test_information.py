"""Mutual information: against a slow version, scikit-learn, and its baseline."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from odbench.data.information import (
    MOST_CODES,
    code_names,
    code_numbers,
    shared_information,
)
from tests.reference import information as slow


def codes_of(seed, n=400):
    """Columns of 2, 5 and 40 values, of which the second follows the first."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 2, n)
    second = (2 * first + rng.integers(0, 3, n)) % 5
    return np.stack([first, second, rng.integers(0, 40, n)], axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_shares_agree_with_counting_pairs(seed):
    columns = codes_of(seed)

    found = shared_information(columns, columns, shuffles=64).share

    for i in range(3):
        for j in range(3):
            a, b = columns[:, i].tolist(), columns[:, j].tolist()
            assert found[i, j] == pytest.approx(
                max(0.0, slow.share(a, b, shuffles=64)), abs=0.02
            )


@pytest.mark.parametrize("seed", range(3))
def test_shares_agree_with_the_exact_adjusted_mutual_information(seed):
    columns = codes_of(seed)
    entropies = [slow.entropy(column.tolist()) for column in columns.T]

    found = shared_information(columns, columns, shuffles=64).share

    # scikit-learn divides by the smaller entropy here, so ask for that column's share.
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert entropies[i] < entropies[j]
        exact = adjusted_mutual_info_score(
            columns[:, i], columns[:, j], average_method="min"
        )
        assert found[i, j] == pytest.approx(max(0.0, exact), abs=0.01)


def test_many_values_alone_share_nothing():
    rng = np.random.default_rng(0)
    few, many = rng.integers(0, 3, 300), rng.integers(0, 60, 300)

    found = shared_information(few[:, None], many[:, None])
    raw = slow.information(few.tolist(), many.tolist())

    assert raw > 0.1
    assert found.share[0, 0] < 0.05
    assert abs(found.excess[0, 0]) < 3


def test_excess_of_independent_columns_is_about_standard_normal():
    rng = np.random.default_rng(1)
    columns = rng.integers(0, 8, (2_000, 40))

    found = shared_information(columns, columns).excess
    apart = found[~np.eye(40, dtype=bool)]

    assert abs(apart.mean()) < 0.3
    assert 0.7 < apart.std() < 1.4
    assert apart.max() < 5


def test_a_target_that_determines_a_column_has_share_one():
    rng = np.random.default_rng(2)
    city = rng.integers(0, 30, 2_000)
    region = city // 10

    found = shared_information(region[:, None], city[:, None]).share[0, 0]
    back = shared_information(city[:, None], region[:, None]).share[0, 0]

    assert found == pytest.approx(1.0)
    assert 0.2 < back < 0.5


def test_a_constant_column_has_no_share():
    constant = np.zeros((50, 1), dtype=np.int64)

    found = shared_information(constant, np.arange(50)[:, None] % 5)

    assert found.share[0, 0] == 0.0


def test_numbers_keep_few_values_and_cut_many():
    few = np.array([3.0, np.nan, -1.0, 3.0])
    many = np.append(np.random.default_rng(0).normal(size=5_000), np.nan)

    assert code_numbers(few).tolist() == [2, 0, 1, 2]
    codes = code_numbers(many)
    assert len(np.unique(codes)) <= MOST_CODES
    # Order is kept, and missing values are apart.
    order = np.argsort(many[:-1])
    assert (np.diff(codes[:-1][order]) >= 0).all()
    assert (codes == codes[-1]).sum() == 1
    # The largest values have an interval of their own.
    assert (codes == codes[np.nanargmax(many)]).sum() == 5


def test_the_rarest_names_are_joined():
    codes = np.repeat(np.arange(100), np.arange(1, 101))

    joined = code_names(codes)

    assert len(np.unique(joined)) == MOST_CODES
    # The most frequent names stay apart.
    assert (joined == joined[-1]).sum() == 100


def test_small_tables_have_few_intervals_and_still_show_a_dependence():
    rng = np.random.default_rng(0)
    first = rng.normal(size=200)
    second = first + 0.7 * rng.normal(size=200)
    codes = np.stack([code_numbers(first), code_numbers(second)], axis=1)

    found = shared_information(codes[:, :1], codes[:, 1:])

    assert codes.max() < 10
    assert found.excess[0, 0] > 5
