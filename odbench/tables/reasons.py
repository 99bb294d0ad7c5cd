"""Reasons for the scores of rows, in the units and words of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.tables.columns import Column, written_numbers
from odbench.tables.encode import GONE, NAMED, Encoder, rarity
from odbench.tables.scale import BEYOND, Scale
from odbench.tables.values import as_text
from odbench.tables.wording import (
    say_category,
    say_missing,
    say_number,
    say_stand_in,
)

# Rows that similar ones are looked for among, and how many of them are compared.
_COMPARED, _SIMILAR = 5_000, 50
# Differences in one column count up to this many standard deviations.
_FARTHEST = 3.0
# Values of an encoded column from which a value is missing, and kinds of a yes/no.
_TOLD, _TWO = 0.5, 2
# Reasons per row, and the share below which one is not mentioned.
_MOST, _LEAST = 3, 0.1
# Share of the largest term that a sum of two may be off, generously.
_ROUNDING = 1e-14
Score = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Reason:
    """A column's part in a row's score.

    Attributes
    ----------
    column : str
    share : float
        From 0 to 1.
    text : str
    value : float or None
        The row's number, in days for dates; None for categories and missing values.
    text_value : str or None
        The row's category; None for numbers and missing values.
    part : str
        The part of the value that stands out, such as the "hour" of a date.
    """

    column: str
    share: float
    text: str
    value: float | None = None
    text_value: str | None = None
    part: str = "value"

    def __str__(self) -> str:
        return f"{self.text} ({100 * self.share:.0f} %)"


class Reasons:
    """Explains rows by comparing them with others.

    Parameters
    ----------
    encoder : Encoder
    scale : Scale
    others : float64 array of shape (n, d)
        Rows to compare with, in the detector's units, in canonical order.
    detector : object
        Fitted; its ``explain`` is used where it has one.
    score : callable
        Scores rows in the detector's units.
    everyone : float64 array of shape (m, d), optional
        Rows among which a category is counted, with those explained, which may be many
        of those that have it. `others` if not given.
    """

    def __init__(
        self,
        encoder: Encoder,
        scale: Scale,
        others: FloatArray,
        detector: Any,
        score: Score,
        *,
        everyone: FloatArray | None = None,
    ) -> None:
        self._encoder, self._scale = encoder, scale
        self._others = others[:_COMPARED]
        self._everyone = (others if everyone is None else everyone)[:_COMPARED]
        self._with_explained = everyone is not None
        self._raw = in_own_units(self._others, scale)
        self._detector, self._score = detector, score
        self._origin = encoder.origin
        # The scale drew in numbers beyond any unit, which are the lowest or highest.
        ends = np.asarray([(one.low, one.high) for one in encoder.learned])
        drawn = np.isinf(self._raw)
        self._raw = np.where(
            drawn, ends[self._origin, (self._raw > 0.0) * 1], self._raw
        )
        self._places = [
            np.flatnonzero(self._origin == j) for j in range(len(encoder.columns))
        ]
        self._missing = Missing(encoder, self._raw)

    def explain(
        self, table: Any, Z: FloatArray, how: Mapping[str, Column] | None = None
    ) -> list[list[Reason]]:
        """Return the reasons of each row, the most important first.

        Parameters
        ----------
        table : pyarrow.Table
            The rows as read.
        Z : float64 array of shape (n_rows, d)
            The same rows in the detector's units.
        how : mapping of str to Column, optional
            How the columns of `table` are read, where it is another file.
        """
        if not len(Z):
            return []
        shares = self.shares(Z)
        words = _Words(self._encoder, table, how or {})
        return [
            self._of_row(words, row, shares[row], self._near(z))
            for row, z in enumerate(Z)
        ]

    def _of_row(
        self, words: _Words, row: int, shares: FloatArray, near: _Near
    ) -> list[Reason]:
        total = np.bincount(self._origin, weights=shares, minlength=len(self._places))
        order = np.argsort(-total, kind="stable")[:_MOST].tolist()
        least = min(_LEAST, float(total[order[0]]))
        return [
            Reason(
                self._encoder.columns[j].name,
                float(total[j]),
                self._say(words, row, j, shares, near),
                *words.values(j, row),
                self._part(j, shares),
            )
            for j in order
            if total[j] >= least > 0.0
        ]

    def shares(self, Z: FloatArray) -> FloatArray:
        """Return each encoded column's share of each row's score.

        Returns
        -------
        float64 array of shape (n_rows, d)
            A row's shares sum to 1, or are all 0.
        """
        inner = getattr(self._detector, "inner", self._detector)
        if callable(getattr(inner, "explain", None)):
            return self._own_shares(inner, Z)
        return self._shares_by_exchange(Z)

    def _own_shares(self, inner: Any, Z: FloatArray) -> FloatArray:
        names = [str(j) for j in range(Z.shape[1])]
        told = inner.explain(Z, names)
        shares = np.zeros_like(Z)
        for row in range(len(Z)):
            table = told.table(row)
            at = table["column"].astype(int).to_numpy()
            shares[row, at] = table["share"].to_numpy()
        return shares

    def _shares_by_exchange(self, Z: FloatArray) -> FloatArray:
        """Return how much the score falls if a similar row's value takes the place."""
        blocks = []
        for z in Z:
            near = _Similar(self._others, z)
            block = np.repeat(z[None], len(self._places), axis=0)
            for j, at in enumerate(self._places):
                block[j, at] = self._others[near.places(at, 1)[0], at]
            blocks.append(block)
        changed = self._score(np.concatenate(blocks)).reshape(len(Z), -1)
        fall = np.maximum(self._score(Z)[:, None] - changed, 0.0)
        total = fall.sum(axis=1, keepdims=True)
        fall /= np.where(total > 0.0, total, 1.0)
        shares = np.zeros_like(Z)
        for j, at in enumerate(self._places):
            # All of a column's share goes to its first part.
            shares[:, at[0]] = fall[:, j]
        return shares

    def _say(
        self, words: _Words, row: int, j: int, shares: FloatArray, near: _Near
    ) -> str:
        """Say why a row's value in the j-th used column stands out."""
        at = self._places[j]
        column, learned = self._encoder.columns[j], self._encoder.learned[j]
        if column.role in NAMED:
            value = words.text(j, row)
            own = rarity(learned, GONE if value is None else value)
            return say_category(column, learned, value, self._share_of(own, at, near))
        number = words.number(j, row)
        most = int(np.argmax(shares[at]))
        part = self._part(j, shares)
        if number in column.fills:
            return say_stand_in(words.read_as(j), learned, number)
        if np.isnan(number) or part == "missing":
            return say_missing(column, learned, gone=bool(np.isnan(number)))
        measured, unit = words.part(j, row, part), words.read_as(j).unit
        places = near.others.places(at, _SIMILAR)
        # A missing value is the median to the detector, but no value to compare.
        similar = self._raw[places[~self._missing.rows(j)[places]], at[most]]
        compared = self._comparable(measured, similar, at[most])
        return say_number(column, part, measured, compared, unit=unit)

    def _part(self, j: int, shares: FloatArray) -> str:
        """Return the part of the j-th used column that has most of its share."""
        most = int(np.argmax(shares[self._places[j]]))
        return self._encoder.learned[j].parts[most]

    def _near(self, z: FloatArray) -> _Near:
        others = _Similar(self._others, z)
        if not self._with_explained:
            return _Near(z, others, others)
        return _Near(z, others, _Similar(self._everyone, z))

    def _share_of(self, own: float, at: IntArray, near: _Near) -> float:
        """Return the share of similar rows with a row's category, the row left out.

        Equal rarities are equal categories, but for ties, which say as much.
        """
        places = near.everyone.places(at, _SIMILAR)
        values = in_own_units(self._everyone[places], self._scale)[:, at[0]]
        same = np.isclose(values, own)
        equal = (self._everyone[places] == near.row).all(axis=1)
        itself = self._with_explained and bool(equal.any())
        return float((same.sum() - itself) / max(len(same) - itself, 1))

    def _comparable(self, value: float, similar: FloatArray, at: int) -> FloatArray:
        """Leave numbers beyond any unit out, if the value is within units itself.

        A range that ends at 1e20 would say nothing about a measurement.
        """
        # Nothing within units is farther from their mean, nor anything beyond nearer.
        reach = 0.5 * BEYOND * self._scale.deviation[at]
        near = np.abs(np.append(similar, value) - self._scale.mean[at]) <= reach
        return similar[near[:-1]] if near[-1] and near[:-1].any() else similar


