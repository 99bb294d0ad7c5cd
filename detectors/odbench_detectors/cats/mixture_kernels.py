"""Numba kernels of the mixture: densities, responsibilities and weighted moments."""

from __future__ import annotations

import math

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.cats.rounding import rounded_value
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.views import read_only

# Number of rows measured together, one per vector lane.
_LANES = 8
# exp(-40) is lost when it is added to 1.
_LOST = -40.0
# The contribution of a share this small is lost in rounding as well.
_NO_SHARE = 1e-12


# Kernels get their arrays from outside, and assign values, never slices; see `kernels`.
def log_joint(
    rows: FloatArray, means: FloatArray, factors: FloatArray, offsets: FloatArray
) -> FloatArray:
    """Return the log of each component's weight times its Gaussian density.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
        C-contiguous.
    means : float64 array of shape (K, d)
    factors : float64 array of shape (K, d, d), or (K, 1, d) if diagonal
        Each component's U with U @ U.T its precision, U upper triangular.
    offsets : float64 array of shape (K,)
        Log of weight and normalisation.

    Returns
    -------
    float64 array of shape (m, K)
    """
    m, d = rows.shape
    out = np.empty((m, len(means)))
    given = read_only(rows), read_only(means), read_only(factors), read_only(offsets)
    if factors.shape[1] == 1:
        _joint_of_diagonal(*given, out)
        return out
    lanes, off = np.zeros((d, _LANES)), np.empty((d, _LANES))
    _joint_of_full(*given, lanes, off, np.empty(_LANES), out)
    return out


@kernel()
def _joint_of_diagonal(
    rows: FloatArray,
    means: FloatArray,
    factors: FloatArray,
    offsets: FloatArray,
    out: FloatArray,
) -> None:
    for i in range(len(rows)):
        for k in range(len(means)):
            away = _square(rows[i], means[k], factors[k, 0])
            out[i, k] = offsets[k] - 0.5 * away


@kernel()
def _joint_of_full(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    means: FloatArray,
    factors: FloatArray,
    offsets: FloatArray,
    lanes: FloatArray,
    off: FloatArray,
    square: FloatArray,
    out: FloatArray,
) -> None:
    m, d = rows.shape
    for start in range(0, m, _LANES):
        count = min(_LANES, m - start)
        for r in range(count):
            for j in range(d):
                lanes[j, r] = rows[start + r, j]
        for k in range(len(means)):
            for j in range(d):
                for r in range(_LANES):
                    off[j, r] = lanes[j, r] - means[k, j]
            _squares(off, factors[k], square)
            for r in range(count):
                out[start + r, k] = offsets[k] - 0.5 * square[r]


@helper(fastmath={"contract"})
def _squares(off: FloatArray, factor: FloatArray, square: FloatArray) -> None:
    """Measure eight rows, each lane in the same order of summation.

    Unrolled by hand, because the compiler keeps scalar variables in registers.
    """
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for j in range(len(off)):
        t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = 0.0
        for e in range(j + 1):
            f = factor[e, j]
            t0 += off[e, 0] * f
            t1 += off[e, 1] * f
            t2 += off[e, 2] * f
            t3 += off[e, 3] * f
            t4 += off[e, 4] * f
            t5 += off[e, 5] * f
            t6 += off[e, 6] * f
            t7 += off[e, 7] * f
        s0 += t0 * t0
        s1 += t1 * t1
        s2 += t2 * t2
        s3 += t3 * t3
        s4 += t4 * t4
        s5 += t5 * t5
        s6 += t6 * t6
        s7 += t7 * t7
    square[0] = s0
    square[1] = s1
    square[2] = s2
    square[3] = s3
    square[4] = s4
    square[5] = s5
    square[6] = s6
    square[7] = s7


# The same order of summation as in the vector loop.
@helper(fastmath={"reassoc", "contract"})
def _square(row: FloatArray, mean: FloatArray, factor: FloatArray) -> float:
    total = 0.0
    for j in range(len(row)):
        scaled = (row[j] - mean[j]) * factor[j]
        total += scaled * scaled
    return total


def log_sum(joint: FloatArray) -> FloatArray:
    """Return the log of the sum of exponentials of each row, (m, K) to (m,)."""
    summed = np.empty(len(joint))
    _log_sum(read_only(joint), summed)
    return summed


@kernel()
def _log_sum(joint: FloatArray, summed: FloatArray) -> None:
    for i in range(len(joint)):
        largest = _largest(joint, i)
        total = 0.0
        for c in range(joint.shape[1]):
            if joint[i, c] - largest > _LOST:
                total += math.exp(joint[i, c] - largest)
        summed[i] = largest + math.log(total)


@helper()
def _largest(joint: FloatArray, i: int) -> float:
    largest: float = joint[i, 0]
    for c in range(1, joint.shape[1]):
        largest = max(largest, joint[i, c])
    return largest


