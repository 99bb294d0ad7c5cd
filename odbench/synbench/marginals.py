"""Marginal distributions, and the exact map from normal values to their values.

A law is given by its density in a coordinate t in which it is smooth. The cumulative
distribution is integrated by Gauss-Legendre quadrature on a grid of t, from both ends,
so that both tails keep their relative precision. Between the nodes, the map from
z = Phi^-1(F(x(t))) to t is a cubic through values and exact slopes. This needs no
normal distribution function and no special function, and it inverts mixtures exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from odbench.arrays import FloatArray
from odbench.synbench import portable

FAMILIES = ("normal", "beta", "exponential", "student", "normals", "betas")

_BINS = 2048
# No value is drawn beyond this many standard deviations: the streams' words reach 8.2.
_REACH = 8.3
# Log of the smallest tail that the grid must include: Phi(-8.3) is 5e-17.
_LOG_TAIL = 38.0
_ROOT = float(np.sqrt(0.6))
_NODES = ((-_ROOT, 5.0 / 18.0), (0.0, 8.0 / 18.0), (_ROOT, 5.0 / 18.0))
_PER_ROOT_TWO_PI = 0.3989422804014327

Density = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileMap:
    """The map from standard normal values to values of one law.

    Attributes
    ----------
    z : float64 array of shape (n_nodes,)
        Ascending standard normal values.
    t : float64 array of shape (n_nodes,)
        The law's coordinate at the nodes.
    slope : float64 array of shape (n_nodes,)
        dt/dz at the nodes.
    value : callable
        From the coordinate to the value.
    location, scale : float
        The column holds location + scale * value.
    """

    z: FloatArray
    t: FloatArray
    slope: FloatArray
    value: Density
    location: float = 0.0
    scale: float = 1.0

    def __call__(self, z: FloatArray) -> FloatArray:
        """Return F^-1(Phi(z)).

        Parameters
        ----------
        z : float64 array of shape (n,)
            Clipped to the range of the nodes, at least [-8.2, 8.2].

        Returns
        -------
        float64 array of shape (n,)
            Values x with abs(F(x) - Phi(z)) below 1e-8.
        """
        z = np.minimum(np.maximum(z, self.z[0]), self.z[-1])
        left = np.minimum(np.searchsorted(self.z, z, side="right"), len(self.z) - 1) - 1
        width = (self.z[1:] - self.z[:-1])[left]
        s = (z - self.z[left]) / width
        rest = 1.0 - s
        rise = (self.t[1:] - self.t[:-1])[left]
        bend = self.slope[left] * width * rest - self.slope[left + 1] * width * s
        # The Hermite cubic: smooth step along the chord, then the terms of the slopes.
        t = self.t[left] + rise * (s * s * (3.0 - 2.0 * s)) + s * rest * bend
        return self.location + self.scale * self.value(t)

    def moved(self, location: float, scale: float) -> QuantileMap:
        """Return the map of location + scale * x."""
        return replace(self, location=location, scale=scale)


def tabulate(density: Density, value: Density, low: float, high: float) -> QuantileMap:
    """Build the map of a law.

    Parameters
    ----------
    density : callable
        Density of the coordinate; positive, not necessarily normalised.
    value : callable
        From coordinate to value, ascending.
    low, high : float
        Range of the coordinate, which leaves out about 1e-17 of the mass at each end.

    Returns
    -------
    QuantileMap
        Without nodes where z is beyond 8.3.
    """
    t = _grid(low, high)
    mass = bin_masses(density, t)
    below, above = _running_sum(mass), _running_sum(mass[::-1])[::-1]
    total = below[-1]
    inner = slice(1, -1)
    tail = np.minimum(below, above)[inner] / total
    z = portable.normal_quantile(np.minimum(np.maximum(tail, 1e-300), 0.5))
    z = np.where(below[inner] < above[inner], z, -z)
    t = t[inner]
    normal = _PER_ROOT_TWO_PI * portable.exp(-0.5 * z * z)
    slope = normal * total / density(t)
    kept = (np.abs(z) <= _REACH) & np.concatenate(([True], z[1:] > z[:-1]))
    return QuantileMap(z=z[kept], t=t[kept], slope=slope[kept], value=value)


def bin_masses(density: Density, t: FloatArray) -> FloatArray:
    """Integrate a density over each bin of a grid: Gauss-Legendre with three nodes.

    Parameters
    ----------
    density : callable
    t : float64 array of shape (n_bins + 1,)

    Returns
    -------
    float64 array of shape (n_bins,)
    """
    half = 0.5 * (t[1:] - t[:-1])
    middle = t[:-1] + half
    mass = np.zeros_like(half)
    for node, weight in _NODES:
        mass += (2.0 * weight) * half * density(middle + node * half)
    return mass


def _grid(low: float, high: float) -> FloatArray:
    """Return the edges of equal bins."""
    out: FloatArray = low + (high - low) / _BINS * np.arange(
        _BINS + 1, dtype=np.float64
    )
    return out


def _running_sum(mass: FloatArray) -> FloatArray:
    """Return cumulative sums from the left, starting with 0."""
    out = np.zeros(len(mass) + 1)
    total = 0.0
    for i, part in enumerate(mass.tolist(), start=1):
        total += part
        out[i] = total
    return out


def identity(t: FloatArray) -> FloatArray:
    """Return t."""
    return t


def logistic(t: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-t))."""
    return 1.0 / (1.0 + portable.exp(-t))


