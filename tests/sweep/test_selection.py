"""Numbers by which configurations are selected without labels."""

import numpy as np
import pytest

import odbench
from odbench.scoring.metrics import auroc
from odbench.sweep.selection import SelectionTables, can_select


@pytest.fixture
def table(rng):
    """A table of two dependent columns and a third one."""
    x = rng.normal(size=(1000, 1))
    return np.hstack(
        [x, x + rng.normal(0, 0.05, (1000, 1)), rng.normal(size=(1000, 1))]
    )


def test_a_part_of_the_rows_is_fitted_and_the_others_are_held_out(table):
    made = SelectionTables(table, "toy/set")
    rows = {row.tobytes() for row in table}

    assert made.train.shape == (700, 3)
    assert all(row.tobytes() in rows for row in made.train)
    held_out = [row for row in made.test if row.tobytes() in rows]
    assert len(held_out) == 300
    assert not {row.tobytes() for row in held_out} & {r.tobytes() for r in made.train}
    # Three kinds of anomalies, as many of each as held-out rows.
    assert made.test.shape == (1200, 3)


def test_the_draw_depends_on_rows_and_name_alone(table):
    first, again = (SelectionTables(table, "toy/set") for _ in range(2))
    other = SelectionTables(table, "toy/other")

    np.testing.assert_array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_quality_is_the_mean_auroc_over_the_kinds(table, rng):
    made = SelectionTables(table, "toy/set")
    rows = {row.tobytes() for row in table}
    is_held_out = np.array([row.tobytes() in rows for row in made.test])

    # Scores that know the answer are perfect; constant ones are chance.
    assert made.quality(np.where(is_held_out, 0.0, 1.0)) == 1
    assert made.quality(np.zeros(1200)) == 0.5
    scores = rng.normal(size=1200) + ~is_held_out
    kinds = [made._kind == k for k in (1, 2, 3)]
    slow = [
        auroc(
            np.r_[np.zeros(300, int), np.ones(300, int)],
            np.r_[scores[is_held_out], scores[kind]],
        )
        for kind in kinds
    ]
    assert made.quality(scores) == pytest.approx(np.mean(slow))


def test_one_column_has_nothing_to_permute(rng):
    made = SelectionTables(rng.normal(size=(100, 1)), "toy/set")

    assert made.test.shape == (90, 1)


def test_few_rows_cannot_be_split():
    assert [can_select(n) for n in (0, 9, 10)] == [False, False, True]
    assert (
        SelectionTables(np.arange(10.0)[:, None], "toy/set").quality(np.zeros(9)) == 0.5
    )


def test_large_tables_are_bounded(rng):
    made = SelectionTables(rng.normal(size=(50_000, 2)), "toy/set")

    assert len(made.train) == 2800
    assert len(made.test) == 1200 * 4


def run(mirror, **options):
    return odbench.run(
        suite="oddbench", detectors=["knn", "iforest"], mirror=mirror, seeds=2, jobs=1,
        limit=1, show_progress=False, **options,
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.slow
def test_a_grid_has_a_number_for_the_first_seed_of_each_configuration(
    made_up, tmp_path
):
    out = tmp_path / "run"
    before = run(made_up, out=out)
    results = run(made_up, out=out, grid=True)

    assert before["selection"].isna().all()
    # The default configurations were finished, but without the number.
    assert len(results) == 10 + 2 * 6
    first = results["seed"] == 0
    assert results.loc[first, "selection"].between(0.4, 1).all()
    assert results.loc[~first, "selection"].isna().all()
    again = run(made_up, out=out, grid=True)
    assert again.attrs["summary"]["done_before"] == again.attrs["summary"]["asked"]


@pytest.mark.long
@pytest.mark.slow
def test_the_number_does_not_change_the_trial(made_up, tmp_path):
    plain = run(made_up).set_index(["detector", "config", "seed"])
    grid = run(made_up, grid=True).set_index(["detector", "config", "seed"])

    assert plain["auroc"].tolist() == grid.loc[plain.index, "auroc"].tolist()
