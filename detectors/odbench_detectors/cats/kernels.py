"""Numba kernels of CATS that treat each row alone, so scores are batch-independent."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench_detectors.cats.rounding import rounded_value
from odbench_detectors.shared.kernels import helper, kernel
from odbench_detectors.shared.views import read_only

Rows = NDArray[np.int32]


# Kernels get their arrays from outside, and assign values, never slices: numba would
# compile its own versions of NumPy's functions and error messages along with them.
def rotate(rows: FloatArray, axes: FloatArray) -> FloatArray:
    """Return ``rows @ axes``, summed in the same order for every batch.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
    axes : float64 array of shape (d, e)
        C-contiguous.

    Returns
    -------
    float64 array of shape (m, e)
    """
    out = np.zeros((rows.shape[0], axes.shape[1]))
    _rotate(read_only(rows), read_only(axes), out)
    return out


@kernel()
def _rotate(rows: FloatArray, axes: FloatArray, out: FloatArray) -> None:
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            for e in range(axes.shape[1]):
                out[i, e] += rows[i, j] * axes[j, e]


@helper()
def _city(row: FloatArray, train: FloatArray, to: Rows, out: FloatArray) -> None:
    """Sum absolute differences to train rows, each from left to right; rounded.

    Four at a time, to hide the latency of additions.
    """
    fours = len(to) // 4 * 4
    for c in range(0, fours, 4):
        t0 = t1 = t2 = t3 = 0.0
        a = train[to[c]]
        b = train[to[c + 1]]
        e = train[to[c + 2]]
        f = train[to[c + 3]]
        for j in range(len(row)):
            x = row[j]
            t0 += abs(x - a[j])
            t1 += abs(x - b[j])
            t2 += abs(x - e[j])
            t3 += abs(x - f[j])
        out[c] = rounded_value(t0)
        out[c + 1] = rounded_value(t1)
        out[c + 2] = rounded_value(t2)
        out[c + 3] = rounded_value(t3)
    for c in range(fours, len(to)):
        total = 0.0
        for j in range(len(row)):
            total += abs(row[j] - train[to[c], j])
        out[c] = rounded_value(total)


def nearest_manhattan(
    rows: FloatArray, train: FloatArray, candidates: Rows
) -> tuple[FloatArray, Rows]:
    """Find the nearest candidate by Manhattan distance.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
    train : float64 array of shape (n, d)
    candidates : int32 array of shape (m, k)
        Rows of `train`.

    Returns
    -------
    tuple
        Distances, float64 of shape (m,), rounded; the candidates' rows, int32 of shape
        (m,).
    """
    distance = np.empty(len(rows))
    row = np.empty(len(rows), dtype=np.int32)
    away = np.empty(candidates.shape[1])
    _nearest_manhattan(
        read_only(rows), read_only(train), read_only(candidates), away, distance, row
    )
    return distance, row


@kernel()
def _nearest_manhattan(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    train: FloatArray,
    candidates: Rows,
    away: FloatArray,
    distance: FloatArray,
    row: Rows,
) -> None:
    for i in range(len(rows)):
        shortest = math.inf
        row[i] = candidates[i, 0]
        _city(rows[i], train, candidates[i], away)
        for c in range(len(away)):
            if away[c] < shortest:
                shortest = away[c]
                row[i] = candidates[i, c]
        distance[i] = shortest


def nearest_hamming(
    rows: FloatArray, train: FloatArray, candidates: Rows
) -> tuple[FloatArray, Rows]:
    """Find the nearest candidate by Hamming distance.

    Parameters and returns are those of `nearest_manhattan`; a distance is a count.
    """
    distance = np.empty(len(rows))
    row = np.empty(len(rows), dtype=np.int32)
    _nearest_hamming(
        read_only(rows), read_only(train), read_only(candidates), distance, row
    )
    return distance, row


@kernel()
def _nearest_hamming(
    rows: FloatArray,
    train: FloatArray,
    candidates: Rows,
    distance: FloatArray,
    row: Rows,
) -> None:
    d = rows.shape[1]
    for i in range(len(rows)):
        fewest = d + 1
        row[i] = candidates[i, 0]
        for at in range(candidates.shape[1]):
            c = candidates[i, at]
            total = 0
            for j in range(d):
                total += rows[i, j] != train[c, j]
            if total < fewest:
                fewest = total
                row[i] = c
        distance[i] = fewest


def nearest_few(
    rows: FloatArray, train: FloatArray, candidates: Rows, few: int
) -> tuple[FloatArray, FloatArray, Rows]:
    """Find the `few` nearest candidates by Manhattan distance.

    Parameters
    ----------
    rows, train, candidates
        As in `nearest_manhattan`.
    few : int
        At most the number of candidates.

    Returns
    -------
    tuple
        Distances to the first and the last of them, float64 of shape (m,), rounded;
        their rows, int32 of shape (m, few), equally distant ones in the order of the
        candidates.
    """
    m = len(rows)
    first, last = np.empty(m), np.empty(m)
    found = np.empty((m, few), dtype=np.int32)
    far, away = np.empty(few), np.empty(candidates.shape[1])
    _nearest_few(
        read_only(rows), read_only(train), read_only(candidates),
        far, away, first, last, found,
    )  # fmt: skip
    return first, last, found


@kernel()
def _nearest_few(  # noqa: PLR0917 - numba passes by position
    rows: FloatArray,
    train: FloatArray,
    candidates: Rows,
    far: FloatArray,
    away: FloatArray,
    first: FloatArray,
    last: FloatArray,
    found: Rows,
) -> None:
    few = len(far)
    for i in range(len(rows)):
        for p in range(few):
            far[p] = math.inf
            found[i, p] = candidates[i, 0]
        _city(rows[i], train, candidates[i], away)
        for c in range(len(away)):
            total = away[c]
            if total >= far[few - 1]:
                continue
            place = few - 1
            while place > 0 and far[place - 1] > total:
                far[place] = far[place - 1]
                found[i, place] = found[i, place - 1]
                place -= 1
            far[place] = total
            found[i, place] = candidates[i, c]
        first[i] = far[0]
        last[i] = far[few - 1]


def mean_at(values: FloatArray, rows: Rows) -> FloatArray:
    """Return the mean of ``values[rows]`` along the second axis of `rows`."""
    mean = np.empty(rows.shape[0])
    _mean_at(read_only(values), read_only(rows), mean)
    return mean


@kernel()
def _mean_at(values: FloatArray, rows: Rows, mean: FloatArray) -> None:
    for i in range(rows.shape[0]):
        total = 0.0
        for c in range(rows.shape[1]):
            total += values[rows[i, c]]
        mean[i] = total / rows.shape[1]
