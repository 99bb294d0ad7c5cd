"""The sum over kernels of `kde`, compiled."""

from __future__ import annotations

import math

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.shared.kernels import kernel
from odbench_detectors.shared.views import read_only

# exp(-45) is 3e-20: even a hundred thousand terms this far below the largest change the
# sum by less than its rounding error.
_NEGLIGIBLE = 45.0
_BLOCK = 64


def log_kernel_sums(
    rows: FloatArray, log_counts: FloatArray, log_own: FloatArray, queries: FloatArray
) -> FloatArray:
    """Return ``log sum_i counts_i exp(-|q - x_i|^2 / 2)`` of each query.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
        Distinct training rows, in units of the bandwidth; within ±1e140, so that
        squares do not overflow.
    log_counts : float64 array of shape (m,)
        The logarithm of the number of times each occurs in the training table.
    log_own : float64 array of shape (m,)
        The same for the i-th row as seen by the i-th query. Where queries are the rows
        themselves, a row that occurs once does not count for itself: minus infinity.
    queries : float64 array of shape (n, d)
        Rows to score, in the same units.

    Returns
    -------
    float64 array of shape (n,)
        Finite for finite input, because the largest term is factored out.
    """
    out = np.empty(len(queries))
    _add_kernels(
        read_only(rows), read_only(log_counts), read_only(log_own), read_only(queries),
        np.empty(len(rows)), out,
    )  # fmt: skip
    return out


@kernel()
def _add_kernels(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    log_counts: FloatArray,
    log_own: FloatArray,
    queries: FloatArray,
    exponents: FloatArray,
    out: FloatArray,
) -> None:
    """Write the result of `log_kernel_sums`; `exponents` has room for one per row."""
    m, d = rows.shape
    for q in range(len(queries)):
        largest = -np.inf
        for i in range(m):
            total = 0.0
            for j in range(d):
                difference = queries[q, j] - rows[i, j]
                total += difference * difference
            weight = log_own[i] if i == q else log_counts[i]
            exponents[i] = weight - 0.5 * total
            largest = max(largest, exponents[i])
        kernels = 0.0
        for i in range(m):
            if exponents[i] >= largest - _NEGLIGIBLE:
                kernels += math.exp(exponents[i] - largest)
        out[q] = largest + math.log(kernels)
