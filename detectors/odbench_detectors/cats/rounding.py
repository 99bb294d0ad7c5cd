"""Round values before comparing them, so that rounding errors do not break ties."""

from __future__ import annotations

from typing import Any

from odbench_detectors.shared.kernels import helper

# A power of 2 plus 1, which keeps 24 of the 53 bits of a float64.
_SPLIT = 2.0**29 + 1.0


def rounded(x: Any) -> Any:
    """Round to 24 bits, by Veltkamp's splitting.

    On estimated scales, equal distances differ by 1e-16 of the *values*, so by up to
    1e-10 of the distance. A precision of 24 bits, 6e-8, is far above that and far below
    the differences between distinct rows. It is relative, not absolute, because a
    column's values may be concentrated in a tiny part of its range.

    Parameters
    ----------
    x : float or float64 array of any shape
        Magnitudes below 1e299.

    Returns
    -------
    float or float64 array
        Of the shape of `x`.
    """
    high = x * _SPLIT
    return high - (high - x)


# For kernels, which round single values. NumPy rounds arrays with the same bits.
rounded_value = helper()(rounded)
