"""The parts of a private partition's results that may be shown: rounded aggregates."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from odbench.leaderboard.formats import rounded
from odbench.scoring.cells import Cells
from odbench.submissions.rules import FEWEST_SETS, MOST_DECIMALS

if TYPE_CHECKING:
    import pandas as pd


def may_be_shown(cells: Cells) -> bool:
    """Check whether aggregates of a suite, partition and protocol may be shown.

    Those of a private partition of too few data sets may not, which a warning says.
    """
    if cells.partition != "private" or len(cells.datasets) >= FEWEST_SETS:
        return True
    message = (
        f"leaderboard of {cells.suite}/private ({cells.protocol}): "
        f"{len(cells.datasets)} scored data sets; wanted at least "
        f"{FEWEST_SETS}, so it is left out"
    )
    warnings.warn(message, stacklevel=2)
    return False


def shown_table(table: pd.DataFrame, partition: str) -> pd.DataFrame:
    """Return a leaderboard, rounded if it is of a private partition."""
    return rounded(table, decimals=MOST_DECIMALS) if partition == "private" else table
