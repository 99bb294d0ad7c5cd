"""Remove results from a run and bring its table up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from odbench.errors import ResultsError

if TYPE_CHECKING:
    from odbench.sweep.drop import Filters, Matches


def drop_from_run(folder: Path, filters: Filters) -> Matches:
    """Remove results and their scores from a run, and make ``leaderboard.csv`` anew.

    Parameters
    ----------
    folder : Path
        The run's folder.
    filters : Filters
        Which results to remove.

    Returns
    -------
    Matches
        The results that were removed.

    Raises
    ------
    OdbenchError
        If the folder holds no run, or another process writes to it.
    """
    from odbench.leaderboard.run_table import BOARD, table_of_run
    from odbench.sweep.drop import drop_results

    dropped = drop_results(folder, filters)
    if dropped.total and (folder / BOARD).is_file():
        try:
            table_of_run(folder)
        except ResultsError:
            # The results that are left give no table, and the old one is of others.
            (folder / BOARD).unlink()
    return dropped