def normal_map(mean: float, sd: float) -> QuantileMap:
    """Return the map of a normal law: a straight line."""
    ends = np.array([-_REACH, _REACH])
    line = QuantileMap(z=ends, t=ends, slope=np.ones(2), value=identity)
    return line.moved(mean, sd)


def exponential_map() -> QuantileMap:
    """Return the map of the exponential law with rate 1, in t = log x."""

    def density(t: FloatArray) -> FloatArray:
        return portable.exp(t - portable.exp(t))

    return tabulate(density, portable.exp, -_LOG_TAIL, 3.8)


def student_map(df: int) -> QuantileMap:
    """Return the map of Student's t, in x = sinh(t)."""

    def sinh(t: FloatArray) -> FloatArray:
        return 0.5 * (portable.exp(t) - portable.exp(-t))

    def density(t: FloatArray) -> FloatArray:
        x = sinh(t)
        power = -0.5 * (df + 1) * portable.log(1.0 + x * x / df)
        return portable.exp(power) * np.sqrt(1.0 + x * x)

    # The tail falls like exp(-df t), times at most (4 df)^(df / 2).
    reach = (_LOG_TAIL + 0.5 * df * 4.0) / df
    return tabulate(density, sinh, -reach, reach)


def chi_square_map(df: int) -> QuantileMap:
    """Return the map of the chi-square law, in t = log x."""
    peak = 0.5 * df

    def density(t: FloatArray) -> FloatArray:
        x = peak * portable.exp(t)
        return portable.exp(peak * t - x + peak)

    def value(t: FloatArray) -> FloatArray:
        return 2.0 * peak * portable.exp(t)

    # In t the law is at least as narrow as a normal one with variance 2 / df on the
    # right; on the left it falls like exp(t df / 2).
    low = -(_LOG_TAIL + 2.0) / peak - 1.0 if df < 20 else -40.0 / np.sqrt(df)
    high = 12.0 / np.sqrt(df) + (2.0 if df < 20 else 0.0)
    return tabulate(density, value, float(low), float(high))


def beta_density(a: float, b: float) -> Density:
    """Return the density of a beta law's logit, up to a factor."""
    # Divided by its peak, which avoids powers of small numbers.
    offset = a * np.float64(_log(a / (a + b))) + b * np.float64(_log(b / (a + b)))

    def density(t: FloatArray) -> FloatArray:
        # log(1 + exp(-|t|)) gives both log x and log(1 - x).
        soft = portable.log(1.0 + portable.exp(-np.abs(t)))
        log_x = np.minimum(t, 0.0) - soft
        log_rest = np.minimum(-t, 0.0) - soft
        return portable.exp(a * log_x + b * log_rest - offset)

    return density


def betas_map(laws: Sequence[Sequence[float]]) -> QuantileMap:
    """Return the map of a mixture of betas, in the logit of x.

    Parameters
    ----------
    laws : sequence of (weight, a, b)
        Weights add up to 1.
    """
    low = -max(_LOG_TAIL / a for _, a, _ in laws) - 3.0
    high = max(_LOG_TAIL / b for _, _, b in laws) + 3.0
    grid = _grid(low, high)
    parts = []
    for weight, a, b in laws:
        density = beta_density(a, b)
        total = float(_running_sum(bin_masses(density, grid))[-1])
        parts.append((weight / total, density))
    return tabulate(_mixture(parts), logistic, low, high)


def normals_map(laws: Sequence[Sequence[float]]) -> QuantileMap:
    """Return the map of a mixture of normals; its coordinate is x.

    Parameters
    ----------
    laws : sequence of (weight, mean, standard deviation)
        Weights add up to 1.
    """

    def component(mean: float, sd: float) -> Density:
        def density(t: FloatArray) -> FloatArray:
            z = (t - mean) / sd
            return portable.exp(-0.5 * z * z)

        return density

    parts = [(weight / sd, component(mean, sd)) for weight, mean, sd in laws]
    low = min(mean - 9.0 * sd for _, mean, sd in laws)
    high = max(mean + 9.0 * sd for _, mean, sd in laws)
    return tabulate(_mixture(parts), identity, low, high)


def _mixture(parts: list[tuple[float, Density]]) -> Density:
    def density(t: FloatArray) -> FloatArray:
        total = np.zeros_like(t)
        for weight, part in parts:
            total += weight * part(t)
        return total

    return density


def _log(x: float) -> float:
    return float(portable.log(x))
