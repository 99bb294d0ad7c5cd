"""A fill value such as 1e20 leaves the other rows of its column their differences."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from odbench.tables.columns import parsed_numbers
from odbench.tables.dates import show_date
from odbench.tables.model_file import load_model, save_model
from odbench.tables.roles import infer_roles
from odbench.tables.scale import Scale, first_beyond
from odbench.tables.score import Request, score_table
from odbench.tables.stand_in import stand_ins

FILLS = [1e20, 9.969209968386869e36, 3.4e38, -1e34]
FILLED, ODD = 100, 10


def made(fill, n_filled=1):
    """Return a table with a fill value in some rows and one true outlier, 30."""
    rng = np.random.default_rng(0)
    x = rng.uniform(3.0, 7.0, 300).round(3)
    x[ODD] = 30.0
    x[FILLED : FILLED + n_filled] = fill
    return pa.table({"x": x, "y": rng.normal(size=300)})


def reason(scored, row):
    (text,) = [each.text for each in scored.reasons[row] if each.column == "x"]
    return text


def ends(text):
    """Return the ends of the range of similar rows in a reason."""
    return [float(each) for each in text.partition(" rows have ")[2].split(" to ")]


@pytest.mark.parametrize("detector", ["cats", "knn", "gmm", "pca"])
@pytest.mark.parametrize("fill", FILLS)
def test_a_single_number_beyond_any_unit_is_first_and_hides_none(fill, detector):
    scored, _ = score_table(Request(table=made(fill), detector=detector))

    assert scored.rank[[FILLED, ODD]].tolist() == [1, 2]
    assert reason(scored, ODD).startswith("x 30 where")
    assert float(reason(scored, FILLED).split()[1]) == pytest.approx(fill, rel=1e-3)
    for row in (FILLED, ODD):
        low, high = ends(reason(scored, row))
        assert 3.0 <= low < high <= 7.0


@pytest.mark.parametrize("n_filled", [1, 60, 150])
@pytest.mark.parametrize("odd", [-50.0, 4e6])
def test_fill_values_of_similar_rows_are_no_end_of_their_range(odd, n_filled):
    reference = made(1e20, n_filled=n_filled)
    new = pa.table({"x": [odd, 1e20], "y": [0.1, 5.0]})

    scored, _ = score_table(Request(table=new, reference=reference, detector="knn"))

    low, high = ends(reason(scored, 0))
    assert 3.0 <= low < high <= 7.0
    # A row that has the fill value itself is like them.
    said = [each.text for each in scored.reasons[1] if "x 1e+20 where" in each.text]
    assert len(said) == (n_filled == 1)


@pytest.mark.parametrize("write", [float, repr], ids=["number", "text"])
@pytest.mark.parametrize("fill", FILLS)
def test_a_fill_value_beyond_any_unit_is_told(fill, write):
    column = infer_roles(pa.table({"x": [write(x) for x in (3.5, fill, 6.25, 4.0)]}))[0]

    assert column.role == "number"
    assert column.note == (
        f"has {fill:.15g}, far beyond the other numbers; if that means missing, "
        f"leave it empty"
    )


@pytest.mark.parametrize(
    "values",
    [
        10.0 ** np.arange(-30, 30, 3),
        np.r_[np.full(50, 1e-17), -2e-17, 0.5],
        np.r_[np.zeros(50), 1e20],
        np.r_[3.0, 7.0, 1e20, 2e20, 3e20],
        np.r_[3.0, 7.0, 6e12],
    ],
    ids=["many sizes", "rounding errors", "two values", "most are large", "picometres"],
)
def test_other_large_numbers_are_no_fill_values(values):
    assert first_beyond(values) == np.inf


def test_the_scale_is_that_of_the_values_within_units():
    values = np.r_[3.0, 7.0, 5.5, 30.0]
    filled = np.r_[values, 1e20, -1e34][:, None]

    scale, plain = Scale.of(filled), Scale.of(values[:, None])

    assert (scale.mean, scale.deviation) == (plain.mean, plain.deviation)
    drawn = scale.apply(filled)[:, 0]
    np.testing.assert_array_equal(drawn[:3], plain.apply(filled)[:3, 0])
    # The others are no farther than a number among so many can be.
    assert np.abs(drawn).max() <= np.sqrt(len(filled))
    assert drawn[5] < drawn[0] < drawn[2] < drawn[1] < drawn[3] < drawn[4]
    restored = scale.restore(scale.apply(filled))[:, 0]
    np.testing.assert_allclose(restored[:4], filled[:4, 0])
    np.testing.assert_array_equal(restored[4:], [np.inf, -np.inf])


def test_far_values_are_drawn_in_and_keep_their_order(rng):
    scale = Scale(np.zeros(1), np.ones(1))
    values = np.sort(np.r_[-1e300, rng.normal(0.0, 800.0, 500), 1e4, 1e9, 1e20, 1e300])

    drawn = scale.apply(values[:, None])[:, 0]

    near = np.abs(values) <= 1e3
    np.testing.assert_array_equal(drawn[near], values[near])
    assert (np.diff(drawn[:-1]) >= 0.0).all()
    assert len(np.unique(drawn[values < 1e10])) == (values < 1e10).sum()
    assert np.abs(drawn).max() <= 2e3


@pytest.mark.parametrize("detector", ["cats", "knn", "gmm", "ocsvm"])
@pytest.mark.parametrize("fill", [-999.0, 99.99, 1e20, 2.0**31 - 1, 2.0**63])
def test_a_number_that_stands_for_missing_values_is_read_as_missing(fill, detector):
    filled = made(fill, n_filled=5)
    x = filled["x"].to_pylist()
    x[FILLED : FILLED + 5] = [None] * 5
    emptied = filled.set_column(0, "x", pa.array(x))

    scored, fitted = score_table(Request(table=filled, detector=detector))
    same, _ = score_table(Request(table=emptied, detector=detector))

    np.testing.assert_array_equal(scored.scores, same.scores)
    assert scored.rank[ODD] <= 3
    # These rows are still odd: cats counts what five rows lack as its fifth score.
    assert scored.rank[FILLED : FILLED + 5].max() <= 12
    assert reason(scored, FILLED).endswith("(read as missing), as in 1.7 % of rows")
    (told,) = [each for each in scored.reasons[FILLED] if each.column == "x"]
    assert told.value is None
    assert fitted.columns[0].fills == (fill,)
    assert fitted.columns[0].note == (
        f"{fill:.15g} in 5 rows read as missing, which --number prevents"
    )


def test_a_chosen_role_keeps_numbers_that_may_stand_for_missing_ones():
    kept = infer_roles(made(-999.0, n_filled=5), {"x": "number"})[0]

    assert (kept.fills, kept.note) == ((), "as asked")


@pytest.mark.parametrize(
    ("values", "fills"),
    [
        ([1.0, 2.0, 5.0, *[99.0] * 3, *[999.0] * 3], (99.0, 999.0)),
        ([20.0, 21.0, *[-999.0] * 3, *[9999.0] * 3], (-999.0, 9999.0)),
        ([20.0, 21.0, -999.0, -999.0], ()),
        ([20.0, 2100.0, -999.0, -999.0, -999.0], ()),
        ([20.0, 98.0, 100.0, 99.0, 99.0, 99.0], ()),
        ([97.0, 98.0, 98.0, 98.0], ()),
        ([92.0, 95.0, *[99.0] * 3], ()),
        ([62.0, 70.0, *[99.0] * 3], ()),
        ([-70.0, -65.5, *[-99.0] * 3], ()),
        ([420.0, 450.0, *[99.0] * 3], ()),
        ([420.0, 450.0, *[-99.0] * 3, *[999.0] * 3], (-99.0, 999.0)),
        ([99.0, 99.0, 99.0, 5.0], ()),
        ([3.0, 7.0, 1e20, 1e20], ()),
        ([3.0, 7.0, 1e20, 1e20, 1e20, 1e34], (1e20,)),
    ],
)
def test_which_numbers_stand_for_missing_ones(values, fills):
    distinct, rows = np.unique(values, return_counts=True)

    assert stand_ins(distinct, rows) == fills


def test_decimal_commas_hide_no_stand_in():
    texts = ["1,5", "2,25", "3,0", *["-999,0"] * 3]

    column = infer_roles(pa.table({"x": texts}))[0]

    assert column.fills == (-999.0,)
    assert "-999 in 3 rows read as missing" in column.note


@pytest.mark.parametrize("write", [int, str], ids=["number", "text"])
def test_whole_numbers_beyond_float_may_stand_for_missing_ones(write):
    values = [3, 8, 5, 5, *[2**63 - 1] * 3]

    column = infer_roles(pa.table({"x": [write(value) for value in values]}))[0]

    assert (column.role, column.fills) == ("integer", (2.0**63,))
    assert "in 3 rows read as missing" in column.note
    single = infer_roles(pa.table({"x": [write(value) for value in values[:5]]}))[0]
    assert "far beyond the other numbers" in single.note


@pytest.mark.parametrize(
    ("dates", "fills"),
    [
        (["9999-12-31", "2024-05-01", "2024-06-03"], ["9999-12-31"]),
        (["9999-12-31 23:59:59", "2024-05-01"] * 9, ["9999-12-31 23:59:59"]),
        (["0001-01-01", "2024-05-01", "2024-06-03"], ["0001-01-01"]),
        (["1900-01-01"] * 3 + ["2024-05-01", "2024-06-03"], ["1900-01-01"]),
        (["1970-01-01"] * 2 + ["2024-05-01", "2024-06-03"], []),
        (["1900-01-01"] * 3 + ["1899-05-01", "2024-06-03"], []),
        (["1970-01-01"] * 9 + ["1930-05-01", "2001-06-03"], []),
    ],
)
@pytest.mark.parametrize("typed", [False, True])
def test_dates_that_stand_for_missing_ones(dates, fills, typed):
    values = pa.array(dates)
    if typed:
        values = values.cast(pa.timestamp("us"))

    column = infer_roles(pa.table({"x": values}))[0]

    assert column.role == "date"
    assert [show_date(fill) for fill in column.fills] == fills
    assert ("read as missing, which --date prevents" in column.note) == bool(fills)
    gone = np.isnan(parsed_numbers(column, values))
    assert gone.tolist() == [text in fills for text in dates]


def test_lengths_of_time_are_kept():
    seconds = pa.array([3, 8, 5, 5, *[999] * 3]).cast(pa.duration("s"))

    column = infer_roles(pa.table({"x": seconds}))[0]

    assert (column.fills, column.note, column.unit) == ((), "in seconds", "s")


def test_a_model_keeps_its_stand_ins(tmp_path):
    path = tmp_path / "model.odb"
    reference = made(-999.0, n_filled=40).append_column("z", made(1e20)["x"])
    new = reference.slice(FILLED - 5, 50)
    scored, fitted = score_table(Request(table=new, reference=reference))
    save_model(fitted, path)

    loaded, _ = load_model(path)

    assert loaded.columns == fitted.columns
    again, _ = score_table(Request(table=new, fitted=loaded))
    np.testing.assert_array_equal(again.scores, scored.scores)
    alone, _ = score_table(Request(table=new.slice(7, 1), fitted=loaded))
    assert alone.scores[0] == pytest.approx(scored.scores[7])
