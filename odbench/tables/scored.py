"""Scored rows: one per row of the table, in its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.tables.columns import Column
from odbench.tables.conformal import rows_needed
from odbench.tables.reasons import Reason
from odbench.tables.source import row_numbers
from odbench.tables.wording import show_share

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 65_536


@dataclass(frozen=True)
class Scored:
    """The result of scoring a table.

    Attributes
    ----------
    name, form : str
        The table and its format.
    setting : {"unsupervised", "one-class"}
    detector : str
    reference : str
        The reference table, "" for none.
    n_reference : int
        Rows behind the p-values.
    columns : tuple of Column
    scores, p_values : float64 arrays of shape (n,)
    flagged : bool array of shape (n,)
    rank : int64 array of shape (n,)
        1 for the most anomalous row; equal scores have equal ranks.
    fdr : float
    reasons : mapping of int to sequence of Reason
        Reasons by row, for the rows that were explained.
    id_name : str
        The column that identifies rows, or "".
    ids : pyarrow array or None
    notes : tuple of str
        Remarks for people.
    left_out : int64 array
        Numbers of rows of the file, from 0, ascending, that were not scored.
    """

    name: str
    form: str
    setting: str
    detector: str
    reference: str
    n_reference: int
    columns: tuple[Column, ...]
    scores: FloatArray
    p_values: FloatArray
    flagged: BoolArray
    rank: IntArray
    fdr: float
    reasons: Mapping[int, Sequence[Reason]] = field(default_factory=dict)
    id_name: str = ""
    ids: Any = None
    notes: tuple[str, ...] = ()
    left_out: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def n_flagged(self) -> int:
        """Number of flagged rows."""
        return int(self.flagged.sum())

    def top(self, count: int) -> IntArray:
        """Return the places of the rows of the lowest ranks."""
        order = np.argsort(-self.scores, kind="stable")[:count]
        return np.asarray(order, dtype=np.int64)

    def numbers(self, places: IntArray) -> IntArray:
        """Return the numbers that rows have in the file, from 0."""
        return row_numbers(places, self.left_out)

    def reason_text(self, row: int) -> str:
        """Return a row's reasons in one line, "" if it was not explained."""
        return "; ".join(str(reason) for reason in self.reasons.get(row, ()))

    def summary(self) -> dict[str, Any]:
        """Return the facts about the whole table, as JSON can hold them."""
        return {
            "table": self.name,
            "format": self.form,
            "n_rows": len(self.scores),
            "setting": self.setting,
            "detector": self.detector,
            "reference": self.reference or None,
            "n_reference": self.n_reference,
            "fdr": self.fdr,
            "n_flagged": self.n_flagged,
            "verdict": self.verdict(),
            "notes": list(self.notes),
            "columns": [
                {"column": c.name, "role": c.role, "note": c.note} for c in self.columns
            ],
        }

    def verdict(self) -> str:
        """Say how many rows are flagged; where none is, why, and what can be said."""
        n, rate = len(self.scores), show_share(self.fdr)
        if self.n_flagged:
            wrong = self.fdr * self.n_flagged
            return (
                f"{self.n_flagged:,} of {n:,} rows are flagged at a false discovery "
                f"rate of {rate}: on average at most {_few(wrong)} of them are false "
                "alarms."
            )
        if self.setting == "unsupervised":
            return (
                "No row can be flagged: without a reference, rows are compared with "
                "each other, and the share of false alarms among the first ones is "
                "unknown. The order of rows is the result. For flags, give rows known "
                "to be normal with --reference."
            )
        return self._none_flagged(n, rate)

    def _none_flagged(self, n: int, rate: str) -> str:
        smallest = 1.0 / (self.n_reference + 1.0)
        lowest = float(self.p_values.min())
        needed = rows_needed(n, self.fdr)
        at_once = int(np.ceil(n * smallest / self.fdr))
        start = f"No row is flagged at a false discovery rate of {rate}."
        if at_once > 1:
            start += (
                f" {self.n_reference:,} reference rows give p-values of {smallest:.2g} "
                f"or more, so a row is flagged only if {at_once:,} rows reach that; "
                f"flagging a single row of {n:,} takes {needed:,} reference rows."
            )
        expected = lowest * n
        return (
            f"{start} The smallest p-value is {lowest:.2g}: among {n:,} normal rows, "
            f"{_few(expected)} would score as high."
        )

    def rows(self, places: IntArray) -> list[dict[str, Any]]:
        """Return some rows as JSON can hold them, with the columns of the output."""
        found = []
        numbers = self.numbers(places).tolist()
        for row, number in zip(places.tolist(), numbers, strict=True):
            line: dict[str, Any] = {"row": number}
            if self.id_name:
                line[id_title(self.id_name)] = self.ids[row].as_py()
            line["rank"] = int(self.rank[row])
            line["score"] = float(self.scores[row])
            line["p_value"] = float(self.p_values[row])
            line["flagged"] = bool(self.flagged[row])
            line["reasons"] = self.reason_text(row)
            found.append(line)
        return found

    def batches(self) -> Iterator[Any]:
        """Yield the rows as ``pyarrow.RecordBatch``, in the order of the table."""
        import pyarrow as pa

        for start in range(0, len(self.scores), _ROWS):
            part = slice(start, min(start + _ROWS, len(self.scores)))
            rows = range(part.start, part.stop)
            numbers = self.numbers(np.arange(part.start, part.stop))
            columns = {"row": pa.array(numbers)}
            if self.id_name:
                columns[id_title(self.id_name)] = self.ids.slice(start, len(rows))
            columns["rank"] = pa.array(self.rank[part])
            columns["score"] = pa.array(self.scores[part])
            columns["p_value"] = pa.array(self.p_values[part])
            columns["flagged"] = pa.array(self.flagged[part])
            texts = [self.reason_text(row) for row in rows]
            columns["reasons"] = pa.array(texts, pa.string())
            yield pa.RecordBatch.from_pydict(columns)

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame, with `summary` in its ``attrs``."""
        import pyarrow as pa

        frame: pd.DataFrame = pa.Table.from_batches(self.batches()).to_pandas()
        frame.attrs["summary"] = self.summary()
        return frame


OWN_NAMES = ("row", "rank", "score", "p_value", "flagged", "reasons")


def id_title(name: str) -> str:
    """Return the title of the id column, told apart from the other columns."""
    return f"{name} (id)" if name in OWN_NAMES else name


def _few(count: float) -> str:
    """Return a mean number of rows, two digits of a small one."""
    return f"{count:,.0f}" if count >= 10.0 else f"{count:.2g}"


def ranks(scores: FloatArray) -> IntArray:
    """Return the rank of each score, 1 for the highest, the same for equal ones."""
    ordered = np.sort(scores)
    above = len(scores) - np.searchsorted(ordered, scores, side="right")
    return np.asarray(above + 1, dtype=np.int64)
