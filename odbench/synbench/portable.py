"""Elementary functions that give the same bits on every machine.

The exponential, the logarithm and functions based on them differ in the last bit
between C libraries and between the vector kernels that NumPy selects for a processor.
Here they consist of IEEE 754 additions, multiplications, divisions and square roots in
a fixed order, one NumPy operation each, so that no compiler can fuse or reorder them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from odbench.arrays import FloatArray

# Values per block, so that a function's temporary arrays stay in the cache.
_BLOCK = 8192

# log 2 in two parts; the first has 20 trailing zero bits, so that its product with
# an exponent is exact.
_LOG2_HIGH = float.fromhex("0x1.62e42feep-1")
_LOG2_LOW = 1.9082149292705877e-10
_PER_LOG2 = 1.4426950408889634
_EXP_LIMIT = 700.0
_EXP_TERMS = 13
_LOG_TERMS = 11
_SQRT2 = 1.4142135623730951
_MANTISSA = np.int64((1 << 52) - 1)
_ONE = np.int64(1023 << 52)

# Wichura (1988), algorithm AS 241, PPND16: numerators and denominators of the three
# rational approximations to the normal quantile, constant term first.
_CENTRE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3),
)  # fmt: skip
_TAIL = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
     6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
     5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR_TAIL = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
     1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
     1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def exp(x: ArrayLike) -> FloatArray:
    """Return e to the power x.

    Parameters
    ----------
    x : array of float64
        Clipped to [-700, 700], where results neither overflow nor become subnormal.

    Returns
    -------
    float64 array of the same shape
        Relative error below 1e-15.
    """
    return _in_blocks(_exp, x)


def log(x: ArrayLike) -> FloatArray:
    """Return the natural logarithm.

    Parameters
    ----------
    x : array of float64
        Positive, finite and not subnormal.

    Returns
    -------
    float64 array of the same shape
        Relative error below 1e-15.
    """
    return _in_blocks(_log, x)


def tanh(x: ArrayLike) -> FloatArray:
    """Return the hyperbolic tangent; absolute error below 1e-15."""
    return _in_blocks(_tanh, x)


def elu(x: ArrayLike) -> FloatArray:
    """Return x where it is positive and exp(x) - 1 elsewhere.

    Absolute error below 1e-15 times the larger of 1 and x.
    """
    return _in_blocks(_elu, x)


def normal_quantile(u: ArrayLike) -> FloatArray:
    """Return the standard normal quantile: Wichura's algorithm AS 241, PPND16.

    Parameters
    ----------
    u : array of float64
        Probabilities, above 0 and below 1.

    Returns
    -------
    float64 array of the same shape
        Relative error below 1e-14.
    """
    return _in_blocks(_normal_quantile, u)


def _in_blocks(
    function: Callable[[FloatArray], FloatArray], x: ArrayLike
) -> FloatArray:
    values = np.asarray(x, dtype=np.float64)
    flat = values.reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        out[start : start + _BLOCK] = function(flat[start : start + _BLOCK])
    return out.reshape(values.shape)


def _horner(x: FloatArray, coefficients: tuple[float, ...]) -> FloatArray:
    """Evaluate a polynomial of two coefficients or more, the constant term first."""
    total = coefficients[-1] * x
    total += coefficients[-2]
    for coefficient in reversed(coefficients[:-2]):
        total *= x
        total += coefficient
    return total


def _inverse_factorials(terms: int) -> tuple[float, ...]:
    factorial, out = 1, [1.0]
    for k in range(1, terms + 1):
        factorial *= k
        out.append(1.0 / factorial)
    return tuple(out)


_EXP_SERIES = _inverse_factorials(_EXP_TERMS)
_LOG_SERIES = tuple(1.0 / (2 * k + 1) for k in range(_LOG_TERMS))


def _exp(x: FloatArray) -> FloatArray:
    """Split off a power of two, then sum the Taylor series on |r| <= log(2) / 2."""
    x = np.minimum(np.maximum(x, -_EXP_LIMIT), _EXP_LIMIT)
    power = np.rint(x * _PER_LOG2)
    rest = (x - power * _LOG2_HIGH) - power * _LOG2_LOW
    total = _horner(rest, _EXP_SERIES)
    total *= ((power.astype(np.int64) + 1023) << 52).view(np.float64)
    return total


def _log(x: FloatArray) -> FloatArray:
    """Split off a power of two; on [sqrt(1/2), sqrt(2)] sum the series of artanh."""
    bits = np.ascontiguousarray(x).view(np.int64)
    mantissa = ((bits & _MANTISSA) | _ONE).view(np.float64)
    power = ((bits >> 52) - 1023).astype(np.float64)
    large = mantissa > _SQRT2
    # Halving is exact, and so is adding 0 or 1.
    mantissa *= np.where(large, 0.5, 1.0)
    power += large
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    series = _horner(ratio * ratio, _LOG_SERIES)
    series *= ratio
    series *= 2.0
    series += power * _LOG2_LOW
    series += power * _LOG2_HIGH
    return series


def _tanh(x: FloatArray) -> FloatArray:
    size = 1.0 - 2.0 / (_exp(2.0 * np.abs(x)) + 1.0)
    return np.copysign(size, x)


def _elu(x: FloatArray) -> FloatArray:
    return np.where(x > 0.0, x, _exp(np.minimum(x, 0.0)) - 1.0)


def _normal_quantile(u: FloatArray) -> FloatArray:
    q = u - 0.5
    centre = 0.180625 - q * q
    out = q * _ratio(centre, _CENTRE)
    outside = np.flatnonzero(centre < 0.0)
    if outside.size:
        p, upper = u[outside], q[outside] > 0.0
        r = np.sqrt(-_log(np.where(upper, 1.0 - p, p)))
        z = np.where(r <= 5.0, _ratio(r - 1.6, _TAIL), _ratio(r - 5.0, _FAR_TAIL))
        out[outside] = np.where(upper, z, -z)
    return out


def _ratio(
    x: FloatArray, pair: tuple[tuple[float, ...], tuple[float, ...]]
) -> FloatArray:
    return _horner(x, pair[0]) / _horner(x, pair[1])
