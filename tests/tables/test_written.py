"""A row means the same alone, among others and in another file."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odbench.tables.score import Request, score_table

N = 400


def scored(path, reference=None, detector="knn"):
    asked = Request(table=path, reference=reference, detector=detector)
    return score_table(asked)[0]


def table(path, header, rows, mark=";"):
    lines = [header, *rows]
    path.write_text("\n".join(mark.join(line) for line in lines) + "\n")
    return str(path)


@pytest.fixture
def orders(tmp_path, rng):
    """Orders with decimal commas and a weight whose unit is written behind it."""
    rows = [
        (
            f"1.{rng.integers(400, 900)},{rng.integers(10, 99)}",
            f"{rng.normal(12, 0.5):.3f}".replace(".", ","),
            f"{rng.integers(1, 28):02d}/0{rng.integers(1, 4)}/2025",
            f"{rng.normal(70, 0.4):.1f} kg".replace(".", ","),
        )
        for _ in range(N)
    ]
    header = ("price", "count", "day", "weight")
    return header, table(tmp_path / "reference.csv", header, rows)


def test_a_row_with_decimal_commas_is_read_alone_as_among_others(tmp_path, orders):
    header, reference = orders
    rows = [("1.512,30", "12,345", "03/04/2025", "70,2 kg")] * 2
    rows += [
        ("1.700,10", f"11,{n}", "05/02/2025", f"70,{n % 9} kg") for n in range(300, 340)
    ]
    alone = table(tmp_path / "one.csv", header, rows[:1])
    many = table(tmp_path / "many.csv", header, rows)

    by_itself = scored(alone, reference=reference)
    among = scored(many, reference=reference)

    assert by_itself.scores[0] == among.scores[0]
    assert by_itself.p_values[0] == among.p_values[0]
    assert not by_itself.flagged[0]


def test_a_file_that_is_written_with_points_is_read_with_points(tmp_path, orders):
    header, reference = orders
    rows = [
        (f"1{n}", "12.345", "03/04/2025", f"70.{n % 9} kg") for n in range(512, 552)
    ]
    path = table(
        tmp_path / "points.csv", header, [(f"{a}.25", b, c, d) for a, b, c, d in rows]
    )

    result = scored(path, reference=reference)

    assert not result.flagged.any()


def test_few_dates_are_read_in_the_order_of_the_reference(tmp_path, rng):
    header = ("day", "amount")
    start = dt.date(2025, 1, 1)
    rows = [
        ((start + dt.timedelta(int(n))).strftime("%m/%d/%Y"), f"{rng.normal():.3f}")
        for n in rng.integers(0, 90, N)
    ]
    reference = table(tmp_path / "reference.csv", header, rows)
    few = [("01/03/2025", "0.1"), ("02/05/2025", "0.2"), ("03/09/2025", "-0.1")]

    result = scored(table(tmp_path / "few.csv", header, few), reference=reference)

    assert not result.flagged.any()


@pytest.mark.parametrize("way", ["text to truth", "truth to text"])
def test_truth_values_are_the_same_as_words(tmp_path, rng, way):
    truth = rng.random(N) < 0.3
    amount = rng.normal(size=N)
    text = table(
        tmp_path / "words.csv",
        ("sold", "amount"),
        [(str(bool(t)), f"{a}") for t, a in zip(truth, amount, strict=True)],
    )
    typed = tmp_path / "typed.parquet"
    pq.write_table(pa.table({"sold": truth, "amount": amount}), typed)
    pair = (text, str(typed)) if way == "text to truth" else (str(typed), text)

    result = scored(pair[1], reference=pair[0])

    assert not any("never seen" in note for note in result.notes)
    assert result.flagged.mean() < 0.1


def test_codes_with_a_point_are_the_same_codes(tmp_path, rng):
    codes, amount = rng.integers(0, 2, N), rng.normal(size=N)
    rows = [(str(c), f"{a:.4f}") for c, a in zip(codes, amount, strict=True)]
    reference = table(tmp_path / "whole.csv", ("code", "amount"), rows)
    points = [(f"{c}.0", a) for c, a in rows[:50]]
    points[3] = ("", points[3][1])

    result = scored(
        table(tmp_path / "points.csv", ("code", "amount"), points), reference=reference
    )

    assert result.flagged.sum() <= 1
    assert "code" not in result.reason_text(0)


def test_another_unit_is_told(tmp_path, rng):
    def rows(unit):
        return [(f"{x:.1f} {unit}", f"{x * x:.2f}") for x in rng.normal(70, 2, N)]

    header = ("weight", "square")
    reference = table(tmp_path / "kilograms.csv", header, rows("kg"))

    result = scored(
        table(tmp_path / "pounds.csv", header, rows("lb")), reference=reference
    )

    assert (
        "weight: in lb, in the reference in kg; the numbers are compared as they are"
        in result.notes
    )


def test_a_currency_is_no_other_unit(tmp_path, rng):
    def rows():
        return [(f"{x:.2f} EUR", f"{x * x:.2f}") for x in rng.normal(70, 2, N)]

    header = ("price", "square")
    reference = table(tmp_path / "reference.csv", header, rows())

    result = scored(table(tmp_path / "new.csv", header, rows()[:40]), reference)

    assert not any(note.startswith("price: in ") for note in result.notes)


@pytest.mark.parametrize("form", ["{:.2f}", "{:g}", "{:.1f} €", "comma"])
@pytest.mark.parametrize("known", ["1.50", "1,5", "$1.5"])
def test_a_constant_is_the_same_however_it_is_written(tmp_path, rng, known, form):
    def write(name, constant, n):
        rows = [(f"{x:.3f}", constant) for x in rng.normal(size=n)]
        return table(tmp_path / name, ("x", "rate"), rows)

    reference = write("reference.csv", known, N)
    text = "1,50" if form == "comma" else form.format(1.5)

    same = scored(write("same.csv", text, 40), reference)
    other = scored(write("other.csv", "1.6", 40), reference)

    assert not any("rate" in note for note in same.notes)
    assert any("rate: in the reference always" in note for note in other.notes)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([True] * N),
        pa.array([0.1] * N, pa.float32()),
        pa.array([dt.datetime(2024, 1, 1)] * N),
        pa.array([dt.date(2024, 1, 1)] * N),
        pa.array(["1.50"] * N),
    ],
    ids=lambda column: str(column.type),
)
def test_a_constant_column_that_stays_the_same_is_not_told(rng, column):
    data = pa.table({"always": column, "amount": rng.normal(size=N)})

    result = scored(data.slice(0, 30), reference=data)

    assert not any("always" in note for note in result.notes)


def test_a_number_is_shown_with_the_digits_that_set_it_apart(rng):
    press = 1013.25 + rng.uniform(-0.0005, 0.0005, N)
    press[17] = 1013.262

    result = scored(pa.table({"press": press, "x": rng.normal(size=N)}), detector="knn")

    (text,) = [r.text for r in result.reasons[17] if r.column == "press"]
    shown, between = text.removeprefix("press ").split(" where similar rows have ")
    assert shown not in between.split(" to ")
    assert np.isclose(float(shown.replace(",", "")), 1013.262)
