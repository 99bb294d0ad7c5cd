"""Gaussian copulas; anomalies are in the tails, or lose their dependence.

Priors and outlier laws after those described for OutFormer (arXiv:2602.03018).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from odbench.arrays import BoolArray, FloatArray
from odbench.synbench import linear, portable
from odbench.synbench.copula import Copula, draw_copula
from odbench.synbench.stream import Stream
from odbench.synbench.v2.law import MixedRatio, Rows, at_least_one, log_sum_exp

# The largest number of blocks that can lose their dependence.
MOST_BLOCKS = 4
# Range of the share of independent noise in the columns, relative to the rest.
RIDGES = (1e-3, 0.5)
# Tail probabilities are at least this when they become values.
_SMALLEST_TAIL = 1e-15
_ROUNDING = 1e-12
# Log of a density of 0.
_NEVER = -700.0


@dataclass(frozen=True, kw_only=True)
class PushedTails:
    """Innovations of an anomaly are pushed into their tails.

    Normal values are z = L e with independent innovations e. With t uniform the
    two-sided tail probability of an innovation, a pushed one has s t^p instead, with
    s = exp(-strength) and p = 1 + strength / (1 + strength). Its density relative to an
    inlier's is (t / s)^(1 / p - 1) / (p s) up to s, and 0 beyond.

    Attributes
    ----------
    copula : Copula
    share : float
        Probability that an innovation is pushed; in an anomaly at least one is.
    parameters : dict
    """

    copula: Copula
    share: float
    parameters: dict[str, Any] = field(repr=False)
    strengths: ClassVar[tuple[float, float]] = (2e-3, 8.0)

    @property
    def resolution(self) -> FloatArray:
        """See `Law`."""
        return conditional_deviations(self.copula)

    def inliers(self, stream: Stream, n: int) -> Rows:
        """See `Law`. The second array is the log of the tail probabilities."""
        d = len(self.copula.lower)
        return self._rows(portable.log(stream.uniform(d, n)), _signs(stream, d, n))

    def plan(self, stream: Stream, n: int) -> Rows:
        """See `Law`."""
        d = len(self.copula.lower)
        pushed = at_least_one(stream, d, n, self.share).astype(np.float64)
        return portable.log(stream.uniform(d, n)), _signs(stream, d, n), pushed

    def anomalies(self, plan: Rows, strength: float) -> Rows:
        """See `Law`."""
        log_tail, sign, pushed = plan
        power = 1.0 + strength / (1.0 + strength)
        tail = np.where(pushed > 0.0, power * log_tail - strength, log_tail)
        return self._rows(tail, sign)

    def _rows(self, log_tail: FloatArray, sign: FloatArray) -> Rows:
        tail = np.maximum(portable.exp(log_tail), _SMALLEST_TAIL)
        innovation = sign * portable.normal_quantile(0.5 * tail)
        return linear.multiply(self.copula.lower, innovation), log_tail

    def score(self, rows: Rows, strength: float) -> FloatArray:
        """Sum the innovations' log likelihood ratios; see `Law`."""
        power = 1.0 + strength / (1.0 + strength)
        log_power = float(portable.log(power))
        mixed = MixedRatio(self.share, rows[1].shape[1])
        for log_tail in rows[1]:
            # Rounding must not put a pushed value beyond s.
            inside = log_tail + strength < _ROUNDING
            ratio = (1.0 / power - 1.0) * (log_tail + strength) - log_power + strength
            mixed.add(np.where(inside, ratio, _NEVER))
        return mixed.total()

    def shown(self, base: FloatArray) -> FloatArray:
        """See `Law`."""
        return self.copula.values(base)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some columns, and their normal law given all others.

    Attributes
    ----------
    columns : bool array of shape (d,)
        k of them are True.
    slope : float64 array of shape (k, d - k)
        The mean is slope times the other columns.
    covariance : float64 array of shape (k, k)
    root : float64 array of shape (k, k)
        Upper triangular; root^T root is the inverse of the covariance.
    log_root : float
        Log of the root's determinant.
    """

    columns: BoolArray
    slope: FloatArray
    covariance: FloatArray
    root: FloatArray
    log_root: float


@dataclass(frozen=True, kw_only=True)
class BrokenBlocks:
    """In one block of an anomaly's columns, values are mixed with independent ones.

    Normal values z of the block become sqrt(1 - w^2) z + w e, w the strength, e
    independent and standard normal: marginals stay, dependence weakens.

    Attributes
    ----------
    copula : Copula
    blocks : tuple of Block
        An anomaly has one of them, all equally likely.
    parameters : dict
    """

    copula: Copula
    blocks: tuple[Block, ...]
    parameters: dict[str, Any] = field(repr=False)
    strengths: ClassVar[tuple[float, float]] = (5e-3, 0.99)

    @property
    def resolution(self) -> FloatArray:
        """See `Law`."""
        return conditional_deviations(self.copula)

    def inliers(self, stream: Stream, n: int) -> Rows:
        """See `Law`. The second array has each block's mean given the other columns."""
        return self._rows(self.copula.sample_normal(stream, n))

    def plan(self, stream: Stream, n: int) -> Rows:
        """See `Law`."""
        z = self.copula.sample_normal(stream, n)
        which = stream.integers(0, len(self.blocks) - 1, n)
        inside = np.array([part.columns for part in self.blocks])[which]
        block = np.ascontiguousarray(inside.T).astype(np.float64)
        return z, stream.normal(*z.shape), block

    def anomalies(self, plan: Rows, strength: float) -> Rows:
        """See `Law`."""
        z, other, block = plan
        mixed = np.sqrt(1.0 - strength * strength) * z + strength * other
        return self._rows(np.where(block > 0.0, mixed, z))

    def _rows(self, z: FloatArray) -> Rows:
        """Add the means of the blocks, and the squared distances from them."""
        means, distances = [], []
        for part in self.blocks:
            mean = linear.multiply(part.slope, z[~part.columns])
            pull = linear.multiply(part.root, z[part.columns] - mean)
            means.append(mean)
            distances.append(linear.sum_of_squares(pull))
        return z, np.concatenate(means), np.array(distances)

    def score(self, rows: Rows, strength: float) -> FloatArray:
        """Return the log of the mean over blocks of the likelihood ratio; see `Law`.

        For inliers a block is normal with mean m and covariance S given the other
        columns; for anomalies with sqrt(1 - w^2) m and (1 - w^2) S + w^2 I.
        """
        z, means, distances = rows
        c, ratios, start = np.sqrt(1.0 - strength * strength), [], 0
        for part, distance in zip(self.blocks, distances, strict=True):
            mean = means[start : start + len(part.slope)]
            start += len(mean)
            broken = c * c * part.covariance
            broken[np.diag_indices(len(broken))] += strength * strength
            lower = linear.cholesky(broken)
            far = linear.solve_lower(lower, z[part.columns] - c * mean)
            volume = _log_product(np.diagonal(lower)) + part.log_root
            ratios.append(0.5 * (distance - linear.sum_of_squares(far)) - volume)
        return log_sum_exp(ratios)

    def shown(self, base: FloatArray) -> FloatArray:
        """See `Law`."""
        return self.copula.values(base)