class Missing:
    """Which encoded rows have no value in a column of numbers or dates.

    Where another column tells it, too, the encoder says it once; that is a column with
    the same share of rows, all of which have the median here.

    Parameters
    ----------
    encoder : Encoder
    raw : float64 array of shape (n, d)
        Encoded rows in their own units.
    """

    def __init__(self, encoder: Encoder, raw: FloatArray) -> None:
        self._encoder, self._raw = encoder, raw
        self._found: dict[int, BoolArray] = {}

    def rows(self, j: int) -> BoolArray:
        """Return the rows without a value in the j-th used column, shape (n,)."""
        if j not in self._found:
            self._found[j] = self._rows(j)
        return self._found[j]

    def _rows(self, j: int) -> BoolArray:
        encoder, raw = self._encoder, self._raw
        learned, clock = encoder.learned[j], encoder.columns[j].clock
        first = int(np.searchsorted(encoder.origin, j))
        if "missing" in learned.parts:
            return raw[:, first + learned.parts.index("missing")] >= _TOLD
        if learned.missing:
            share = learned.missing / learned.n_rows
            filled = np.isclose(raw[:, first], learned.median * (24.0 if clock else 1))
            chance = 3.0 * np.sqrt(share * (1.0 - share) / len(raw)) + 1.0 / len(raw)
            near = np.abs(self._told.mean(axis=1) - share) <= chance
            for gone in self._told[near]:
                if filled[gone].all():
                    return np.asarray(gone)
        return np.zeros(len(raw), dtype=bool)

    @cached_property
    def _told(self) -> BoolArray:
        """The patterns of encoded columns of two kinds, and their opposites, (k, n)."""
        encoder, raw = self._encoder, self._raw
        told = [raw[:, at] >= _TOLD for at in encoder.missing.tolist()]
        told += [
            np.isclose(raw[:, at], raw[:, at].min())
            for at in np.flatnonzero(encoder.named).tolist()
            if len(encoder.learned[encoder.origin[at]].counts) == _TWO
        ]
        made = np.array(told, dtype=bool).reshape(-1, len(raw))
        return np.concatenate([made, ~made])


