"""A first row of units, or a second header, is named, and no other first row is."""

import pyarrow as pa
import pytest

from odbench.tables.roles import infer_roles
from odbench.tables.sample import take_sample
from odbench.tables.score import Request, score_table
from odbench.tables.source import of_arrow
from odbench.tables.units_row import units_notes


def notes_of(columns):
    source = of_arrow(pa.table(columns), name="t", form="t")
    sample = take_sample(source)
    return units_notes(source, sample, infer_roles(sample.table))


@pytest.fixture
def readings(rng):
    n = 60
    return {
        "state": ["-", *rng.choice(["a", "b"], n)],
        "temp": ["°C", *(f"{v:.1f}" for v in rng.normal(20, 1, n))],
        "flow": ["m3/h", *(f"{v:.2f}" for v in rng.normal(3, 1, n))],
        "count": ["", *map(str, rng.integers(0, 99, n))],
    }


def test_a_row_of_units_is_named(readings):
    (note,) = notes_of(readings)

    assert note.startswith("the first row (0) has text, such as '°C', instead of")
    assert "numbers in 'temp', 'flow'; if these are units or names, delete" in note


def test_the_command_says_it_for_the_table_and_its_reference(readings, tmp_path):
    lines = [",".join(readings), *map(",".join, zip(*readings.values(), strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "r.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    scored, _ = score_table(
        Request(table=tmp_path / "t.csv", reference=tmp_path / "r.csv")
    )

    told = [note for note in scored.notes if "the first row (0) has text" in note]
    assert [note.startswith("reference: ") for note in told] == [True, False]


def test_other_first_rows_are_not_named(readings):
    assert not notes_of({name: cells[1:] for name, cells in readings.items()})
    # One column alone may have a word.
    assert not notes_of({**readings, "flow": ["2.5", *readings["flow"][1:]]})
    # Words that come again are values, such as those beyond what can be measured.
    again = {name: [*cells, cells[0]] for name, cells in readings.items()}
    assert not notes_of(again)
    # Most of the numbers are there.
    numbers = {f"n{k}": [str(v / 4) for v in range(k, k + 61)] for k in range(5)}
    assert not notes_of({**numbers, "a": readings["temp"], "b": readings["flow"]})
    assert not notes_of({name: cells[:5] for name, cells in readings.items()})
    assert not notes_of({"x": [None, *range(60)], "y": [None, *range(60)]})
