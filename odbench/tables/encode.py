"""Encode columns as float64, learned from one table and applied to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.tables.columns import Column, parsed_numbers
from odbench.tables.dates import are_months, calendar_parts
from odbench.tables.numbers import lookup
from odbench.tables.values import as_text, category_key

# Maximum number of categories of a column that are remembered.
MOST_CATEGORIES = 100_000
# Roles whose values are names.
NAMED = ("category", "yes/no")
# Rows that a category counts that was never seen.
_NEVER_SEEN = 0.5
# Key of missing values among the categories; a present value is never empty.
GONE = ""
# Two ways to write a yes/no.
_TRUTH, _BITS = ("true", "false"), ("1", "0")


@dataclass(frozen=True)
class Learned:
    """Facts that an encoder learned about a column.

    Attributes
    ----------
    n_rows : int
        Number of rows it was learned from.
    missing : int
        Number of rows without a value.
    median, low, high : float
        The median and the range of numbers; 0.0 for categories.
    counts : mapping of str to int
        Rows per category by its `category_key`, `GONE` for missing values; empty for
        numbers.
    parts : tuple of str
        The encoded columns made of it: "value", "rarity", "missing", "hour", "weekday".
    """

    n_rows: int
    missing: int
    median: float
    low: float
    high: float
    counts: Mapping[str, int]
    parts: tuple[str, ...]

    def key(self, text: str | None) -> str:
        """Return the key of a category among `counts`, `GONE` for None.

        Of a yes/no, 1 and 0 are true and false, as databases and CSV files write them.
        """
        if text is None:
            return GONE
        key = category_key(text)
        for known, names in ((_TRUTH, _BITS), (_BITS, _TRUTH)):
            if key in names and self.counts.keys() - {GONE} == set(known):
                return known[names.index(key)]
        return key


@dataclass(frozen=True)
class Encoder:
    """A function from a table's columns to float64.

    A number and a date (in days) is its value; a missing one is the median, and a
    further column tells that it was missing, unless another column says the same. A
    category or a yes/no is its rarity, ``-log(rows of that category / rows)``; a
    missing one is a category of its own, and one that was never seen counts half a row.
    A date with several hours or weekdays has these as further columns, but dates that
    stand for months (all the first, or all the last day) have no weekday; a time of day
    is its hour.

    Attributes
    ----------
    columns : tuple of Column
        The used columns, as they were in the table that was learned from.
    learned : tuple of Learned
    """

    columns: tuple[Column, ...]
    learned: tuple[Learned, ...]

    @classmethod
    def of(cls, columns: Sequence[Column], table: Any) -> Encoder:
        """Learn from a table.

        Parameters
        ----------
        columns : sequence of Column
            Those that are not used are left out.
        table : pyarrow.Table
        """
        used = tuple(column for column in columns if column.used)
        learned = [_learn(column, table.column(column.name)) for column in used]
        return cls(used, _told_once(used, learned, table))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoded columns, for explanations."""
        return tuple(
            column.name
            if part in ("value", "rarity") or (part == "hour" and column.clock)
            else f"{column.name} {part}"
            for column, learned in zip(self.columns, self.learned, strict=True)
            for part in learned.parts
        )

    @property
    def has_names(self) -> bool:
        """Whether a column is a category or a yes/no."""
        return any(column.role in NAMED for column in self.columns)

    @property
    def named(self) -> BoolArray:
        """For each encoded column, whether it is a rarity."""
        roles = [self.columns[place].role for place in self.origin.tolist()]
        return np.asarray([role in NAMED for role in roles], dtype=bool)

    @property
    def missing(self) -> IntArray:
        """The encoded columns that tell missing values."""
        parts = [part for learned in self.learned for part in learned.parts]
        return np.flatnonzero(np.asarray(parts) == "missing")

    @property
    def origin(self) -> IntArray:
        """For each encoded column, the place of its column in `columns`."""
        sizes = [len(learned.parts) for learned in self.learned]
        return np.repeat(np.arange(len(sizes)), sizes)

    def encode(
        self, table: Any, read_as: Mapping[str, Column] | None = None
    ) -> FloatArray:
        """Encode rows.

        Parameters
        ----------
        table : pyarrow.Table or pyarrow.RecordBatch
            Has the used columns.
        read_as : mapping of str to Column, optional
            How the columns of this table are written, where it is another file.

        Returns
        -------
        float64 array of shape (n_rows, n_encoded)
            Finite.
        """
        read_as = read_as or {}
        blocks = [np.empty((table.num_rows, 0))]
        for column, learned in zip(self.columns, self.learned, strict=True):
            how = read_as.get(column.name, column)
            blocks.append(encode_column(how, learned, table.column(column.name)))
        return np.ascontiguousarray(np.concatenate(blocks, axis=1))

    def as_new(self, X: FloatArray) -> FloatArray:
        """Encode the rows that were learned from as rows of another table would be.

        A category that only one row has was never seen by the others. If the row kept
        its rarity where it is held out for p-values, a new row with a category that
        was never seen would look rarer than all known ones. Others stay as they are.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_encoded)
            These rows, encoded.
        """
        X = X.copy()
        for place in np.flatnonzero(self.named).tolist():
            n = self.learned[self.origin[place]].n_rows
            once = np.rint(n * np.exp(-X[:, place])) == 1.0
            X[once, place] = _rarity_of(_NEVER_SEEN, n)
        return X