def conditional_deviations(copula: Copula) -> FloatArray:
    """Return each normal value's standard deviation given all others; shape (d,)."""
    deviations: FloatArray = 1.0 / np.sqrt(np.diagonal(precision_of(copula)))
    return deviations


def precision_of(copula: Copula) -> FloatArray:
    """Return the inverse of the correlation matrix."""
    inverse = linear.solve_lower(copula.lower, np.eye(len(copula.lower)))
    return linear.multiply(np.ascontiguousarray(inverse.T), inverse)


def _draw_correlated(stream: Stream, d: int) -> tuple[Copula, dict[str, Any]]:
    """Draw a copula whose dependence is strong or weak."""
    ridge = float(portable.exp(stream.between(*portable.log(list(RIDGES)), 1))[0])
    n_factors = stream.integer(max(1, d // 2), d)
    copula, parameters = draw_copula(stream, d, n_factors=n_factors, ridge=ridge)
    return copula, parameters | {"ridge": ridge}


def draw_probabilistic(stream: Stream, d: int) -> PushedTails:
    """Draw the law of ``copula-probabilistic`` for d columns."""
    copula, parameters = _draw_correlated(stream, d)
    share = stream.number(0.02, 0.2)
    parameters["push_probability"] = share
    return PushedTails(copula=copula, share=share, parameters=parameters)


def draw_dependence(stream: Stream, d: int) -> BrokenBlocks:
    """Draw the law of ``copula-dependence`` for d columns."""
    copula, parameters = _draw_correlated(stream, d)
    n_blocks = stream.integer(1, MOST_BLOCKS)
    smallest = 1 + d // 3
    sizes = stream.integers(smallest, max(smallest, 2 * d // 3), n_blocks)
    chosen = np.ascontiguousarray(stream.subsets(d, sizes).T)
    precision = precision_of(copula)
    parameters["blocks"] = [np.flatnonzero(columns).tolist() for columns in chosen]
    blocks = tuple(_block(precision, columns) for columns in chosen)
    return BrokenBlocks(copula=copula, blocks=blocks, parameters=parameters)


def _block(precision: FloatArray, columns: BoolArray) -> Block:
    """Return the law of some columns given the others, from the precision matrix."""
    lower = linear.cholesky(np.ascontiguousarray(precision[columns][:, columns]))
    inverse = linear.solve_lower(lower, np.eye(len(lower)))
    covariance = linear.multiply(np.ascontiguousarray(inverse.T), inverse)
    beside = np.ascontiguousarray(precision[columns][:, ~columns])
    return Block(
        columns=columns,
        slope=-linear.multiply(covariance, beside),
        covariance=covariance,
        root=np.ascontiguousarray(lower.T),
        log_root=_log_product(np.diagonal(lower)),
    )


def _signs(stream: Stream, *shape: int) -> FloatArray:
    return np.where(stream.uniform(*shape) < 0.5, 1.0, -1.0)


def _log_product(factors: FloatArray) -> float:
    total = 0.0
    for part in portable.log(factors).tolist():
        total += part
    return total
