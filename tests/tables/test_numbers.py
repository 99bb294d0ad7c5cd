"""A mark before three digits is a decimal mark where it cannot group digits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from odbench.tables.columns import Column, parsed_numbers
from odbench.tables.numbers import read_number
from odbench.tables.read import read_source
from odbench.tables.roles import infer_roles
from odbench.tables.written import rewritten


def read_columns(table):
    """Return each column's numbers, read as its role says."""
    return {
        column.name: parsed_numbers(column, table.column(column.name)).tolist()
        for column in infer_roles(table)
    }


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("0,750", "."),
        ("-0,750", "."),
        ("0.159", ","),
        ("0.159 €", ","),
        ("1.158E-02", ","),
        ("1,000e6", "."),
    ],
)
def test_digits_behind_a_lone_zero_or_before_an_exponent_are_no_thousands(text, mark):
    other = "." if mark == "," else ","

    assert np.isnan(read_number(text, mark))
    assert read_number(text, other) == float(text.rstrip(" €").replace(",", "."))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,900", 1_900),
        ("0,750.50", 750.5),
        ("10,000", 10_000),
        ("-1,234,567", -1234567),
    ],
)
def test_thousands_with_one_reading_stay_thousands(text, number):
    assert read_number(text, ".") == number


@pytest.mark.parametrize("unit", ["", " kg"])
def test_one_value_below_one_makes_a_column_of_decimal_commas(tmp_path, unit):
    kg = [700 + n for n in range(98)] + [1_900]
    lines = [f"{n // 1000},{n % 1000:03d}{unit};{7 * n % 11}" for n in kg]
    path = tmp_path / "weights.csv"
    path.write_text("\n".join(["kg;n", *lines]) + "\n")

    table = read_source(str(path)).table()

    assert read_columns(table)["kg"] == [n / 1000 for n in kg]
    assert infer_roles(table)[0].role == "number"


@pytest.mark.parametrize(
    "texts", [["0.159", "1.234", "2.345"], ["1.158E-02", "1.000E+06", "1.234"]]
)
def test_points_stay_decimal_beside_columns_with_commas(texts):
    table = pa.table({"x": texts, "y": ["0,5", "1,75", "2,0"]})

    assert read_columns(table) == {
        "x": [float(t) for t in texts],
        "y": [0.5, 1.75, 2.0],
    }


def test_a_new_file_with_decimal_commas_is_read_with_them_by_its_own_evidence():
    learned = [Column("kg", "number"), Column("price", "number")]
    new = pa.table({"kg": ["0,750", "1,900"], "price": ["5,880", "6,120"]})

    how = rewritten(learned, new)

    assert parsed_numbers(how["kg"], new["kg"]).tolist() == [0.75, 1.9]
    assert parsed_numbers(how["price"], new["price"]).tolist() == [5.88, 6.12]


def test_a_new_file_without_evidence_is_read_as_the_reference():
    learned = [Column("kg", "number"), Column("price", "number", mark=",")]
    new = pa.table({"kg": ["1,900"], "price": ["5,880"]})

    how = rewritten(learned, new)

    assert [how["kg"].mark, how["price"].mark] == [".", ","]
