"""Gaussian copula with mixed marginals; outliers in the tails or in the dependence.

Priors and outlier laws as described for OutFormer (arXiv:2602.03018), with a signed
factor for the correlation matrix and the true inverse of every marginal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.synbench import linear, portable
from odbench.synbench.columns import draw_column
from odbench.synbench.draw import Draw, Sizes
from odbench.synbench.marginals import QuantileMap
from odbench.synbench.stream import Stream

RIDGE = 1e-6
# Stands for the logarithm of 0.
_NEVER = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class Copula:
    """A law of correlated columns.

    Attributes
    ----------
    correlation, lower : float64 arrays of shape (d, d)
        Correlation of the columns' normal values, and its Cholesky factor.
    columns : tuple of callables
        Map a column's normal values to its values.
    """

    correlation: FloatArray
    lower: FloatArray
    columns: tuple[QuantileMap, ...]

    def sample_normal(self, stream: Stream, n: int) -> FloatArray:
        """Draw correlated standard normal values of shape (d, n)."""
        return linear.multiply(self.lower, stream.normal(len(self.lower), n))

    def values(self, z: FloatArray) -> FloatArray:
        """Return the columns' values for normal values; both of shape (d, n)."""
        return np.stack([to(row) for to, row in zip(self.columns, z, strict=True)])


def draw_probabilistic(stream: Stream, sizes: Sizes) -> Draw:
    """Draw a set of the archetype ``copula-probabilistic``.

    Some dimensions of an outlier are pushed into a tail: u = s v / 2 or 1 - s v / 2.

    Parameters
    ----------
    stream : Stream
    sizes : Sizes

    Returns
    -------
    Draw
        The oracle is `tail_score`.
    """
    copula, parameters = draw_copula(stream, sizes.n_columns)
    d, n = sizes.n_columns, sizes.n_anomalies
    strength = stream.number(0.2, 0.4)
    fewest = max(1, -(-d // 50))
    most = max(fewest, d // 5)
    inliers = copula.sample_normal(stream, sizes.n_inliers)
    outliers = copula.sample_normal(stream, n)
    pushed = stream.subsets(d, stream.integers(fewest, most, n))
    tail = portable.normal_quantile(0.5 * strength * stream.uniform(d, n))
    sign = np.where(stream.uniform(d, n) < 0.5, 1.0, -1.0)
    outliers = np.where(pushed, sign * tail, outliers)

    def score(z: FloatArray) -> FloatArray:
        return tail_score(copula, z, strength)

    extra = {"strength": strength, "fewest_pushed": fewest, "most_pushed": most}
    return _finish(copula, sizes, (inliers, outliers), score, parameters | extra)


def draw_dependence(stream: Stream, sizes: Sizes) -> Draw:
    """Draw a set of the archetype ``copula-dependence``.

    In a block of an outlier's dimensions the normal values become
    sqrt(1 - w^2) z + w e', e' independent: marginals stay, dependence breaks.

    Parameters
    ----------
    stream : Stream
    sizes : Sizes

    Returns
    -------
    Draw
        The oracle is `dependence_score`.
    """
    copula, parameters = draw_copula(stream, sizes.n_columns)
    d, n = sizes.n_columns, sizes.n_anomalies
    smallest = 1 + d // 3
    largest = max(smallest, 2 * d // 3)
    inliers = copula.sample_normal(stream, sizes.n_inliers)
    outliers = copula.sample_normal(stream, n)
    block = stream.subsets(d, stream.integers(smallest, largest, n))
    w = stream.between(0.97, 0.99, n)
    mixed = np.sqrt(1.0 - w * w) * outliers + w * stream.normal(d, n)
    outliers = np.where(block, mixed, outliers)

    def score(z: FloatArray) -> FloatArray:
        return dependence_score(copula, z)

    extra = {"smallest_block": smallest, "largest_block": largest}
    return _finish(copula, sizes, (inliers, outliers), score, parameters | extra)


def draw_copula(
    stream: Stream, d: int, *, n_factors: int | None = None, ridge: float = RIDGE
) -> tuple[Copula, dict[str, Any]]:
    """Draw the law of inliers.

    Parameters
    ----------
    stream : Stream
    d : int
        Number of columns.
    n_factors : int, optional
        Columns of the factor; d by default. Fewer make the dependence stronger.
    ridge : float
        See `linear.correlation`.

    Returns
    -------
    tuple of Copula and dict
        The law and its parameters.
    """
    factor = stream.normal(d, d if n_factors is None else n_factors)
    correlation = linear.correlation(factor, ridge)
    drawn = [draw_column(stream) for _ in range(d)]
    copula = Copula(
        correlation=correlation,
        lower=linear.cholesky(correlation),
        columns=tuple(column for column, _ in drawn),
    )
    return copula, {
        "factor": factor.tolist(),
        "marginals": [parameters for _, parameters in drawn],
    }


def tail_score(copula: Copula, z: FloatArray, strength: float) -> FloatArray:
    """Score each column's "pushed into a tail" against its law given the others.

    The score is the log of the sum over j of t(z_j) / p(z_j | the other z): t is the
    density of a pushed value, p the inliers' conditional density. Where outliers
    have one pushed column, this is the likelihood ratio, which is optimal.

    Parameters
    ----------
    copula : Copula
    z : float64 array of shape (d, n)
        Normal values.
    strength : float
        Total mass of the two tails.

    Returns
    -------
    float64 array of shape (n,)
        Higher is more anomalous; the lowest value where no column is in a tail.
    """
    inverse = linear.solve_lower(copula.lower, np.eye(len(z)))
    precision = linear.multiply(np.ascontiguousarray(inverse.T), inverse)
    peak = np.diagonal(precision)[:, None]
    surprise = linear.multiply(precision, z)
    # log t(z) - log p(z | others), without the normal density's constant.
    weight = surprise * surprise / peak - z * z
    weight -= portable.log(peak)
    weight *= 0.5
    weight -= portable.log(strength)
    edge = portable.normal_quantile(0.5 * strength)
    weight = np.where(np.abs(z) > -edge, weight, -_NEVER)
    top: FloatArray = weight.max(axis=0)
    total = np.zeros(z.shape[1])
    for row in weight:
        total += portable.exp(row - top)
    top += portable.log(total)
    return top


def dependence_score(copula: Copula, z: FloatArray) -> FloatArray:
    """Return z^T R^-1 z - z^T z: minus twice the log of the copula's density.

    Parameters
    ----------
    copula : Copula
    z : float64 array of shape (d, n)
        Normal values.

    Returns
    -------
    float64 array of shape (n,)
        Up to a constant; higher is more anomalous.
    """
    whitened = linear.solve_lower(copula.lower, z)
    return linear.sum_of_squares(whitened) - linear.sum_of_squares(z)


def _finish(
    copula: Copula,
    sizes: Sizes,
    z: tuple[FloatArray, FloatArray],
    score: Callable[[FloatArray], FloatArray],
    parameters: dict[str, Any],
) -> Draw:
    """Convert the normal values of inliers and outliers to columns, and score them."""
    inliers, outliers = z
    values = copula.values(inliers)
    return Draw(
        train=values[:, : sizes.n_train],
        inliers=values[:, sizes.n_train :],
        anomalies=copula.values(outliers),
        inlier_scores=score(inliers[:, sizes.n_train :]),
        anomaly_scores=score(outliers),
        parameters=parameters,
        law=copula,
    )
