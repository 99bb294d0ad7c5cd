"""Reasons in words: numbers, dates, categories, missing values."""

import numpy as np
import pyarrow as pa
import pytest

from odbench.tables.columns import Column
from odbench.tables.encode import GONE, Learned
from odbench.tables.roles import infer_roles
from odbench.tables.wording import (
    say_category,
    say_missing,
    say_number,
    show_number,
)

LEARNED = Learned(1_000, 70, 0.0, 0.0, 0.0, {"DE": 700, "MT": 2, GONE: 70}, ("rarity",))
AMOUNT, DAY = Column("amount", "number"), Column("day", "date")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-3.0, "-3"), (25_000.0, "25,000"), (1999.0, "1999"),
        (1234567.891, "1,234,568"), (0.000123456, "0.00012346"), (1e-9, "1e-09"),
        (2.5e20, "2.5e+20"), (99_999.6, "100,000"),
    ],
)  # fmt: skip
def test_numbers_have_five_digits(value, text):
    assert show_number(value) == text


def test_values_outside_and_inside_the_range_of_similar_rows():
    similar = np.arange(100.0)

    outside = say_number(AMOUNT, "value", 25_000.0, similar)
    inside = say_number(AMOUNT, "value", 50.0, similar)
    constant = say_number(AMOUNT, "value", 5.0, np.full(50, 3.0))

    assert outside == "amount 25,000 where similar rows have 5 to 94"
    assert inside == "amount 50 in an unusual combination"
    assert constant == "amount 5 where similar rows have 3"


def test_a_value_whose_similar_rows_have_none():
    number, day = Column("bark", "number"), Column("day", "date")

    none = np.empty(0)
    assert say_number(number, "value", 18.5, none) == (
        "bark 18.5 where similar rows have no value"
    )
    assert say_number(day, "weekday", 6.0, none) == (
        "day on a Sunday where similar rows have no date"
    )


def test_dates_hours_and_weekdays():
    similar = np.linspace(20_000.0, 20_010.0, 50)

    late = say_number(DAY, "value", 20_100.25, similar)
    hour = say_number(DAY, "hour", 3.5, np.linspace(8, 18, 50))
    sunday = say_number(DAY, "weekday", 6.0, np.zeros(50))

    assert late.startswith("day 2025-01-12 06:00 where similar rows have 2024-10-")
    assert hour == "day at 03:30 where similar rows have 08:24 to 17:36"
    assert sunday == "day on a Sunday, as 0 % of similar rows"


def test_categories_and_missing_values():
    land = Column("country", "category")

    assert say_category(land, LEARNED, "XK", 0.0) == "country 'XK' never seen"
    assert say_category(land, LEARNED, "MT", 0.0) == "country 'MT' in 0.2 % of rows"
    assert say_category(land, LEARNED, "DE", 0.1).endswith("as in 10 % of similar rows")
    assert say_category(land, LEARNED, "DE", 0.9).endswith("in an unusual combination")
    assert say_category(land, LEARNED, None, 0.9).startswith("country missing")
    assert (
        say_missing(AMOUNT, LEARNED, gone=True) == "amount missing, as in 7 % of rows"
    )
    assert say_missing(AMOUNT, LEARNED, gone=False).endswith(
        "present, as in 93 % of rows"
    )


@pytest.mark.parametrize(
    ("values", "odd", "said"),
    [
        ([1001, 90210, 60601, 2134], 99950, "99950 where similar rows have 1001"),
        (
            [4400120, 8712003, 5500731],
            9999999,
            "9999999 where similar rows have 4400120",
        ),
        ([1200, 1439000, 25000], 9999999, "9,999,999 where similar rows have 1200"),
        ([-12000, 45000, 3000], 99999, "99,999 where similar rows have -12,000"),
        ([1001.5, 20000.0, 600.25], 90210, "90,210 where similar rows have 600.25"),
    ],
)
def test_whole_numbers_that_may_be_codes_are_shown_as_they_are(values, odd, said):
    (column,) = infer_roles(pa.table({"x": [*values, values[0]]}))

    text = say_number(column, "value", float(odd), np.array(values, dtype=float))

    assert text.startswith(f"x {said}")


def test_numbers_are_shown_in_their_unit():
    column = Column("weight", "number", unit="kg")

    said = say_number(column, "value", 250.0, np.array([60.0, 70.0, 80.0]))

    assert said == "weight 250 kg where similar rows have 60 to 80 kg"
