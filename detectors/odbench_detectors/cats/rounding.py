"""Round what is compared, so that what is equal but for rounding errors is equal."""

from __future__ import annotations

from typing import Any

from numba import njit

# A power of 2 and 1: of the 53 bits of a float64 it leaves 24.
_SPLIT = 2.0**29 + 1.0


@njit(cache=True, nogil=True)
def rounded(x: Any) -> Any:
    """Round to 24 bits, by Veltkamp's splitting.

    Equal distances on measured scales differ by 1e-16 of the *values*, so by up to
    1e-10 of a distance. 24 bits, or 6e-8 of it, are far above that, and far below what
    tells rows apart. A share of the distance and no fixed amount, as a column may crowd
    in a tiny part of its range.

    Parameters
    ----------
    x : float or float64 array of any shape
        Of a magnitude below 1e299.

    Returns
    -------
    float or float64 array
        As `x`.
    """
    high = x * _SPLIT
    return high - (high - x)
