"""The rows that a reason compares with, and its numbers, do not depend on chance."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

import odbench
from odbench.tables.encode import Encoder
from odbench.tables.reasons import Missing, _Similar, in_own_units
from odbench.tables.roles import infer_roles
from odbench.tables.scale import Scale
from odbench.tables.score import Request, score_table


def test_similar_rows_are_those_that_no_fifth_row_is_nearer_than() -> None:
    rng = np.random.default_rng(3)
    others = rng.integers(0, 3, (60, 3)).astype(float)
    row = np.array([0.0, 9.0, 1.0])
    for aside in ([0], [1], [1, 2]):
        kept = [j for j in range(3) if j not in aside]
        far = [
            sum(min(abs(other[j] - row[j]), 3.0) ** 2 for j in kept) for other in others
        ]
        nearer = [sum(f < own for f in far) for own in far]
        wanted = [i for i, n in enumerate(nearer) if n < 5]
        assert len(wanted) > 5
        near = _Similar(others, row)
        assert near.places(np.array(aside), 5).tolist() == wanted


def test_all_rows_are_similar_where_there_are_few() -> None:
    near = _Similar(np.eye(4), np.zeros(4))
    assert near.places(np.array([0]), 50).tolist() == [0, 1, 2, 3]


def test_a_zero_is_a_zero_again_after_the_detectors_units() -> None:
    values = np.r_[np.zeros(300), 1.1, 7_043_545.3, 1e-9, -2.5][:, None]
    scale = Scale.of(values)

    again = in_own_units(scale.apply(values), scale)

    assert (again[:300] == 0.0).all()
    np.testing.assert_allclose(again[300:302], values[300:302], rtol=1e-8)


def test_reasons_say_zero_where_similar_rows_have_zero() -> None:
    repair = [0.0] * 400 + [7_043_545.1, 88_331.7, 1_245.9]
    other = np.random.default_rng(0).normal(size=403)

    reasons = odbench.score({"repair": repair, "other": other})["reasons"]

    assert reasons[400].startswith("repair 7,043,545 where similar rows have 0 (")


def _weights(center: float, unit: str, n: int) -> dict[str, list[object]]:
    rng = np.random.default_rng(4)
    return {
        "weight": [f"{x:.1f}{unit}" for x in rng.normal(center, 1.0, n)],
        "size": rng.normal(size=n).tolist(),
    }


def _reason(new: dict[str, list[object]], reference: dict[str, list[object]]) -> str:
    """Return the reason that names the weight of the first row."""
    asked = Request(table=new, reference=reference, detector="knn")
    (text,) = [
        reason.text
        for reason in score_table(asked)[0].reasons[0]
        if reason.column == "weight"
    ]
    return text


@pytest.mark.parametrize(
    ("known", "new"), [(" kg", " lb"), ("", " lb"), (" kg", " kg"), (" kg", "")]
)
def test_a_reason_gives_the_row_its_own_unit_and_similar_rows_theirs(
    known, new
) -> None:
    text = _reason(_weights(190.0, new, 20), _weights(70.0, known, 300))

    # Numbers without a unit are taken to be in that of the reference.
    number = r"\d+(\.\d)?"
    said = (
        rf"weight {number}{new or known} where similar rows have {number} to {number}"
    )
    assert re.fullmatch(said + known, text)


def test_a_value_like_those_of_similar_rows_is_said_in_its_own_unit() -> None:
    reference = {"weight": _weights(70.0, " kg", 300)["weight"]}

    text = _reason({"weight": ["70.04 lb"]}, reference)

    assert text == "weight 70.04 lb in an unusual combination"


def test_missing_values_of_similar_rows_are_no_values_to_compare_with() -> None:
    rng = np.random.default_rng(0)
    kinds = np.repeat(["none", "some"], [140, 60])
    bark = np.where(kinds == "some", rng.normal(400.0, 60.0, 200).round(), np.nan)
    bark[0], size = 1808.0, rng.normal(size=200)
    table = pa.table({"kind": kinds, "bark": bark, "size": size})

    (text,) = (
        each
        for each in odbench.score(table)["reasons"][0].split("; ")
        if each.startswith("bark")
    )

    # Rows of its kind have no bark at all, and the median is none of theirs.
    assert text.startswith("bark 1808 where similar rows have ")
    end = text.removeprefix("bark 1808 where similar rows have ")
    assert end.startswith("no value") or " to " in end


def test_a_missing_value_is_known_where_another_column_tells_it() -> None:
    rng = np.random.default_rng(0)
    together, alone = rng.random(200) < 0.6, rng.random(200) < 0.3
    hours = [f"{h:02}:00" for h in rng.integers(0, 24, 200)]
    lacking = {
        "first": (rng.normal(size=200), together),
        "second": (rng.normal(size=200), together),
        "at": (hours, together),
        "other": (rng.normal(size=200), alone),
        "told": (rng.normal(size=200), alone),
        "full": (rng.normal(size=200), np.zeros(200, dtype=bool)),
    }
    table = pa.table(
        {name: pa.array(v, mask=gone) for name, (v, gone) in lacking.items()}
    )
    table = table.append_column("has", pa.array(np.where(alone, "no", "yes")))

    encoder = Encoder.of(infer_roles(table), table)
    raw = encoder.encode(table)

    assert len(encoder.missing) == 1
    for j, column in enumerate(encoder.columns):
        if column.name != "has":
            gone = Missing(encoder, raw).rows(j)
            np.testing.assert_array_equal(gone, lacking[column.name][1])


def test_a_categorys_share_counts_the_rows_that_are_explained() -> None:
    # All rows of the second kind are explained, and none is among the others.
    table = {"kind": ["x"] * 60 + ["y"] * 40, "site": ["a"] * 50 + ["b"] * 50}

    reasons = odbench.score(table)["reasons"]

    told = [each for each in reasons if "kind 'y'" in each]
    assert len(told) > 20
    # Of 50 rows at their site 40 are of that kind, so it is no rare value there.
    assert not any("as in" in each for each in told)
