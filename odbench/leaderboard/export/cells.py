"""The cells of an exported table: values, intervals, and which of them are best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from odbench.leaderboard.terminal import method_name, shortened
from odbench.suites import ORACLE

if TYPE_CHECKING:
    import pandas as pd


class Cell(NamedTuple):
    """One cell of a table.

    Attributes
    ----------
    text : str
        The value.
    interval : str
        Its 95 % interval such as ``80.1 to 85.2``; "" if it has none.
    best : bool
        Whether no row shows a better value; the oracle does not count.
    """

    text: str
    interval: str = ""
    best: bool = False


class _Column(NamedTuple):
    heading: str
    name: str
    digits: int
    scale: float = 1.0
    higher_is_better: bool = True
    has_interval: bool = True


COLUMNS = (
    _Column("AUROC", "mean_auroc", 1, 100.0),
    _Column("AP", "mean_ap", 1, 100.0),
    _Column("rank", "rank_auroc", 2, higher_is_better=False, has_interval=False),
)
# Longer names are cut in the middle, so that a table is no wider than a page.
_LONGEST = 34
HEADINGS = ("place", "configuration", *(c.heading for c in COLUMNS), "seconds")


def table_cells(rows: pd.DataFrame) -> list[list[Cell]]:
    """Return the cells of a table, one list per configuration, as `HEADINGS`.

    Parameters
    ----------
    rows : pandas.DataFrame
        Leaderboard of one suite, partition and protocol, in the order to show.

    Returns
    -------
    list of list of Cell
    """
    records = rows.to_dict("records")
    numbers = [_column(records, column) for column in COLUMNS]
    return [
        [
            _place(record),
            Cell(_name(record)),
            *(column[i] for column in numbers),
            Cell(_seconds(record)),
        ]
        for i, record in enumerate(records)
    ]


def _column(records: list[dict[Any, Any]], column: _Column) -> list[Cell]:
    texts = [_text(record[column.name], column) for record in records]
    real = [
        float(text)
        for text, record in zip(texts, records, strict=True)
        if text != "-" and record["detector"] != ORACLE
    ]
    choose = max if column.higher_is_better else min
    # Values that are printed alike are equally bold.
    best = choose(real) if real else None
    return [
        Cell(
            text,
            _interval(record, column),
            best=text != "-" and float(text) == best and record["detector"] != ORACLE,
        )
        for text, record in zip(texts, records, strict=True)
    ]


def _text(value: float, column: _Column) -> str:
    return "-" if _unknown(value) else f"{column.scale * value:.{column.digits}f}"


def _interval(record: Mapping[Any, Any], column: _Column) -> str:
    ends = [record.get(f"{column.name}_{end}") for end in ("low", "high")]
    if not column.has_interval or any(map(_unknown, ends)):
        return ""
    return " to ".join(_text(float(end or 0), column) for end in ends)


def _place(record: Mapping[Any, Any]) -> Cell:
    low, high = record.get("place_low"), record.get("place_high")
    known = not (_unknown(low) or _unknown(high))
    interval = f"{low:.0f} to {high:.0f}" if known else ""
    return Cell(f"{record['place']:.0f}", interval, best=known and low == 1)


def _name(record: Mapping[Any, Any]) -> str:
    mark = "*" if record.get("source") == "run" else ""
    name = method_name(record["detector"], record["config"])
    return shortened(name, _LONGEST) + mark


def _seconds(record: Mapping[Any, Any]) -> str:
    value = record["median_fit_seconds"] + record["median_score_seconds"]
    return "-" if _unknown(value) else f"{value:.2g}"


def _unknown(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value))
