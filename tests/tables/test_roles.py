"""Roles of columns, from their values alone."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import odbench
from odbench.errors import UsageError
from odbench.tables.columns import parsed_numbers
from odbench.tables.dates import _read_date, read_clock, read_dates
from odbench.tables.encode import Encoder
from odbench.tables.fitted import chosen_roles
from odbench.tables.number_roles import is_counter
from odbench.tables.numbers import read_number
from odbench.tables.roles import infer_roles
from odbench.tables.two_digit_years import first_year, years_from
from odbench.tables.values import as_days
from odbench.tables.written import rewritten


def role(values, **others):
    table = pa.table({"x": values, **others})
    return infer_roles(table)[0]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([str(n) for n in range(1, 101)], "identifier"),
        ([f"M{n}" for n in range(50)], "identifier"),
        (["a"] * 20, "constant"),
        (["7"] * 20, "constant"),
        (["", "NA", "?", "null"], "empty"),
        (["1.5", "2", "?", "3.25"] * 9, "number"),
        (["1", "2", "2", "5"] * 9, "integer"),
        (["t", "f", "f", ""] * 9, "yes/no"),
        (["0", "1", "1"] * 9, "yes/no"),
        (["red", "green", "blue"] * 9, "category"),
        (["none", "guarantor", "co applicant"] * 9, "category"),
        (["01067", "10115", "20095"] * 9, "category"),
        (["2010-01-01 00:00", "2010-01-02 05:30", "2011-07-09 12:00"] * 5, "date"),
        (["31.12.2025", "2026-01-03", "4 Feb 2026", ""] * 5, "date"),
        ([f"{y}-{(y + 1) % 100:02d}" for y in range(1920, 1931)], "date"),
        (["2009/10", "2010/11", "2011/12"] * 9, "date"),
        (["FY 2019/2020", "FY 2020/2021", ""] * 9, "date"),
        ([f"{m:02d}/{y}" for y in (2019, 2020) for m in range(1, 13)], "date"),
        ([f"10.{n % 7}.{n + 10}.{n}" for n in range(40)], "identifier"),
        ([f"{n}/2000" for n in range(1, 60)], "identifier"),
        ([f"the {n} customer called about a broken door" for n in range(30)], "text"),
        (["a", None, "a", "a"] * 9, "category"),
    ],
)
def test_roles_are_inferred_from_values(values, wanted):
    assert role(values).role == wanted


def test_numbers_drawn_from_a_range_as_identifiers_are_left_out(rng):
    numbers = rng.choice(10**8, size=2_000, replace=False)

    assert role(numbers).role == "identifier"


def test_whole_numbers_below_zero_are_counted_by_nobody(rng):
    days = rng.permutation(np.arange(-40, 30))

    assert role(days).role == "integer"
    assert role([str(day) for day in days]).role == "integer"
    assert role(np.arange(-1, 60)).role == "identifier"


def test_few_measurements_that_are_spread_evenly_stay_numbers():
    for n, wanted in ((40, "integer"), (190, "integer"), (210, "identifier")):
        assert role(np.arange(n) * 97 + 20_000).role == wanted


def test_seasons_are_their_first_year_and_no_months():
    values = ["1999-00", "2009-10", "2010-11", "2023-24"]
    column = role(values)

    assert column.season
    assert column.note == "years that end in the next one"
    days = parsed_numbers(column, pa.array([*values, "2010-12", None]))
    years = np.array(["1999", "2009", "2010", "2023"], dtype="datetime64[D]")
    np.testing.assert_array_equal(days[:4], years.astype(np.int64))
    assert np.isnan(days[4:]).all()


@pytest.mark.parametrize(
    "write", [str, lambda value: str(pd.Timedelta(value)), "{}".format]
)
def test_lengths_of_time_are_numbers_of_seconds(rng, write):
    seconds = rng.integers(-90_000, 400_000, 50).tolist()
    texts = [write(dt.timedelta(seconds=value)) for value in seconds]

    column = role(texts)

    assert (column.role, column.unit, column.note) == ("number", "s", "in seconds")
    read = parsed_numbers(column, pa.array([*texts, "soon", None]))
    assert read[:50].tolist() == seconds
    assert np.isnan(read[50:]).all()


def test_minutes_and_seconds_with_a_fraction_are_lengths_of_time(rng):
    seconds = np.round(rng.uniform(50, 4_000, size=200), 1)
    texts = [f"{s // 60:.0f}:{s % 60:04.1f}" if s >= 60 else f"{s}" for s in seconds]
    column = role(texts)

    assert (column.role, column.unit) == ("number", "s")
    found = parsed_numbers(column, pa.array(texts))
    np.testing.assert_allclose(found, seconds, atol=1e-9)


def test_minutes_that_could_be_hours_are_no_lengths_of_time():
    values = [f"{n // 6}:{10 * (n % 6):02d}" for n in range(6, 60)]

    assert role([*values, "1:23.4"]).role != "number"


def test_marks_of_estimates_and_footnotes_are_no_part_of_a_number():
    texts = [f"{n}.5" for n in range(30)] + ["~31", "≈ 32.5", "33.1*", "$34†", "(35)**"]

    column = role(texts)

    assert (column.role, column.note) == (
        "number",
        "the marks *, ~, † and ≈ are left out",
    )
    found = parsed_numbers(column, pa.array(texts[-5:]))
    assert found.tolist() == [31.0, 32.5, 33.1, 34.0, -35.0]
    assert role(["*", "**", "***", "no"] * 9).role == "category"


def test_times_below_a_day_stay_times_of_day():
    assert role(["08:30", "17:05:10", "23:59"] * 9).clock
    assert role(["08:30", "17:05:10", "24:00"] * 9).duration
    minutes = [f"{m // 60:02}:{m % 60:02}" for m in range(0, 1_440, 7)]
    assert role([*minutes, "24:00"]).clock
    assert role([*minutes, "99:00"]).duration


def test_months_of_several_years_are_no_seasons():
    column = role(["2009-10", "2010-11", "2011-12", "2012-01", "2012-02"])

    assert (column.role, column.season) == ("date", False)


def test_a_table_of_seasons_is_explained_by_seasons():
    seasons = [f"{2000 + n % 12}/{(2001 + n % 12) % 100:02d}" for n in range(120)]
    table = {"season": ["1931/32", *seasons], "goals": [9.0, *np.arange(120.0) % 7]}

    reasons = odbench.score(table, detector="knn")["reasons"]

    assert reasons[0].startswith("season 1931-32 where similar rows have 200")


def test_dates_that_stand_for_months_have_no_weekday():
    months = np.arange("2010-01", "2015-01", dtype="datetime64[M]")
    first = months.astype("datetime64[D]")
    either = first + np.arange(len(first)) % 2
    for days, has_weekday in ((first, False), (first - 1, False), (either, True)):
        table = pa.table({"x": days.astype(str)})
        (learned,) = Encoder.of(infer_roles(table), table).learned
        assert ("weekday" in learned.parts) == has_weekday


def test_amounts_that_all_differ_stay_numbers(rng):
    amounts = np.unique(np.round(np.exp(rng.normal(10, 1, 3_000))))

    assert not is_counter(amounts)
    assert role(amounts).role == "integer"


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["1,5", "2,25", "3"], [1.5, 2.25, 3.0]),
        (["1.234,5", "2.000,0", "7,1"], [1234.5, 2000.0, 7.1]),
        (["1,234.5", "2,000.0", "7.1"], [1234.5, 2000.0, 7.1]),
        (["1 234,5", "2 000,0", "7,1"], [1234.5, 2000.0, 7.1]),
        (["$1,200.50", "$3.25", "$4"], [1200.5, 3.25, 4.0]),
        (["12 %", "3.5 %", "8 %"], [12.0, 3.5, 8.0]),
        (["-1e3", "+2.5E-1", ".5"], [-1000.0, 0.25, 0.5]),
        (["-$3", "$-4.5", "$1,000"], [-3.0, -4.5, 1000.0]),
        (["(12.50)", "3.25", "(1,000.00)"], [-12.5, 3.25, -1000.0]),
        (["12.50-", "3.25", "1,000.00-"], [-12.5, 3.25, -1000.0]),
        (["1.234,50 EUR", "-3,25 EUR", "4 EUR"], [1234.5, -3.25, 4.0]),
        (["USD 5", "USD 1,000", "USD -3.5"], [5.0, 1000.0, -3.5]),
        (["\u22123.5", "4", "5.5"], [-3.5, 4.0, 5.5]),
        (["1", "inf", "2.5", "-Infinity"], [1.0, np.nan, 2.5, np.nan]),
    ],
)
def test_numbers_in_text_are_read_as_written(values, numbers):
    column = role(values)

    assert column.role in ("number", "integer")
    found = parsed_numbers(column, pa.array(values))
    np.testing.assert_array_equal(found, numbers)


def test_thousands_or_decimals_is_decided_by_the_other_columns():
    unclear = ["1.234", "2.345", "3.456"]

    alone = infer_roles(pa.table({"x": unclear}))[0]
    beside = infer_roles(pa.table({"x": unclear, "y": ["0,5", "1,75", "2,0"]}))[0]

    assert parsed_numbers(alone, pa.array(unclear)).tolist() == [1.234, 2.345, 3.456]
    assert parsed_numbers(beside, pa.array(unclear)).tolist() == [1234, 2345, 3456]


def test_a_few_words_among_numbers_are_missing_values():
    values = [str(n / 4) for n in range(100)] + ["broken"]

    column = role(values)

    assert column.role == "number"
    assert column.note == "1 row read as missing, such as 'broken'"
    assert np.isnan(parsed_numbers(column, pa.array(values))[-1])


@pytest.mark.parametrize("huge", ["1e999", "-1e305", "inf", "nan"])
def test_numbers_beyond_the_range_are_missing(huge):
    assert np.isnan(read_number(huge, "."))
    values = pa.array([huge, "1"])
    assert np.isnan(parsed_numbers(role(["2", "1"]), values)[0])


def test_the_order_of_day_and_month_is_found_out():
    american = role(["01/25/2026", "02/03/2026", "12/31/2026"])
    european = role(["25/01/2026", "02/03/2026", "31/12/2026"])

    second_of_march, third_of_february = 20514.0, 20487.0
    when = pa.array(["02/03/2026"])
    assert parsed_numbers(european, when)[0] == second_of_march
    assert parsed_numbers(american, when)[0] == third_of_february
    assert "no day is above 12" in role(["01/02/2026", "03/04/2026", "05/06/2026"]).note


def test_dates_agree_with_the_calendar():
    texts = ["1970-01-02", "2000-02-29T12:00:00+02:00", "1.3.2000", "99/99/2000", "x"]

    days = read_dates(texts, day_first=True)

    expected = [1.0, 11016.5, 11017.0, np.nan, np.nan]
    np.testing.assert_allclose(days, expected, rtol=0, atol=1e-9)


def test_no_name_changes_a_role():
    values = [str(n % 7) for n in range(30)]

    for name in ("id", "label", "class", "date", "UDI", "Unnamed: 0"):
        assert infer_roles(pa.table({name: values}))[0].role == "integer"


def test_the_order_of_rows_changes_no_role(rng):
    values = [str(n) for n in range(1_000)]
    shuffled = rng.permutation(values).tolist()

    assert role(values) == role(shuffled)


def test_the_user_overrules():
    table = pa.table({"code": ["1", "2", "3"] * 9, "n": [str(n) for n in range(27)]})

    given = chosen_roles(
        table.column_names, {"category": ["code"], "number": ["n"]}, "t.csv"
    )
    columns = infer_roles(table, given)

    assert [c.role for c in columns] == ["category", "number"]
    assert all(c.given for c in columns)


@pytest.mark.parametrize(
    ("role", "values"),
    [
        ("number", ["DE", "FR", None]),
        ("date", ["1,200.50", "99.90", "?"]),
        ("date", pa.array([1.5, 2.5, None])),
        ("date", pa.array([True, False, True])),
    ],
)
def test_a_chosen_role_that_no_value_has_is_one_line(role, values):
    table = pa.table({"x": values})

    with pytest.raises(UsageError) as caught:
        infer_roles(table, {"x": role})

    message = str(caught.value)
    assert message.startswith(f"column 'x': --{role} wants {role}s, but none of its ")
    assert message.endswith(
        "; leave it out, or choose another role, such as --category"
    )
    assert "\n" not in message


@pytest.mark.parametrize(
    ("role", "values", "note"),
    [
        ("number", ["1.5", "DE", "DE", ""], "2 rows read as missing, such as 'DE'"),
        (
            "number",
            [*(f"{n} kg" for n in range(40)), "x kg"],
            "1 row read as missing, such as 'x kg'",
        ),
        ("date", ["31.12.2025", "99.90"], "1 row read as missing, such as '99.90'"),
        ("date", pa.array([45_000, 7, 7]), "2 rows read as missing, such as '7'"),
    ],
)
def test_values_that_a_chosen_role_leaves_out_are_counted(role, values, note):
    (column,) = infer_roles(pa.table({"x": values}), {"x": role})

    assert (column.role, column.note) == (role, f"as asked; {note}")


@pytest.mark.parametrize("kind", [pa.string(), pa.float64(), pa.null()])
@pytest.mark.parametrize("role", ["number", "date"])
def test_a_chosen_role_of_a_column_without_values_is_kept(kind, role):
    (column,) = infer_roles(pa.table({"x": pa.nulls(9, kind)}), {"x": role})

    assert (column.role, column.note) == (role, "as asked")


def test_names_with_commas_may_be_given():
    names = ["a,b", "a", "c"]

    assert chosen_roles(names, {"ignored": ["a,b"]}, "t") == {"a,b": "ignored"}
    assert set(chosen_roles(names, {"ignored": ["a, c"]}, "t")) == {"a", "c"}


def test_unknown_and_contradictory_names_are_one_line():
    with pytest.raises(
        UsageError, match=r"t\.csv: has no column 'amout'; did you mean 'amount'"
    ):
        chosen_roles(["amount", "day"], {"ignored": ["amout"]}, "t.csv")
    with pytest.raises(UsageError, match="got two roles, number and date"):
        chosen_roles(["a"], {"number": ["a"], "date": ["a"]}, "t.csv")


@pytest.mark.parametrize(
    "text",
    ["2026-01-01 12:00 W", "1 Jan 2026 9999999999999999999999999999999", "1.1.0000"],
)
def test_dates_that_confuse_the_parser_raise_and_warn_of_nothing(text):
    (day,) = read_dates([text], day_first=True)

    assert np.isnan(day) or day == 20454.5


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["08:30", "23:59", "0:00", "12:00:30"], [8.5, 23 + 59 / 60, 0, 12 + 1 / 120]),
        (["12:00 am", "1:30 PM", "12:05 p.m."], [0, 13.5, 12 + 5 / 60]),
    ],
)
def test_times_of_day_are_hours_however_they_are_stored(texts, days):
    column = role(texts * 9)

    assert (column.role, column.clock) == ("date", True)
    np.testing.assert_allclose(parsed_numbers(column, pa.array(texts)) * 24, days)
    encoder = Encoder.of([column], pa.table({"x": texts * 9}))
    assert encoder.names == ("x",)
    np.testing.assert_allclose(encoder.encode(pa.table({"x": texts}))[:, 0], days)


def test_typed_times_are_those_of_text():
    texts = ["08:30:00", "23:59:00", "00:00:01"]
    typed = pa.array([dt.time.fromisoformat(text) for text in texts], pa.time32("s"))

    assert role(typed) == role(texts)
    np.testing.assert_array_equal(as_days(typed), [read_clock(text) for text in texts])


@pytest.mark.parametrize("text", ["24:00", "1:60", "13:00 pm", "1:5", "12.30", ""])
def test_other_texts_are_no_times(text):
    assert np.isnan(read_clock(text))


def test_dates_that_do_not_exist_are_counted():
    column = role(["2026-02-30", *[f"2026-01-{day:02d}" for day in range(1, 28)]])

    note = "1 row read as missing, such as '2026-02-30'"
    assert (column.role, column.note) == ("date", note)


@pytest.mark.parametrize("text", ["1-", "--5", "-(5)", "(5", "5)", "5 kg", "USDX 5"])
def test_signs_and_units_that_say_something_else_are_no_numbers(text):
    assert np.isnan(read_number(text, "."))


@pytest.mark.parametrize("values", [["1", "inf"], ["inf", "-inf"], ["0", "Infinity"]])
def test_infinity_beside_one_number_is_a_name(values):
    assert role(values * 9).role == "yes/no"


@pytest.mark.parametrize("start", [2**53, 2**63, -(2**62), 12345678901234567890123])
@pytest.mark.parametrize("as_text", [True, False])
def test_whole_numbers_that_float64_confuses_keep_their_role(start, as_text):
    if not as_text and abs(start) > 2**63:
        pytest.skip("no Arrow integer is so long")

    def made(steps):
        values = [start + int(step) for step in steps]
        if as_text:
            return [str(value) for value in values]
        return pa.array(values, pa.uint64() if start > 0 else pa.int64())

    assert role(made(range(0, 300, 3))).role == "identifier"
    assert role(made([0] * 9)) == role([str(start)] * 9)
    repeated = role(made([0, 1, 5, 1] * 9))
    assert (repeated.role, repeated.note) == ("integer", "digits beyond 2^53 are lost")


def test_infinite_values_are_told_from_missing_ones():
    values = pa.array([1.5, None, float("nan"), float("inf"), -float("inf"), 2.5])

    column = role(values)

    assert (column.role, column.note) == ("number", "2 infinite values read as missing")


def test_lengths_of_time_do_not_name_rows():
    seconds = list(range(60))

    typed = role(pa.array([dt.timedelta(seconds=n) for n in seconds]))
    text = role(pa.array([f"0 days 00:00:{n:02}" for n in seconds]))

    assert (typed.role, typed.note) == ("integer", "in seconds")
    assert text.used


def test_spellings_of_true_are_one_value():
    both = role(pa.array(["TRUE", "true", "False"] * 5))
    one = role(pa.array(["True", "true", "TRUE"] * 5))

    assert (both.role, both.note) == ("yes/no", "'False' or 'TRUE'")
    assert (one.role, one.note) == ("constant", "always 'true'")


def test_numbers_that_are_too_large_are_said_to_be():
    some = [float(n) / 7 for n in range(40)]

    typed = role(pa.array([1e305, float("inf"), *some]))
    text = role(pa.array(["1e305", *map(str, some)]))

    assert (typed.role, typed.note) == (
        "number",
        "2 values beyond 1e+300 read as missing",
    )
    assert (text.role, text.note) == (
        "number",
        "1 row read as missing, such as '1e305'",
    )


def test_dates_of_digits_are_dates_as_text_and_as_whole_numbers():
    days = [dt.date(2023, 11, 1) + dt.timedelta(9 * n) for n in range(30)]
    digits = [day.strftime("%Y%m%d") for day in days]
    wanted = [(day - dt.date(1970, 1, 1)).days for day in days]

    for values in (digits, pa.array([int(text) for text in digits])):
        column = role(values)
        assert column.role == "date"
        found = parsed_numbers(column, pa.table({"x": values})["x"])
        np.testing.assert_array_equal(found, wanted)


def test_numbers_of_eight_digits_are_no_dates_if_one_of_them_is_none():
    digits = [20230101 + n for n in range(60)]

    assert role([str(n) for n in digits]).role == "identifier"
    assert role(pa.array(digits)).role == "identifier"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("05-Jan-24", "2024-01-05"),
        ("5 Jan 24", "2024-01-05"),
        ("Mar 2024", "2024-03-01"),
        ("2024-Mar", "2024-03-01"),
        ("03/2024", "2024-03-01"),
        ("3-2024", "2024-03-01"),
        ("2024M03", "2024-03-01"),
        ("2024-W01", "2024-01-01"),
        ("2020-W53-5", "2021-01-01"),
        ("2024-Q3", "2024-07-01"),
        ("Q3 2024", "2024-07-01"),
        ("3Q2024", "2024-07-01"),
        ("2024 W01", "2024-01-01"),
        ("Mar-24", "2024-03-01"),
        ("September '24", "2024-09-01"),
        ("20240229", "2024-02-29"),
        ("20240229T0600", "2024-02-29T06:00"),
    ],
)
def test_shorter_dates_agree_with_the_calendar(text, day):
    (found,) = read_dates([text], day_first=True)

    assert found == (np.datetime64(day, "m") - np.datetime64(0, "m")) / np.timedelta64(
        1, "D"
    )


@pytest.mark.parametrize(
    "form",
    [
        "%Y.%m.%d",
        "%Y. %m. %d.",
        "%Y.%m.%d %H:%M",
        "%Y年%m月%d日",
        "%Y年%m月%d日 %H:%M:%S",
        "%Y年%m月%d日%H时%M分",
        "%Y년 %m월 %d일",
        "%d/%b/%Y:%H:%M:%S +0000",
        "[%d/%b/%Y:%H:%M:%S -0700]",
        "%a, %d %b %Y %H:%M:%S GMT",
        "%a, %d %b %Y %H:%M:%S +0200",
        "%A, %B %d, %Y",
        "%a. %d %B %Y",
        "%A %d.%m.%Y",
        "%a %Y-%m-%d %H:%M",
        "%a %b %d %H:%M:%S %Y",
        "%a %b %d %H:%M:%S CEST %Y",
    ],
)
def test_dates_of_logs_mails_and_other_languages_agree_with_the_calendar(form):
    start = dt.datetime(2024, 5, 31, 16, 50, 56)
    moments = [start + dt.timedelta(days=9 * n, minutes=13 * n) for n in range(30)]
    texts = [moment.strftime(form) for moment in moments]
    column = role(texts)
    # A part that the text does not show is zero.
    shown = [dt.datetime.strptime(text, form).replace(tzinfo=None) for text in texts]
    wanted = [(each - dt.datetime(1970, 1, 1)) / dt.timedelta(days=1) for each in shown]

    assert (column.role, column.note) == ("date", "")
    found = parsed_numbers(column, pa.array(texts))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "form",
    [
        "2.{m}.{n}",
        "{n}.234.567",
        "2024.{n}",
        "2024.{m}.{n}.7",
        "2024.{m}.0",
        "{n}234.5.67",
        "Mon {n}",
        "Sun {n}:{m} pm",
        "2024年",
        "{n}年{m}月",
    ],
)
def test_versions_numbers_and_weekdays_are_no_dates(form):
    texts = [form.format(n=1 + n, m=1 + n % 9) for n in range(60)]

    assert role([*texts, "x"]).role != "date"


@pytest.mark.parametrize(
    "form",
    [
        "{d}. {de} 2025", "{d:02d}-{de}-25", "Montag, {d}. {de} 2025 um 08:30 Uhr",
        "{d} {fr} 2025", "{d} {fr} 2025 14:05", "lun. {d} {fr} 2025", "{fr} 2025",
        "{d} de {es} de 2025", "martes, {d} de {es} de 2025", "{d} {it} 2025",
        "{d} de {pt} de 2025", "{d} {nl} 2025",
    ],
)  # fmt: skip
def test_months_have_names_in_several_languages(form):
    months = {
        "de": "Januar Feb März Apr. Mai Juni Juli Aug Sep Okt. November Dez",
        "fr": "janvier févr. mars avr. mai juin juillet août sept. oct. nov. déc.",
        "es": "enero feb marzo abr mayo junio julio agosto sept octubre nov dic",
        "it": "gennaio feb marzo apr maggio giu lug agosto set ottobre nov dic",
        "pt": "janeiro fev março abr maio junho julho agosto set outubro nov dez",
        "nl": "januari feb maart april mei juni juli augustus sept oktober nov dec",
    }
    rows = [
        {"d": day, "m": place + 1} | {k: v.split()[place] for k, v in months.items()}
        for place in range(12)
        for day in (1, 14, 28)
    ]
    texts = [form.format(**row) for row in rows]

    column = role([*texts, None])

    assert column.role == "date"
    days = np.floor(parsed_numbers(column, pa.array(texts)))
    wanted = [
        (dt.date(2025, row["m"], row["d"] if "{d" in form else 1) - dt.date(1970, 1, 1))
        for row in rows
    ]
    assert days.tolist() == [day.days for day in wanted]


@pytest.mark.parametrize(
    "form",
    ["Modell {n} mai 2024", "{n} pieces 2024", "{n} set", "mai {n}", "{n} mag 7"],
)
def test_words_beside_numbers_are_no_months(form):
    assert role([form.format(n=n) for n in range(1, 60)]).role != "date"


@pytest.mark.parametrize("form", ["market-{n}", "set-{n}", "Jan {n}", "Q{n}", "{n}Q"])
def test_short_words_and_numbers_are_no_months(form):
    assert role([form.format(n=n) for n in range(10, 60)]).role != "date"


@pytest.mark.parametrize("day_first", [True, False])
def test_dates_of_digits_are_read_as_the_parser_of_all_forms_reads_them(rng, day_first):
    dates = [
        f"{a:02d}{mark}{b}{mark}{year}{clock}"
        for mark in "./-"
        for a, b in rng.integers(0, 34, size=(40, 2))
        for year in (f"{rng.integers(1, 3_000):04d}", f"{rng.integers(100):02d}")
        for clock in ("", " 8:05", "T23:59:59.25", "  12:00 am", " 1:30PM", " 24:00")
    ]
    dates += [
        f"{year}{mark}{month}{mark}{day}{clock}"
        for year, mark in ((1492, "/"), (2024, "-"))
        for month, day in rng.integers(0, 34, size=(40, 2))
        for clock in ("", " 8:05", " 13:00 pm")
    ]
    usual = years_from(1960)

    found = read_dates(dates, day_first=day_first, first=1960)

    wanted = [_read_date(text, day_first, usual) for text in dates]
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-10)
    assert 0.2 < np.isnan(found).mean() < 0.9


@pytest.mark.parametrize("form", ["%m/%d/%Y %H:%M", "%d.%m.%y %H:%M:%S"])
def test_many_dates_of_digits_need_no_parser_of_all_forms(form, monkeypatch):
    start = dt.datetime(2024, 5, 31, 16, 50, 56)
    texts = [(start + dt.timedelta(hours=n)).strftime(form) for n in range(2_000)]

    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr("dateutil.parser.parse", refuse)
    days = read_dates(texts, day_first="d." in form, first=1970)

    np.testing.assert_allclose(np.diff(days), 1.0 / 24.0, atol=1e-9)


@pytest.mark.parametrize("text", ["2024-W60", "2024-Q5", "20240230", "12 Items 24"])
def test_shapes_of_dates_that_do_not_exist_are_missing(text):
    assert np.isnan(read_dates([text], day_first=True)[0])


@pytest.mark.parametrize(
    ("values", "day"),
    [
        (["1700000000", "1700086400"], 19_675.925925925927),
        (["1700000000000", "1700086400000"], 19_675.925925925927),
        (["45000", "45001.5"], 19_431.0),
        (pa.array([1_700_000_000, 1_700_086_400]), 19_675.925925925927),
    ],
)
def test_counts_of_time_are_dates_if_the_user_says_so(values, day):
    table = pa.table({"x": values})
    (column,) = infer_roles(table, {"x": "date"})

    assert parsed_numbers(column, table["x"])[0] == pytest.approx(day)
    assert role(values).role != "date"


def test_numbers_like_times_since_1970_are_told_how_to_become_times():
    values = [str(1_700_000_000_000 + 60_000 * n) for n in range(50)]

    assert "milliseconds since 1970, `odbench score --date`" in role(values).note


@pytest.mark.parametrize(
    ("values", "noted"),
    [
        (["20.1", "19.5", "21", "-999", "18.2"] * 9, True),
        (["20.1", "19.5", "21", "-999.0", "18.2"] * 9, True),
        ([20, 19, 9999, 18] * 9, True),
        (["20.1", "19.5", "21", "18.2"] * 9 + ["-999"], False),
        ([1, 50, 70, 99] * 9, False),
        ([20, 19, 1000, 18] * 9, False),
        ([5, 5, 5, 999] * 9, False),
    ],
)
def test_a_number_that_stands_for_missing_ones_is_told(values, noted):
    assert ("read as missing" in role(values).note) == noted


@pytest.mark.parametrize(
    ("values", "numbers", "note"),
    [
        (["1.2k", "900", "3M", None], [1200, 900, 3e6], "k = 1,000, M = 1,000,000"),
        (["1,2k", "90,5", "3 M"], [1200, 90.5, 3e6], "k = 1,000, M = 1,000,000"),
        (["$1.2K", "$3.5M", "-"], [1200, 3.5e6], "K = 1,000, M = 1,000,000"),
        (
            ["512 B", "1.5 KB", "2 GiB"],
            [512, 1500, 2e9],
            "K = 1,000, G = 1,000,000,000",
        ),
        (
            ["4.0K", "1.2M", "512", "0"],
            [4000, 1.2e6, 512, 0],
            "K = 1,000, M = 1,000,000",
        ),
    ],
)
@pytest.mark.parametrize("given", [None, {"x": "number"}])
def test_letters_behind_numbers_are_thousands_and_millions(
    values, numbers, note, given
):
    table = pa.table({"x": values * 9})

    (column,) = infer_roles(table, given)

    assert column.role in ("number", "integer")
    assert given or column.note.removesuffix("; decimal comma") == note
    found = parsed_numbers(column, table["x"])[: len(numbers)]
    np.testing.assert_allclose(found, numbers)


@pytest.mark.parametrize(
    "values",
    [["1.2B", "3M", "4k"], ["12A", "7K", "3M"], ["3G", "4G", "LTE"], ["M", "k"]],
)
def test_other_letters_behind_numbers_are_names(values):
    assert role(values * 9).role in ("category", "yes/no")


def test_letters_of_magnitudes_are_read_in_another_table_too():
    known = pa.table({"x": ["1.2k", "900", "3M"] * 9})
    (column,) = infer_roles(known)
    new = pa.table({"x": ["3 k", "5 k"]})

    how = rewritten([column], new)["x"]

    assert (how.unit, parsed_numbers(how, new["x"]).tolist()) == ("", [3000.0, 5000.0])


@pytest.mark.parametrize(
    ("values", "numbers", "unit"),
    [
        (["50 kg", "70kg", "", "82.5 kg"] * 9, [50, 70, np.nan, 82.5], "kg"),
        (["1,5 m/s", "2 m/s", "-3,25 m/s"] * 9, [1.5, 2, -3.25], "m/s"),
        (["1.200 km", "12 km", "7,5 km"] * 9, [1200, 12, 7.5], "km"),
        (["20.5 °C", "21 °C", "19 °C"] * 9, [20.5, 21, 19], "°C"),
        (["12,34,567.5", "1,23,456", "99"] * 9, [1234567.5, 123456, 99], ""),
    ],
)
def test_numbers_with_a_unit_are_numbers_in_it(values, numbers, unit):
    table = pa.table({"x": values})
    (column,) = infer_roles(table)

    assert column.role in {"number", "integer"}
    assert column.unit == unit
    found = parsed_numbers(column, table["x"])[: len(numbers)]
    np.testing.assert_array_equal(found, numbers)


@pytest.mark.parametrize(
    "values",
    [
        ["50 kg", "70 g", "82.5 kg"] * 9,
        ["01 A", "02 A", "03 A"] * 9,
        ["18-24 years", "25-34 years", "35-44 years"] * 9,
        ["1st", "2nd", "3rd"] * 9,
        ["36 months", "60 months"] * 9,
    ],
)
def test_other_words_behind_digits_are_names(values):
    assert role(values).role in {"category", "yes/no"}


def test_a_unit_is_read_in_columns_that_the_user_calls_numbers():
    table = pa.table({"x": ["36 months", "60 months"]})
    (column,) = infer_roles(table, {"x": "number"})

    np.testing.assert_array_equal(parsed_numbers(column, table["x"]), [36, 60])


def test_durations_are_shown_in_seconds():
    column = role(pa.array([1_500, 2_000, 3_250] * 9, pa.duration("ms")))

    assert (column.role, column.unit, column.note) == ("number", "s", "in seconds")


def test_rows_without_a_number_are_counted_and_not_different_values():
    column = role([*(f"{n / 7:.3f}" for n in range(300)), *["<0.1"] * 78])

    assert column.note == "78 rows read as missing, such as '<0.1'"


@pytest.mark.parametrize(
    "values",
    [
        [f"{4501 + n % 39}-{1 + n % 11:02d}" for n in range(200)],
        [f"{1081 + 87 * n % 8900}-{1 + n % 9}" for n in range(100)],
        [f"{n % 4}.{n % 17}.{n % 60:02d}" for n in range(200)],
    ],
    ids=["accounts", "parts", "versions"],
)
def test_numbers_of_accounts_parts_and_versions_are_no_dates(values):
    assert role(values).role != "date"


@pytest.mark.parametrize(
    ("years", "read"),
    [
        (range(40, 100), (1940, 1999)),
        (range(40, 76), (1940, 1975)),
        ([*range(85, 100), *range(27)], (1985, 2026)),
        (range(24, 50), (2024, 2049)),
        (range(100), (1927, 2026)),
    ],
)
def test_years_of_two_digits_are_one_run(years, read):
    first = first_year(years, 2026)
    found = [first + (year - first) % 100 for year in years]

    assert (min(found), max(found)) == read


def test_columns_of_two_digit_years_are_read_as_one_run():
    texts = [f"{1 + n % 28:02d}/01/{year}" for n, year in enumerate(range(40, 100))]
    column = role(texts)
    days = parsed_numbers(column, pa.array(texts))
    found = days.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970

    assert column.role == "date"
    assert (found.min(), found.max()) == (1940, 1999)


def test_two_digit_years_read_against_the_usual_are_told():
    told = role([f"05/13/{year}" for year in range(40, 100)])
    usual = role([f"05/13/{year}" for year in range(90, 100)])

    assert told.note == "years of two digits are read as 1940 to 1999"
    assert usual.note == ""


def test_a_date_in_either_order_is_read_as_the_other_columns():
    ordered = [f"{1 + n % 12}/{1 + n % 28}/2025" for n in range(60)]
    due = [f"{1 + n % 3}/{1 + n % 12}/2025" for n in range(60)]

    column = role(due, ordered=ordered)

    assert column.day_first is False
    assert column.note == "day and month in the order of other columns"


def test_a_single_leading_zero_makes_no_code(rng):
    numbers = [str(n) for n in rng.integers(1, 5_000, size=120)]
    column = role([*numbers, "0120"])

    assert column.role == "integer"
    assert column.note == "1 value with a leading zero, such as '0120'"
    assert role(["02134", *(f"{n}" for n in range(10_001, 10_200))]).role != "integer"


def test_a_counter_with_a_lapse_is_an_identifier(rng):
    counter = np.arange(50_001, 50_201)
    twice = counter.copy()
    twice[7] = twice[8]
    gone = [None if n == 50_050 else str(n) for n in counter]

    assert role(rng.permutation(twice)).role == "identifier"
    assert role(gone).role == "identifier"
    assert role(rng.integers(0, 200, size=100)).role == "integer"


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (["USD 99.1", "EUR 101.2", "JPY 15000"], "EUR, JPY and USD are not converted"),
        (["12%", "0.12", "0.5"], "% in some values only, not converted"),
        (["$3", "$4.50", "5"], ""),
    ],
)
def test_numbers_in_several_currencies_are_told(values, note):
    assert role(values * 7).note == note


def test_times_are_those_of_the_clock_that_the_table_shows():
    texts = [
        "2024-01-08T16:30+09:00",
        "2024-01-08 09:00:00 -05:00",
        "2024-07-01T08:00Z",
    ]
    zone = pa.timestamp("us", "Asia/Tokyo")
    typed = pa.array([dt.datetime(2024, 1, 8, 7, 30, tzinfo=dt.UTC)], zone)

    hours = 24 * (read_dates(texts, day_first=True) % 1)

    np.testing.assert_allclose(hours, [16.5, 9.0, 8.0])
    np.testing.assert_allclose(24 * (as_days(typed) % 1), 16.5)
