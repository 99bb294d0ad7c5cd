"""The role of a column, and its values as numbers or categories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.dates import read_clock, read_dates
from odbench.tables.durations import read_duration
from odbench.tables.magnitudes import read_magnitude
from odbench.tables.numbers import lookup, read_numbers
from odbench.tables.seasons import read_season
from odbench.tables.values import as_days, as_numbers, as_text, family

# Roles that are encoded, and roles that are left out.
USED = ("number", "integer", "yes/no", "category", "date")
UNUSED = ("identifier", "constant", "empty", "text", "nested", "ignored")


@dataclass(frozen=True)
class Column:
    """A column and how it is read.

    Attributes
    ----------
    name : str
    role : str
        One of `USED` or `UNUSED`.
    note : str
        The reason or a remark, for people.
    mark : {".", ","}
        The decimal mark of numbers in text.
    day_first : bool
        How dates such as 03/04/2026 are read.
    clock : bool
        Whether a date is a time of day alone.
    given : bool
        Whether the user chose the role.
    unit : str
        The unit behind each number, "" for none.
    season : bool
        Whether a date is a year that ends in the next one, such as 2019-20.
    duration : bool
        Whether a number is a length of time in text, such as 1 day, 2:03:04.
    first_year : int
        The first of the hundred years in which a date's years of two digits lie; 0 if
        no year has two digits.
    magnitude : bool
        Whether letters behind numbers in text are thousands or millions, as in 1.2k.
    fills : tuple of float
        Numbers, in days for dates, that stand for missing values.
    codes : bool
        Whether whole numbers may be codes, which have no thousands.
    """

    name: str
    role: str
    note: str = ""
    mark: str = "."
    day_first: bool = True
    given: bool = False
    clock: bool = False
    unit: str = ""
    season: bool = False
    duration: bool = False
    first_year: int = 0
    magnitude: bool = False
    fills: tuple[float, ...] = ()
    codes: bool = False

    @property
    def used(self) -> bool:
        """Whether a detector sees the column."""
        return self.role in USED


def parsed_numbers(column: Column, values: Any) -> FloatArray:
    """Return a column's values as float64, NaN where there is none.

    Values that stand for missing ones are missing.

    Parameters
    ----------
    column : Column
        Of role number, integer or date.
    values : pyarrow array of length n

    Returns
    -------
    float64 array of shape (n,)
        Dates are days since 1970-01-01, times of day a share of the day.
    """
    numbers = written_numbers(column, values)
    if column.fills:
        numbers[np.isin(numbers, column.fills)] = np.nan
    return numbers


def written_numbers(column: Column, values: Any) -> FloatArray:
    """Return the same with the values that stand for missing ones, such as -999."""
    kind = family(values.type)
    if column.role == "date":
        return as_days(values) if kind == "moment" else text_days(column, values)
    if kind in ("number", "integer", "truth"):
        return as_numbers(values)
    if kind == "moment":
        return as_days(values)
    if column.duration:
        return _each_text(values, read_duration)
    if column.magnitude:
        return _each_text(values, lambda text: read_magnitude(text, column.mark))
    return read_numbers(as_text(values), column.mark, column.unit)


def _each_text(values: Any, read: Callable[[str], float]) -> FloatArray:
    """Read each different text once."""
    coded = as_text(values).dictionary_encode()
    known = [read(text) for text in coded.dictionary.to_pylist()]
    return lookup(coded, np.asarray([*known, np.nan]))


def text_days(column: Column, values: Any) -> FloatArray:
    """Return dates written as text as days since 1970-01-01."""
    if column.clock or column.season:
        return _each_text(values, read_clock if column.clock else read_season)
    coded = as_text(values).dictionary_encode()
    texts = coded.dictionary.to_pylist()
    days = read_dates(
        texts,
        day_first=column.day_first,
        counts=column.given,
        first=column.first_year,
    )
    return lookup(coded, np.append(days, np.nan))
