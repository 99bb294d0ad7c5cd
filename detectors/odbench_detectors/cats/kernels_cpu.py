"""Numba kernels of CATS: each row alone, so that no score depends on its batch."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray

Rows = NDArray[np.int32]


@njit(cache=True, nogil=True)
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
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            for e in range(axes.shape[1]):
                out[i, e] += rows[i, j] * axes[j, e]
    return out


@njit(cache=True, nogil=True)
def look_up(
    rows: FloatArray, columns: FloatArray, own: int
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Find where values stand in the sorted train columns.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
    columns : float64 array of shape (d, n)
        Ascending along each row.
    own : int
        1 if the rows are train rows, which stand in the columns themselves and are
        not to be counted; else 0.

    Returns
    -------
    tuple of arrays of shape (m, d)
        The share of train values below, ties half (a train row's own included); how
        many *other* train values lie on the emptier side, ties included; the distance
        to the nearest other train value.
    """
    m, d = rows.shape
    n = columns.shape[1]
    share = np.empty((m, d))
    rarest = np.empty((m, d), dtype=np.int64)
    gap = np.empty((m, d))
    for j in range(d):
        column = columns[j]
        for i in range(m):
            x = rows[i, j]
            left = np.searchsorted(column, x)
            right = left
            if left < n and column[left] == x:
                right = left + np.searchsorted(column[left:], x, side="right")
            share[i, j] = (left + right) / (2.0 * n)
            rarest[i, j] = min(right, n - left) - own
            if right - left > own:
                gap[i, j] = 0.0
                continue
            nearest = math.inf
            if left > 0:
                nearest = x - column[left - 1]
            if right < n:
                nearest = min(nearest, column[right] - x)
            gap[i, j] = nearest
    return share, rarest, gap


@njit(cache=True, nogil=True)
def rarity_of_gaps(gap: FloatArray, gaps: FloatArray, own: int) -> FloatArray:
    """Return minus the log of each gap's tail among the train gaps of its column.

    Parameters
    ----------
    gap : float64 array of shape (m, d)
    gaps : float64 array of shape (d, n)
        Ascending along each row.
    own : int
        1 if the gaps stand among the train gaps themselves.

    Returns
    -------
    float64 array of shape (m, d)
    """
    m, d = gap.shape
    n = gaps.shape[1]
    rarity = np.empty((m, d))
    for j in range(d):
        for i in range(m):
            above = n - np.searchsorted(gaps[j], gap[i, j])
            rarity[i, j] = -math.log((1.0 + above - own) / (n + 1.0 - own))
    return rarity


@njit(cache=True, nogil=True)
def nearest_city(
    rows: FloatArray, train: FloatArray, candidates: Rows
) -> tuple[FloatArray, Rows]:
    """Find the candidate that is nearest by the sum of absolute differences.

    Parameters
    ----------
    rows : float64 array of shape (m, d)
    train : float64 array of shape (n, d)
    candidates : int32 array of shape (m, k)
        Rows of `train`.

    Returns
    -------
    tuple
        Distances, float64 of shape (m,); the candidates' rows, int32 of shape (m,).
    """
    m, d = rows.shape
    distance = np.empty(m)
    row = np.empty(m, dtype=np.int32)
    for i in range(m):
        shortest = math.inf
        row[i] = candidates[i, 0]
        for c in candidates[i]:
            total = 0.0
            for j in range(d):
                total += abs(rows[i, j] - train[c, j])
            if total < shortest:
                shortest = total
                row[i] = c
        distance[i] = shortest
    return distance, row


@njit(cache=True, nogil=True)
def fewest_changes(
    rows: FloatArray, train: FloatArray, candidates: Rows
) -> tuple[FloatArray, Rows]:
    """Find the candidate that differs in the fewest columns.

    Parameters and returns are those of `nearest_city`; a distance is a count.
    """
    m, d = rows.shape
    distance = np.empty(m)
    row = np.empty(m, dtype=np.int32)
    for i in range(m):
        fewest = d + 1
        row[i] = candidates[i, 0]
        for c in candidates[i]:
            total = 0
            for j in range(d):
                if rows[i, j] != train[c, j]:
                    total += 1
            if total < fewest:
                fewest = total
                row[i] = c
        distance[i] = fewest
    return distance, row


@njit(cache=True, nogil=True)
def nearest_few(
    rows: FloatArray, train: FloatArray, candidates: Rows, few: int
) -> tuple[FloatArray, Rows]:
    """Find the `few` nearest candidates by the sum of absolute differences.

    Parameters
    ----------
    rows, train, candidates
        As in `nearest_city`.
    few : int
        At most the number of candidates.

    Returns
    -------
    tuple
        Distance to the last of them, float64 of shape (m,); their rows, int32 of shape
        (m, few), of equally distant ones the first candidate first.
    """
    m, d = rows.shape
    last = np.empty(m)
    found = np.empty((m, few), dtype=np.int32)
    far = np.empty(few)
    for i in range(m):
        far[:] = math.inf
        found[i] = candidates[i, 0]
        for c in candidates[i]:
            total = 0.0
            for j in range(d):
                total += abs(rows[i, j] - train[c, j])
            if total >= far[few - 1]:
                continue
            place = few - 1
            while place > 0 and far[place - 1] > total:
                far[place] = far[place - 1]
                found[i, place] = found[i, place - 1]
                place -= 1
            far[place] = total
            found[i, place] = c
        last[i] = far[few - 1]
    return last, found


@njit(cache=True, nogil=True)
def mean_at(values: FloatArray, rows: Rows) -> FloatArray:
    """Return the mean of ``values[rows]`` along the second axis of `rows`."""
    mean = np.empty(rows.shape[0])
    for i in range(rows.shape[0]):
        total = 0.0
        for c in rows[i]:
            total += values[c]
        mean[i] = total / rows.shape[1]
    return mean
