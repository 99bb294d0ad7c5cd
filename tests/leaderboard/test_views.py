"""The views of a grid have the documented values and are never ranked together."""

import numpy as np
import pandas as pd
import pytest

from odbench.leaderboard.tables import Settings
from odbench.leaderboard.views import VIEWS, has_grid, through, view_table
from odbench.scoring.cells import split_results
from odbench.scoring.policy import apply_policy
from tests.reference.trials import frame, trial

QUICK = Settings(permutations=0)


@pytest.fixture
def grid():
    """knn with two configurations, each better on one data set; lof with one."""
    return frame(
        [
            trial("a", "knn", 0.6, fit_seconds=1.0),
            trial("a", "knn", 0.9, config="k=20", fit_seconds=3.0),
            trial("b", "knn", 0.8),
            trial("b", "knn", None, config="k=20"),
            trial("a", "lof", 0.7),
            trial("b", "lof", 0.7),
        ]
    )


def quality(results):
    (cells,) = split_results(results)
    return apply_policy(cells)


def test_the_default_view_holds_the_reference_configurations(grid):
    seen = through(quality(grid), "default")

    assert [m.label for m in seen.cells.methods] == ["knn", "lof"]
    assert seen.auroc.tolist() == [[0.6, 0.7], [0.8, 0.7]]


def test_the_mean_counts_failures_of_every_configuration(grid):
    seen = through(quality(grid), "grid mean")

    assert seen.auroc[:, 0].tolist() == pytest.approx([0.75, 0.8 / 2])
    assert seen.cells.trials.tolist() == [[2, 1], [2, 1]]
    assert seen.cells.failed.tolist() == [[0, 0], [1, 0]]
    assert seen.cells.fit_seconds[0, 0] == 2.0
    assert not seen.last.any()


def test_the_oracle_takes_the_best_configuration_of_each_data_set(grid):
    seen = through(quality(grid), "oracle")

    assert seen.auroc[:, 0].tolist() == [0.9, 0.8]
    assert seen.values["ap"][:, 0].tolist() == [0.45, 0.4]
    assert [m.config for m in seen.cells.methods] == ["oracle: best on test"] * 2


def test_the_oracle_is_best_by_each_metric():
    results = frame(
        [
            trial("a", "knn", 0.9, ap=0.2),
            trial("a", "knn", 0.8, ap=0.7, config="k=20"),
        ]
    )

    seen = through(quality(results), "oracle")

    assert seen.auroc.tolist() == [[0.9]]
    assert seen.values["ap"].tolist() == [[0.7]]


def test_the_oracle_prefers_any_result_to_a_failure():
    results = frame([trial("a", "knn", 0.2), trial("a", "knn", None, config="k=20")])

    assert through(quality(results), "oracle").auroc.tolist() == [[0.2]]


def test_a_detector_that_failed_everywhere_ranks_last():
    results = frame(
        [
            trial("a", "knn", None),
            trial("a", "knn", None, config="k=20"),
            trial("a", "lof", 0.1),
        ]
    )

    for view in ("grid mean", "oracle"):
        assert through(quality(results), view).last.tolist() == [[True, False]]


def test_every_view_is_ranked_by_itself(grid):
    table = view_table(quality(grid), QUICK)

    assert list(table["view"].unique()) == ["default", "grid mean", "oracle"]
    for _, rows in table.groupby("view"):
        # Two detectors share the places 1 and 2.
        assert rows["rank_auroc"].sum() == 3.0
    oracle = table[table["view"] == "oracle"]
    assert (oracle["config"] == "oracle: best on test").all()


def test_without_a_default_configuration_that_view_is_absent():
    results = frame([trial("a", "knn", 0.2, config=f"k={k}") for k in (1, 2)])

    table = view_table(quality(results), QUICK)

    assert list(table["view"].unique()) == ["grid mean", "oracle"]


def test_a_grid_is_many_configurations_on_all_data_sets(grid):
    def cells(many, last="b"):
        trials = [
            trial(name, "knn", 0.5, config=f"k={k}")
            for k in range(many)
            for name in ("a", "b" if k < many - 1 else last)
        ]
        return quality(frame(trials + [trial("b", "lof", 0.5)])).cells

    # Two or three configurations are variants that somebody tried.
    assert not has_grid(quality(grid).cells)
    assert not has_grid(cells(3))
    assert has_grid(cells(4))
    assert not has_grid(cells(4, last="a2"))


def test_the_selected_view_goes_by_the_number_that_needs_no_labels(grid):
    assert through(quality(grid), "selected without labels").cells.methods == ()
    knn = grid["detector"] == "knn"
    selection = pd.Series([0.9, 0.6, None, 0.0, 0.5, 0.5])
    results = grid.assign(selection=selection)

    table = view_table(quality(results), QUICK)

    assert list(table["view"].unique()) == list(VIEWS)
    rows = table[table["detector"] == "knn"].set_index("view")["mean_auroc"]
    # On b only the failed configuration has a number, so it is taken: 0 for failing.
    assert rows.to_dict() == pytest.approx(
        {
            "default": 0.7,
            "grid mean": (0.75 + 0.4) / 2,
            "selected without labels": (0.6 + 0.0) / 2,
            "oracle": 0.85,
        }
    )
    nothing = results.assign(selection=selection.where(~knn | (selection > 0.5)))
    seen = through(quality(nothing), "selected without labels")
    # Where nothing was measured, the reference configuration is taken.
    assert seen.auroc[:, 0].tolist() == [0.6, 0.8]


@pytest.mark.parametrize("first", ["grid", "plain"])
def test_a_trial_that_a_run_without_a_grid_holds_too_keeps_its_number(grid, first):
    selection = pd.Series([0.2, 0.9, 0.9, 0.2, 0.5, 0.5])
    over_grid = grid.assign(selection=selection)
    plain = grid[grid["config"] == "default"].assign(selection=None)
    both = [over_grid, plain] if first == "grid" else [plain, over_grid]

    merged = quality(pd.concat(both))

    np.testing.assert_array_equal(
        merged.cells.selection, quality(over_grid).cells.selection
    )
    assert view_table(merged, QUICK).equals(view_table(quality(over_grid), QUICK))


def test_each_view_has_its_own_concordance_with_levels():
    def tried(dataset, config, auroc, c_index, selection):
        known = {"c_index": c_index, "selection": selection}
        return trial(dataset, "knn", auroc, config=config) | known

    rows = [
        tried("a", "default", 0.7, 0.6, 0.9),
        tried("a", "k=1", 0.7, 0.8, 0.5),
        tried("b", "default", 0.7, 0.2, 0.1),
        tried("b", "k=1", None, None, 0.2),
        # Without levels, and the configuration that is selected failed.
        tried("c", "default", None, None, 0.9),
        tried("c", "k=1", 0.7, None, 0.5),
    ]

    table = view_table(quality(frame(rows)), QUICK).set_index("view")

    assert table["mean_c_index"].to_dict() == pytest.approx(
        {
            "default": (0.6 + 0.2) / 2,
            "grid mean": (0.7 + 0.1) / 2,
            "selected without labels": (0.6 + 0.0) / 2,
            "oracle": (0.8 + 0.2) / 2,
        }
    )
