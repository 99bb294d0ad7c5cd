"""Recommend a detector for a table from Python."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def recommend(
    table: Any,
    *,
    reference: Any = None,
    max_seconds: float | None = None,
    max_memory: float | None = None,
    explainable: bool = False,
) -> pd.DataFrame:
    """Say which detectors did best on data sets similar to a table.

    Parameters
    ----------
    table : str, Path or table
        Any first argument of `odbench.score`.
    reference : the same, optional
        Rows known to be normal; with it the setting is one-class.
    max_seconds : float, optional
        Time limit to fit and score the table.
    max_memory : float, optional
        Memory limit in GiB, beyond the data.
    explainable : bool
        Whether only detectors that explain their own scores are recommended.

    Returns
    -------
    pandas.DataFrame
        One row per configuration, those within the limits first, highest AUROC first:
        ``detector``, and ``place`` (1 is best), ``auroc`` and ``ap`` (adjusted) as
        means with 95 % intervals (``_low``, ``_high``), ``seconds``, ``memory_gib``,
        ``explains`` and ``within_limits``. ``attrs["summary"]`` holds the table's
        facts, the recommendation and its evidence.

    Raises
    ------
    OdbenchError
        If a limit or a table is wrong.

    Warns
    -----
    UserWarning
        Once for each remark, such as a setting without results.
    """
    import pandas as pd

    from odbench.api.words import arguments_in_errors
    from odbench.tables.recommend import Limits, recommend_detector

    limits = Limits(max_seconds, max_memory, explainable)
    with arguments_in_errors():
        advice = recommend_detector(table, reference, limits)
    for note in advice.notes:
        warnings.warn(note, stacklevel=2)
    frame = pd.DataFrame(advice.rows)
    summary = asdict(advice)
    del summary["rows"]
    frame.attrs["summary"] = summary
    return frame
