"""The Ladder: a limit on what repeated submissions reveal about hidden labels.

Anyone who can evaluate without limit can infer hidden labels from the returned numbers.
The Ladder returns a new number only for a real improvement, and the old one otherwise.
Each answer then reveals little, and the number of distinct answers is bounded by the
number of steps between the first value and the best possible one.

A. Blum and M. Hardt, "The Ladder: a reliable leaderboard for machine learning
competitions", ICML 2015, algorithm 1. They minimise a risk; here higher is better.
"""

from __future__ import annotations

from odbench.errors import UsageError


def climbs(value: float, released: float | None, *, step: float) -> bool:
    """Return whether a new value may replace the released one.

    Algorithm 1 of Blum and Hardt releases a risk if ``R_S(f_t) < R_{t-1} - eta``; for
    values where higher is better, this is ``value > released + step``.

    Parameters
    ----------
    value : float
        The exact value of the resubmission; higher is better.
    released : float or None
        The rounded value released last; None before the first release.
    step : float
        Required improvement, above 0; at least the unit of the rounding.

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
