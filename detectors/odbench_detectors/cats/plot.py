"""Draw an explanation as bars; needs matplotlib (`pip install 'odbench[plot]'`)."""

from __future__ import annotations

from typing import Any

from odbench.errors import MissingExtraError
from odbench_detectors.cats.explain import Explanation

_COLUMNS_SHOWN = 12


def plot_explanation(explanation: Explanation) -> Any:
    """Draw the shares of views and columns side by side.

    Parameters
    ----------
    explanation : Explanation

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        msg = "a plot needs matplotlib, not found: pip install 'odbench[plot]'"
        raise MissingExtraError(msg) from None
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _bars(left, explanation.views, "views")
    _bars(right, explanation.columns, "columns")
    figure.suptitle(f"row {explanation.row}: score {explanation.score:.2f}")
    return figure


def _bars(axes: Any, shares: dict[str, float], title: str) -> None:
    shown = list(shares.items())[:_COLUMNS_SHOWN][::-1]
    axes.barh(range(len(shown)), [share for _, share in shown], color="#4477aa")
    axes.set_yticks(range(len(shown)), [name for name, _ in shown])
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel("share of the squared score")
    axes.set_title(title)