def responsibilities(joint: FloatArray) -> tuple[FloatArray, float]:
    """Return the responsibilities of components for rows.

    Parameters
    ----------
    joint : float64 array of shape (n, K)
        See `log_joint`.

    Returns
    -------
    tuple
        Responsibilities, float64 of shape (K, n), which sum to 1 for each row; the
        mean of `log_sum` over rows.
    """
    shares = np.zeros(joint.shape[::-1])
    likelihood: float = _share(read_only(joint), shares)
    return shares, likelihood


@kernel()
def _share(joint: FloatArray, shares: FloatArray) -> float:
    """Write responsibilities over zeros; return the mean of `log_sum`."""
    n, k = joint.shape
    likelihood = 0.0
    for i in range(n):
        largest = _largest(joint, i)
        total = 0.0
        for c in range(k):
            if joint[i, c] - largest > _LOST:
                shares[c, i] = math.exp(joint[i, c] - largest)
                total += shares[c, i]
        for c in range(k):
            shares[c, i] /= total
        likelihood += largest + math.log(total)
    mean: float = likelihood / n
    return mean


def moments(columns: FloatArray, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each component's total responsibility and weighted mean.

    Parameters
    ----------
    columns : float64 array of shape (d, n)
        The rows, column by column.
    shares : float64 array of shape (K, n)
        Responsibilities, from 0 to 1.

    Returns
    -------
    tuple of float64 arrays
        Mass (K,), above 0; means (K, d).
    """
    mass = np.full(len(shares), 1e-9)
    means = np.zeros((len(shares), len(columns)))
    _add_moments(read_only(columns), read_only(shares), mass, means)
    return mass, means


# The order of summation is free here, because all rows are train rows.
@kernel(fastmath={"reassoc", "contract"})
def _add_moments(
    columns: FloatArray, shares: FloatArray, mass: FloatArray, means: FloatArray
) -> None:
    d, n = columns.shape
    for c in range(len(shares)):
        share = shares[c]
        total = 0.0
        for i in range(n):
            total += share[i]
        mass[c] += total
        for j in range(d):
            column = columns[j]
            total = 0.0
            for i in range(n):
                total += share[i] * column[i]
            means[c, j] = total / mass[c]


def scatter(
    columns: FloatArray, shares: FloatArray, means: FloatArray, full: bool
) -> FloatArray:
    """Sum products of columns about each component's mean.

    Parameters
    ----------
    columns, shares, means
        As in `moments`.
    full : bool
        Whether to sum products of all columns, or squares only.

    Returns
    -------
    float64 array of shape (K, d, d), or (K, 1, d) of squares
    """
    d, n = columns.shape
    out = np.zeros((len(means), d if full else 1, d))
    given = read_only(columns), read_only(shares), read_only(means)
    if not full:
        _scatter_of_squares(*given, out)
        return out
    mine = np.empty(n, dtype=np.intp)
    _scatter_of_products(*given, np.empty((d, n)), np.empty(n), mine, out)
    return out


@kernel(fastmath={"reassoc", "contract"})
def _scatter_of_squares(
    columns: FloatArray, shares: FloatArray, means: FloatArray, out: FloatArray
) -> None:
    for c in range(len(means)):
        for e in range(len(columns)):
            out[c, 0, e] = _squares_about(columns[e], shares[c], means[c, e])


@kernel(fastmath={"reassoc", "contract"})
def _scatter_of_products(  # noqa: PLR0917 - numba passes by position
    columns: FloatArray,
    shares: FloatArray,
    means: FloatArray,
    off: FloatArray,
    weighted: FloatArray,
    mine: IntArray,
    out: FloatArray,
) -> None:
    d, n = columns.shape
    for c in range(len(means)):
        count = 0
        for i in range(n):
            if shares[c, i] >= _NO_SHARE:
                mine[count] = i
                count += 1
        for j in range(d):
            for p in range(count):
                off[j, p] = columns[j, mine[p]] - means[c, j]
        for e in range(d):
            for p in range(count):
                weighted[p] = shares[c, mine[p]] * off[e, p]
            for j in range(e + 1):
                other = off[j]
                total = 0.0
                for p in range(count):
                    total += weighted[p] * other[p]
                out[c, e, j] = out[c, j, e] = total


@helper(fastmath={"reassoc", "contract"})
def _squares_about(column: FloatArray, share: FloatArray, mean: float) -> float:
    total = 0.0
    for i in range(len(column)):
        off = column[i] - mean
        total += share[i] * (off * off)
    return total


def nearest_centre(rows: FloatArray, centres: FloatArray) -> IntArray:
    """Return the index of the centre, (K, d), that is nearest to each row, (n, d)."""
    nearest = np.empty(len(rows), dtype=np.int64)
    _nearest_centre(read_only(rows), read_only(centres), nearest)
    return nearest


@kernel()
def _nearest_centre(rows: FloatArray, centres: FloatArray, nearest: IntArray) -> None:
    n, d = rows.shape
    for i in range(n):
        shortest = math.inf
        nearest[i] = 0
        for c in range(len(centres)):
            total = 0.0
            for j in range(d):
                difference = rows[i, j] - centres[c, j]
                total += difference * difference
            total = rounded_value(total)
            if total < shortest:
                shortest = total
                nearest[i] = c
