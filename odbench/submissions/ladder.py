"""The Ladder: what a resubmission may learn from an evaluation.

Somebody who may evaluate again and again learns the hidden labels from the numbers
that come back. The Ladder gives a new number only for a real improvement, and the old
one otherwise, so that the answers carry little and their number is bounded by the
room that is left above the first one.

A. Blum and M. Hardt, "The Ladder: a reliable leaderboard for machine learning
competitions", ICML 2015, algorithm 1. There the risk falls; here the value rises.
"""

from __future__ import annotations

from odbench.errors import UsageError


def climbs(value: float, released: float | None, *, step: float) -> bool:
    """Whether a new value may be released in place of the old one.

    Algorithm 1 of Blum and Hardt: release when ``R_S(f_t) < R_{t-1} - eta``; with
    values that are better when higher, when ``value > released + step``.

    Parameters
    ----------
    value : float
        The exact value of the resubmission; higher is better.
    released : float or None
        The rounded value that was last released; None where there was none yet.
    step : float
        By how much a value must be better, above 0; at least the rounding's unit.

    Returns
    -------
    bool

    Raises
    ------
    UsageError
        If the step is not above 0.

    Examples
    --------
    >>> climbs(0.849, 0.845, step=0.005), climbs(0.851, 0.845, step=0.005)
    (False, True)
    """
    if not step > 0:
        msg = f"ladder: step {step}; wanted a number above 0, such as 0.005"
        raise UsageError(msg)
    return released is None or value > released + step
