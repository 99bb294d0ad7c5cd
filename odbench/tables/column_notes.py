"""Name the columns that a detector is better off without."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from odbench.tables.column_ranking import ignore_option, rank_columns, to_leave_out
from odbench.tables.columns import Column

# Pairs of values to count where the ranking is a by-product: some tenths of a second.
_COUNTED = 50_000_000
# Wider tables would take longer than scoring them.
_MOST_COLUMNS = 150
# Columns that a note describes.
_NAMED = 3


def ignore_notes(
    columns: Sequence[Column], table: Any, chosen: Collection[str] = ()
) -> list[str]:
    """Return a line that names suspicious columns, or nothing.

    Parameters
    ----------
    columns : sequence of Column
        Of more than 150 used ones, none is named.
    table : pyarrow.Table
        Some rows with these columns.
    chosen : collection of str
        Columns whose role the user chose; they are not named.
    """
    if sum(column.used for column in columns) > _MOST_COLUMNS:
        return []
    ranked, _, _ = rank_columns(columns, table, counted=_COUNTED)
    named = to_leave_out(ranked, chosen)
    if not named:
        return []
    told = "; ".join(f"{one.column!r} {one.warnings[0]}" for one in named[:_NAMED])
    more = f"; and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    option = ignore_option([one.column for one in named])
    return [f"column {told}{more}; to leave out: {option}"]