def in_own_units(Z: FloatArray, scale: Scale) -> FloatArray:
    """Turn rows in the detector's units back; what rounding made of 0 is 0 again."""
    raw = scale.restore(Z)
    lost = _ROUNDING * (np.abs(raw - scale.mean) + np.abs(scale.mean))
    return np.where((np.abs(raw) <= lost) & np.isfinite(raw), 0.0, raw)


class _Similar:
    """The rows that are most similar to one row, once a column is left aside."""

    def __init__(self, others: FloatArray, z: FloatArray) -> None:
        self._squares = np.minimum(np.abs(others - z), _FARTHEST) ** 2
        self._total = self._squares.sum(axis=1)

    def places(self, aside: IntArray, count: int) -> IntArray:
        """Return the places of the most similar rows, with those that tie, in order.

        More than `count` are returned if rows are as near as the last of them, because
        which of these a partition keeps depends on the processor.
        """
        distance = self._total - self._squares[:, aside].sum(axis=1)
        # Rounding must not decide between equal rows.
        distance = np.round(distance, 9)
        if count == 1:
            return np.asarray([np.argmin(distance)], dtype=np.int64)
        last = min(count, len(distance)) - 1
        return np.flatnonzero(distance <= np.partition(distance, last)[last])


class _Near(NamedTuple):
    """A row, and those similar to it among the others and among everyone."""

    row: FloatArray
    others: _Similar
    everyone: _Similar


class _Words:
    """The values of the explained rows, parsed once per column."""

    def __init__(self, encoder: Encoder, table: Any, how: Mapping[str, Column]) -> None:
        self._encoder, self._table, self._how = encoder, table, how
        self._numbers: dict[int, FloatArray] = {}
        self._texts: dict[int, Sequence[str | None]] = {}

    def read_as(self, j: int) -> Column:
        """Return how the j-th used column is written in this table."""
        column = self._encoder.columns[j]
        return self._how.get(column.name, column)

    def text(self, j: int, row: int) -> str | None:
        """Return a category, None if it is missing."""
        if j not in self._texts:
            column = self._encoder.columns[j]
            self._texts[j] = as_text(self._table.column(column.name)).to_pylist()
        return self._texts[j][row]

    def number(self, j: int, row: int) -> float:
        """Return a number, in days for dates; NaN if the cell is empty."""
        if j not in self._numbers:
            how = self.read_as(j)
            self._numbers[j] = written_numbers(how, self._table.column(how.name))
        return float(self._numbers[j][row])

    def values(self, j: int, row: int) -> tuple[float | None, str | None]:
        """Return the row's number and its category, None for those it has not."""
        if self._encoder.columns[j].role in NAMED:
            return None, self.text(j, row)
        number = self.number(j, row)
        gone = np.isnan(number) or number in self.read_as(j).fills
        return (None if gone else number), None

    def part(self, j: int, row: int, part: str) -> float:
        """Return a number, or the hour or weekday of a date."""
        from odbench.tables.dates import calendar_parts

        value = self.number(j, row)
        if part == "value":
            return value
        return float(calendar_parts(np.asarray([value]))[part][0])
