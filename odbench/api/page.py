"""Render the leaderboard's page from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def render_page(
    results: pd.DataFrame | str | Path, out: str | Path | None = None
) -> str:
    """Render the leaderboard's HTML page from results.

    Parameters
    ----------
    results : pandas.DataFrame, str or Path
        Results, or the folder or file that holds them.
    out : str or Path, optional
        Also write the page to this file.

    Returns
    -------
    str
        HTML that needs no other file.

    Raises
    ------
    ResultsError
        If the results cannot be read.
    UsageError
        If the file cannot be written.
    """
    import pandas as pd

    from odbench.errors import UsageError
    from odbench.files import write_text
    from odbench.leaderboard.page import render
    from odbench.results import read_results

    if isinstance(results, str | Path):
        results = read_results(results)
    page = render.render_page(pd.DataFrame(results))
    if out is not None:
        try:
            write_text(Path(out), page)
        except OSError as error:
            msg = f"page {str(out)!r}: {error.strerror}; name a file in a folder"
            raise UsageError(msg) from error
    return page