def _learn(column: Column, values: Any) -> Learned:
    n = len(values)
    if column.role in NAMED:
        counts = count_categories(values)
        return Learned(n, counts.get(GONE, 0), 0.0, 0.0, 0.0, counts, ("rarity",))
    numbers = parsed_numbers(column, values)
    present = numbers[~np.isnan(numbers)]
    known = present if len(present) else np.zeros(1)
    median, low, high = (float(f(known)) for f in (np.median, np.min, np.max))
    # The hour says all about a time of day.
    parts = ["hour"] if column.clock else ["value"]
    if column.role == "date" and not column.clock:
        named = calendar_parts(present)
        if are_months(present):
            del named["weekday"]
        parts += [name for name, part in named.items() if len(np.unique(part)) > 1]
    if len(present) < n:
        parts.append("missing")
    return Learned(n, n - len(present), median, low, high, {}, tuple(parts))


def _told_once(
    columns: Sequence[Column], learned: Sequence[Learned], table: Any
) -> tuple[Learned, ...]:
    """Drop the columns about missing values that repeat another, or its opposite.

    "TSH measured" tells when TSH is missing; saying it twice would count it twice.
    """
    said: set[bytes] = set()
    for column, one in zip(columns, learned, strict=True):
        if one.parts == ("rarity",) and len(one.counts) == 2:
            codes = encode_column(column, one, table.column(column.name))[:, 0]
            said |= {(codes == codes.min()).tobytes(), (codes != codes.min()).tobytes()}
    kept = []
    for column, one in zip(columns, learned, strict=True):
        parts = one.parts
        if "missing" in parts:
            where = np.isnan(parsed_numbers(column, table.column(column.name)))
            if where.tobytes() in said:
                parts = tuple(part for part in parts if part != "missing")
            said.add(where.tobytes())
        kept.append(replace(one, parts=parts))
    return tuple(kept)


def count_categories(values: Any) -> dict[str, int]:
    """Count the rows of each category, the most frequent first.

    Categories are those of `category_key`. Beyond `MOST_CATEGORIES`, the rarest are
    left out, the last in the alphabet first.
    """
    import pyarrow.compute as pc

    counts: Counter[str] = Counter()
    for entry in pc.value_counts(as_text(values)).to_pylist():
        text = entry["values"]
        counts[GONE if text is None else category_key(text)] += entry["counts"]
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(pairs[:MOST_CATEGORIES])


def encode_column(column: Column, learned: Learned, values: Any) -> FloatArray:
    """Encode one column, float64 of shape (n_rows, n_parts)."""
    if column.role in NAMED:
        return _rarities(learned, values)[:, None]
    numbers = parsed_numbers(column, values)
    gone = np.isnan(numbers)
    filled = np.where(gone, learned.median, numbers)
    made = {"value": filled, "missing": gone.astype(np.float64)}
    if column.role == "date":
        made.update(calendar_parts(filled))
    return np.stack([made[part] for part in learned.parts], axis=1)


def _rarities(learned: Learned, values: Any) -> FloatArray:
    coded = as_text(values).dictionary_encode()
    known = [rarity(learned, text) for text in coded.dictionary.to_pylist()]
    return lookup(coded, np.asarray([*known, rarity(learned, GONE)]))


def rarity(learned: Learned, text: str) -> float:
    """Return ``-log(rows of a category / rows)``; half a row if it was never seen."""
    count = learned.counts.get(learned.key(text), _NEVER_SEEN)
    return _rarity_of(count, learned.n_rows)


def _rarity_of(count: float, n_rows: int) -> float:
    return float(-np.log(count / n_rows))
