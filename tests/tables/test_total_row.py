"""A last row that is the total of the others is named, and no other last row is."""

import pyarrow as pa
import pytest

from odbench.tables.roles import infer_roles
from odbench.tables.sample import Sample, take_sample
from odbench.tables.score import Request, score_table
from odbench.tables.source import of_arrow
from odbench.tables.total_row import total_notes


def notes_of(columns):
    source = of_arrow(pa.table(columns), name="t", form="t")
    sample = take_sample(source)
    return total_notes(source, sample, infer_roles(sample.table))


@pytest.fixture
def sales(rng):
    n = 200
    amounts = rng.lognormal(3.0, 0.5, n).round(2)
    counts = rng.poisson(0.2, n)
    return {
        "shop": [f"s{k % 9}" for k in range(n)] + ["Total"],
        "amount": [f"{a:,.2f}" for a in [*amounts, amounts.sum()]],
        "returns": [*map(str, counts), str(counts.sum())],
        "year": [*rng.integers(2010, 2020, n).astype(str), ""],
    }


def test_a_total_is_told_by_its_numbers(sales):
    words = "is the sum of the others in 'amount', 'returns'; if it is a total, delete"

    assert words in notes_of(sales)[0]
    assert words in notes_of({**sales, "shop": [*sales["shop"][:-1], "s1"]})[0]
    assert "the last row (200)" in notes_of(sales)[0]


def test_a_last_row_that_is_no_total_is_not_named(sales, rng):
    wrong = {**sales, "amount": [*sales["amount"][:-1], "9,999.99"]}

    assert "in 'returns';" in notes_of(wrong)[0]
    # Fewer than half of the numbers are sums.
    assert not notes_of({**wrong, "year": [*sales["year"][:-1], "2020"]})
    assert not notes_of({name: cells[:-1] for name, cells in sales.items()})
    # Values of both signs come to any sum by chance, and so do a few values.
    assert not notes_of({"x": [1.5, -1.5, 2.5, -2.5, 0.5, 3.0, 3.5]})
    assert not notes_of({"x": [0.0] * 50 + [1.0, 1.0]})


def test_tables_of_random_counts_have_no_totals(rng):
    for _ in range(200):
        counts = rng.poisson(0.3, size=(30, 3)).astype(float)
        assert not notes_of({f"c{j}": counts[:, j] for j in range(3)})


def test_part_of_a_table_tells_nothing(sales):
    source = of_arrow(pa.table(sales), name="t", form="t")
    whole = take_sample(source)
    part = Sample(whole.table.slice(1), whole.places[1:])

    assert total_notes(source, whole, infer_roles(whole.table))
    assert not total_notes(source, part, infer_roles(whole.table))


@pytest.mark.filterwarnings("ignore")
def test_score_says_which_table_ends_with_a_total(sales):
    plain = {name: cells[:-1] for name, cells in sales.items()}
    of = [
        score_table(Request(table=table, reference=reference, detector="knn"))[0].notes
        for table, reference in ((sales, None), (sales, plain), (plain, sales))
    ]

    told = [[n for n in notes if "the last row (200)" in n] for notes in of]
    assert [len(notes) for notes in told] == [1, 1, 1]
    assert [notes[0].startswith("reference: ") for notes in told] == [
        False,
        False,
        True,
    ]
