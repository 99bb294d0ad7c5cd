"""Linear algebra in a fixed order of additions, so that results are bit-identical.

Tables have columns first, shape (d, n): a column is contiguous, and every step is one
NumPy operation on columns.
"""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray

# Rows per block: the columns of one block stay in the cache.
_ROWS = 4096


def correlation(a: FloatArray, ridge: float) -> FloatArray:
    """Return the correlation matrix of A A^T, mixed with the identity.

    Parameters
    ----------
    a : float64 array of shape (d, m)
        Factor; no row is all zero.
    ridge : float
        Added to the diagonal of the correlation matrix before it is scaled back to a
        unit diagonal.

    Returns
    -------
    float64 array of shape (d, d)
        Symmetric, positive definite, ones on the diagonal.
    """
    gram = np.zeros((len(a), len(a)))
    for column in a.T:
        gram += column[:, None] * column[None, :]
    scale = np.sqrt(np.diagonal(gram))
    out: FloatArray = gram / (scale[:, None] * scale[None, :]) / (1.0 + ridge)
    np.fill_diagonal(out, 1.0)
    return out


def cholesky(matrix: FloatArray) -> FloatArray:
    """Return the lower triangular L with L L^T = matrix.

    Parameters
    ----------
    matrix : float64 array of shape (d, d)
        Symmetric positive definite.
    """
    rest = matrix.copy()
    lower = np.zeros_like(rest)
    for j in range(len(rest)):
        lower[j:, j] = rest[j:, j] / np.sqrt(rest[j, j])
        rest[j:, j:] -= lower[j:, j, None] * lower[None, j:, j]
    return lower


def multiply(matrix: FloatArray, columns: FloatArray) -> FloatArray:
    """Return matrix @ columns, summed over the inner index in ascending order.

    Parameters
    ----------
    matrix : float64 array of shape (m, d)
        Zeros are skipped.
    columns : float64 array of shape (d, n)

    Returns
    -------
    float64 array of shape (m, n)
    """
    out = np.zeros((len(matrix), columns.shape[1]))
    weights = matrix.tolist()
    for start in range(0, columns.shape[1], _ROWS):
        block = np.ascontiguousarray(columns[:, start : start + _ROWS])
        step = np.empty(block.shape[1])
        for i, row in enumerate(weights):
            total = out[i, start : start + _ROWS]
            for j, weight in enumerate(row):
                if weight != 0.0:
                    np.multiply(block[j], weight, out=step)
                    total += step
    return out


def solve_lower(lower: FloatArray, columns: FloatArray) -> FloatArray:
    """Return the y with lower @ y = columns, by forward substitution.

    Parameters
    ----------
    lower : float64 array of shape (d, d)
        Lower triangular.
    columns : float64 array of shape (d, n)
    """
    out = columns.copy()
    weights = lower.tolist()
    for start in range(0, columns.shape[1], _ROWS):
        block = out[:, start : start + _ROWS]
        step = np.empty(block.shape[1])
        for i, row in enumerate(weights):
            for j in range(i):
                np.multiply(block[j], row[j], out=step)
                block[i] -= step
            block[i] /= row[i]
    return out


def sum_of_squares(columns: FloatArray) -> FloatArray:
    """Return each row's sum of squares over the columns, in their order.

    Parameters
    ----------
    columns : float64 array of shape (d, n)

    Returns
    -------
    float64 array of shape (n,)
    """
    total = np.zeros(columns.shape[1])
    for column in columns:
        total += column * column
    return total
