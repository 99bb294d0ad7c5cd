"""Fixed-order linear algebra agrees with LAPACK up to rounding."""

import numpy as np
import pytest

from odbench.synbench import linear


@pytest.fixture(params=[1, 2, 7, 60])
def factor(request, rng):
    return rng.normal(size=(request.param, request.param))


def test_correlation_is_valid(factor):
    found = linear.correlation(factor, 1e-6)

    gram = factor @ factor.T
    scale = np.sqrt(np.diagonal(gram))
    wanted = (gram / np.outer(scale, scale) + 1e-6 * np.eye(len(factor))) / (1 + 1e-6)
    np.testing.assert_allclose(found, wanted, atol=1e-14)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diagonal(found), 1.0)
    assert np.linalg.eigvalsh(found)[0] > 5e-7


def test_cholesky_and_its_solve(factor, rng):
    matrix = linear.correlation(factor, 1e-6)
    right = rng.normal(size=(len(factor), 1500))

    lower = linear.cholesky(matrix)

    np.testing.assert_allclose(lower @ lower.T, matrix, atol=1e-13)
    np.testing.assert_array_equal(np.triu(lower, 1), 0.0)
    np.testing.assert_allclose(
        lower @ linear.solve_lower(lower, right), right, atol=1e-9
    )


def test_product_and_sum_of_squares(factor, rng):
    columns = rng.normal(size=(len(factor), 2500))

    np.testing.assert_allclose(
        linear.multiply(factor, columns), factor @ columns, atol=1e-12
    )
    np.testing.assert_allclose(
        linear.sum_of_squares(columns), (columns**2).sum(axis=0), rtol=1e-13
    )


def test_a_row_does_not_depend_on_its_companions(factor, rng):
    columns = rng.normal(size=(len(factor), 2500))

    together = linear.multiply(factor, columns)

    np.testing.assert_array_equal(
        together[:, :7], linear.multiply(factor, columns[:, :7])
    )
