"""Score the rows of a table from Python."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def score(
    table: Any,
    *,
    reference: Any = None,
    detector: Any = "cats",
    id: str = "",  # noqa: A002 - the name of the option on the command line
    ignore: Sequence[str] = (),
    category: Sequence[str] = (),
    number: Sequence[str] = (),
    date: Sequence[str] = (),
    text: Sequence[str] = (),
    fdr: float = 0.1,
    model: str | Path | None = None,
    save: str | Path | None = None,
) -> pd.DataFrame:
    """Score every row of a table: how anomalous it is, and why.

    Parameters
    ----------
    table : str, Path or table
        A file (CSV, TSV, JSON, Parquet, Feather or Arrow, also as .gz, .zst, .bz2
        or alone in a .zip), "-" for stdin, or a table of pandas, polars or pyarrow.
    reference : the same, optional
        Rows known to be normal. Without it, rows are compared with each other.
    detector : str or object
        Any argument of `odbench.find_detector`.
    id : str
        The column that identifies rows; it is returned and not used.
    ignore, category, number, date, text : sequence of str
        Columns to leave out, or to read as categories, numbers, dates or free text.
        Other roles are inferred.
    fdr : float
        The share of false alarms among the flagged rows that is accepted on average.
    model : str or Path, optional
        A saved model, instead of `reference` and `detector`.
    save : str or Path, optional
        Where to save the fitted model.

    Returns
    -------
    pandas.DataFrame
        One row per row of the table, in its order, with its index if it is of pandas:
        ``row`` (its place, from 0), the id column, ``rank`` (1 is the most anomalous),
        ``score`` (higher is more anomalous), ``p_value``, ``flagged`` and ``reasons``.
        ``attrs["summary"]`` holds the facts about the table: its columns with their
        roles, the verdict, notes.

    Raises
    ------
    OdbenchError
        If the call, a table or the detector is wrong.

    Warns
    -----
    UserWarning
        Once for each remark, such as values that drifted from the reference.

    Examples
    --------
    >>> import odbench
    >>> table = {"amount": [20.0, 21.0, 19.5, 22.0, 900.0, 20.5]}
    >>> int(odbench.score(table, detector="knn:k=2")["rank"].idxmin())
    4
    """
    from odbench.api.words import arguments_in_errors, with_arguments
    from odbench.errors import UsageError
    from odbench.tables.model_file import load_model, save_model
    from odbench.tables.read import is_pandas
    from odbench.tables.score import Request, score_table

    roles = {
        "ignored": ignore,
        "category": category,
        "number": number,
        "date": date,
        "text": text,
    }
    if model is not None and reference is not None:
        msg = "model and reference: got both; give one, a model has its reference"
        raise UsageError(msg)
    default = isinstance(detector, str) and detector == "cats"
    given = not default or any(map(_is_given, roles.values()))
    if model is not None and given:
        msg = "model: cannot go with a detector or roles of columns; it has its own"
        raise UsageError(msg)
    if save is not None:
        _check_save(Path(save))
    with arguments_in_errors():
        fitted, notes = (None, ()) if model is None else load_model(Path(model))
        scored, learned = score_table(
            Request(
                table=table,
                reference=reference,
                detector=detector,
                id_name=str(id),
                roles=roles,
                fdr=fdr,
                fitted=fitted,
            )
        )
        if save is not None:
            save_model(learned, Path(save))
    for note in (*notes, *scored.notes):
        warnings.warn(with_arguments(note), stacklevel=2)
    frame = scored.frame()
    summary = frame.attrs["summary"]
    summary["verdict"] = with_arguments(summary["verdict"])
    summary["notes"] = [with_arguments(note) for note in summary["notes"]]
    for column in summary["columns"]:
        column["note"] = with_arguments(column["note"])
    if is_pandas(table):
        # A column of scores that is joined to the table goes to the right rows.
        frame.index = table.index
    return frame


def _is_given(columns: Any) -> bool:
    """Check for names of columns, of which a single one may be 0."""
    return not (isinstance(columns, Sequence) and not columns)


def _check_save(path: Path) -> None:
    """Refuse a place that no file can have before the work is done."""
    from odbench.errors import UsageError

    if not path.parent.is_dir():
        msg = (
            f"save {str(path)!r}: folder {str(path.parent)!r} does not exist; make it, "
            f"or name another"
        )
        raise UsageError(msg)
    if path.is_dir():
        msg = f"save {str(path)!r}: is a folder; name a file in it"
        raise UsageError(msg)
