"""Find the rows with the smallest covariance determinant, many candidates at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import BoolArray, FloatArray, IntArray

# The paper's numbers: starts, steps of a start, steps until convergence, candidates
# kept; rows of a part, rows of the merged parts, most rows of a table without parts.
_STARTS, _STARTS_SMALL, _FEW_STEPS, _STEPS, _KEPT = 500, 30, 2, 30, 10
_PART, _MERGED, _SMALL = 300, 1_500, 500
# Values of all candidates that are treated together: few enough for the cache.
_VALUES = 1 << 16
_EPSILON = float(np.finfo(np.float64).eps)
# Up to this condition number, a pseudo-inverse is an inverse.
_REGULAR = 1e10


@dataclass(frozen=True)
class Candidates:
    """Estimates of centre and covariance, each from some of the rows.

    Attributes
    ----------
    centres : float64 array of shape (t, d)
    covariances : float64 array of shape (t, d, d)
    log_dets : float64 array of shape (t,)
        Logs of their determinants.
    rows : int64 array of shape (t, h)
        The rows that the estimates are the moments of.
    precisions : float64 array of shape (t, d, d)
        Pseudo-inverses of the covariances by which the rows were found.
    """

    centres: FloatArray
    covariances: FloatArray
    log_dets: FloatArray
    rows: IntArray
    precisions: FloatArray

    def best(self, number: int) -> Candidates:
        """Return those with the smallest determinants, the smallest first."""
        return self.taken(np.argsort(self.log_dets)[:number])

    def taken(self, which: IntArray | BoolArray | slice) -> Candidates:
        """Return some of the candidates."""
        return Candidates(*(values[which] for values in self.parts()))

    def put(self, which: IntArray | BoolArray | slice, others: Candidates) -> None:
        """Replace some of the candidates."""
        for mine, values in zip(self.parts(), others.parts(), strict=True):
            mine[which] = values

    def parts(self) -> tuple[NDArray[Any], ...]:
        """Return all attributes, in their order."""
        return (
            self.centres,
            self.covariances,
            self.log_dets,
            self.rows,
            self.precisions,
        )


def smallest_determinant(
    X: FloatArray, n_support: int, rng: np.random.RandomState
) -> Candidates:
    """Find rows whose covariance has a small determinant, by FAST-MCD.

    The same steps and random numbers as in scikit-learn's ``fast_mcd``, so the same
    result up to rounding.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        At least two columns.
    n_support : int
        Number of rows to find.
    rng : numpy RandomState
        Draws the starts.

    Returns
    -------
    Candidates
        One candidate.

    References
    ----------
    .. [1] Rousseeuw, Van Driessen, "A fast algorithm for the minimum covariance
       determinant estimator", Technometrics 41, 1999.
    """
    n = len(X)
    if n <= _SMALL:
        found = _from_starts(X, n_support, _STARTS_SMALL, rng)
        return _improved(X, n_support, found, 1)
    found = _from_parts(X, n_support / n, rng)
    merged = rng.permutation(n)[:_MERGED]
    # Where the merged rows are the whole table, their best candidate is the result.
    kept = _KEPT if n > _MERGED else 1
    h = math.ceil(len(merged) * (n_support / n))
    found = _improved(X[merged], h, found, kept)
    if n < _MERGED:
        return replace(found, rows=merged[found.rows])
    return _improved(X, n_support, found, 1)


def _from_parts(X: FloatArray, share: float, rng: np.random.RandomState) -> Candidates:
    """Return the best candidates of random parts of the rows."""
    n_parts = len(X) // _PART
    size = len(X) // n_parts
    shuffled = rng.permutation(len(X))
    starts = max(_KEPT, _STARTS // n_parts)
    found = [
        _from_starts(
            X[shuffled[part * size : (part + 1) * size]],
            math.ceil(size * share),
            starts,
            rng,
        )
        for part in range(n_parts)
    ]
    return _joined(found)


def _from_starts(
    X: FloatArray, h: int, starts: int, rng: np.random.RandomState
) -> Candidates:
    """Take two steps from each of some random subsets; return the best candidates."""
    first = np.array([rng.permutation(len(X))[:h] for _ in range(starts)])
    return _best(
        (_descend(X, first[part], _FEW_STEPS) for part in _portions(X, starts)), _KEPT
    )


def _improved(X: FloatArray, h: int, found: Candidates, kept: int) -> Candidates:
    """Take steps on other rows until each candidate has converged; keep the best."""

    def descend(part: slice) -> Candidates:
        precisions = _precisions(found.covariances[part])
        squares = squared_distances(X, found.centres[part], precisions)
        return _descend(X, _nearest(squares, h), _STEPS)

    return _best(map(descend, _portions(X, len(found.centres))), kept)


def _best(portions: Iterable[Candidates], kept: int) -> Candidates:
    """Return the best of all, without holding all at once."""
    best: list[Candidates] = []
    for one in portions:
        best = [_joined([*best, one]).best(kept)]
    return best[0]


def _joined(found: list[Candidates]) -> Candidates:
    columns = zip(*(one.parts() for one in found), strict=True)
    return Candidates(*(np.concatenate(values) for values in columns))


def _portions(X: FloatArray, number: int) -> Iterator[slice]:
    """Divide candidates into portions that fit into the cache."""
    size = max(1, _VALUES // X.size)
    for start in range(0, number, size):
        yield slice(start, start + size)


def _descend(X: FloatArray, rows: IntArray, steps: int) -> Candidates:
    """Take the nearest rows of each candidate while its determinant falls.

    A candidate whose determinant rises before the last step keeps the one before.
    """
    now = _moments(X, rows)
    flat = np.isinf(now.log_dets)
    now.precisions[flat] = _precisions(now.covariances[flat])
    last = np.full(len(rows), np.inf)
    for left in range(steps - 1, -1, -1):
        moving = np.flatnonzero((now.log_dets < last) & np.isfinite(now.log_dets))
        if not len(moving):
            break
        before = now.taken(moving)
        precisions = _precisions(before.covariances)
        squares = squared_distances(X, before.centres, precisions)
        nearest = _nearest(squares, rows.shape[1])
        after = replace(_moments(X, nearest), precisions=precisions)
        last[moving] = before.log_dets
        now.put(moving, after)
        rises = after.log_dets > before.log_dets
        rises &= ~np.isclose(after.log_dets, before.log_dets)
        if left and rises.any():
            before = replace(before, precisions=precisions)
            now.put(moving[rises], before.taken(rises))
    return now


def _moments(X: FloatArray, rows: IntArray) -> Candidates:
    """Return the moments of sets of rows, with room for the precisions."""
    chosen = X[rows]
    centres = chosen.mean(axis=1)
    chosen -= centres[:, None]
    covariances = chosen.transpose(0, 2, 1) @ chosen / rows.shape[1]
    signs, logs = np.linalg.slogdet(covariances)
    logs = np.where(signs > 0, logs, -np.inf)
    return Candidates(centres, covariances, logs, rows.copy(), covariances.copy())


def _precisions(covariances: FloatArray) -> FloatArray:
    """Return pseudo-inverses, (t, d, d)."""
    try:
        inverses: FloatArray = np.asarray(np.linalg.inv(covariances), np.float64)
    except np.linalg.LinAlgError:
        return _pseudo_inverses(covariances)
    squares = (covariances * covariances).sum(axis=(1, 2))
    # The product of the Frobenius norms is at least the condition number.
    squares *= (inverses * inverses).sum(axis=(1, 2))
    singular = ~(squares < _REGULAR**2)
    if singular.any():
        inverses[singular] = _pseudo_inverses(covariances[singular])
    return inverses


def _pseudo_inverses(covariances: FloatArray) -> FloatArray:
    values, axes = np.linalg.eigh(covariances)
    size = np.abs(values)
    least = size.max(axis=1, keepdims=True) * values.shape[1] * _EPSILON
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=size > least)
    precisions: FloatArray = (axes * inverse[:, None]) @ axes.transpose(0, 2, 1)
    return precisions


def squared_distances(
    X: FloatArray, centres: FloatArray, precisions: FloatArray
) -> FloatArray:
    """Return squared Mahalanobis distances of rows, (n, d), to centres: (t, n)."""
    # Sums over the first of two axes are several times faster than over a short last.
    away = np.ascontiguousarray(X.T) - centres[:, :, None]
    products = precisions @ away
    products *= away
    squares: FloatArray = products.sum(axis=1)
    return squares


def _nearest(squares: FloatArray, h: int) -> IntArray:
    """Return the h rows nearest to each candidate, (t, h), in no order."""
    nearest: IntArray = np.argpartition(squares, h - 1, axis=1)[:, :h]
    return nearest
