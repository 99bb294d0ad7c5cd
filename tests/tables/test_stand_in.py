"""A fill value such as 1e20 leaves the other rows of its column their differences."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from odbench.tables.roles import infer_roles
from odbench.tables.scale import Scale, first_beyond
from odbench.tables.score import Request, score_table

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


@pytest.mark.parametrize("detector", ["cats", "knn"])
@pytest.mark.parametrize("fill", FILLS)
def test_a_fill_value_hides_no_true_outlier_and_no_range(fill, detector):
    scored, _ = score_table(Request(table=made(fill), detector=detector))

    assert scored.rank[[FILLED, ODD]].tolist() == [1, 2]
    assert reason(scored, ODD).startswith("x 30 where")
    assert float(reason(scored, FILLED).split()[1]) == pytest.approx(fill, rel=1e-3)
    for row in (FILLED, ODD):
        low, high = ends(reason(scored, row))
        assert 3.0 <= low < high <= 7.0


@pytest.mark.parametrize("n_filled", [60, 150])
@pytest.mark.parametrize("odd", [-50.0, 4e6])
def test_fill_values_of_similar_rows_are_no_end_of_their_range(odd, n_filled):
    reference = made(1e20, n_filled=n_filled)
    new = pa.table({"x": [odd, 1e20], "y": [0.1, 5.0]})

    scored, _ = score_table(Request(table=new, reference=reference, detector="knn"))

    low, high = ends(reason(scored, 0))
    assert 3.0 <= low < high <= 7.0
    # A row that has the fill value itself is like them.
    assert all("x 1e+20 where" not in each.text for each in scored.reasons[1])


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
    np.testing.assert_array_equal(
        scale.apply(filled)[:4, 0], plain.apply(filled)[:4, 0]
    )


def test_far_values_are_drawn_in_and_keep_their_order(rng):
    scale = Scale(np.zeros(1), np.ones(1))
    values = np.sort(np.r_[-1e300, rng.normal(0.0, 800.0, 500), 1e4, 1e9, 1e20, 1e300])

    drawn = scale.apply(values[:, None])[:, 0]

    near = np.abs(values) <= 1e3
    np.testing.assert_array_equal(drawn[near], values[near])
    assert (np.diff(drawn[:-1]) >= 0.0).all()
    assert len(np.unique(drawn[values < 1e10])) == (values < 1e10).sum()
    assert np.abs(drawn).max() <= 2e3
