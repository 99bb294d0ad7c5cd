"""The tables beside the leaderboard agree with it and with each other."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odbench.leaderboard import comparisons
from odbench.leaderboard.page.figures import pareto_points
from odbench.leaderboard.tables import Settings, build_leaderboard, table_of
from odbench.scoring.cells import ENDS, split_results
from odbench.scoring.policy import POLICIES, apply_policy
from tests.reference.trials import frame, from_matrix, random_trials, trial

QUICK = Settings(permutations=0)


def cells_of(results):
    (cells,) = split_results(results)
    return cells


def test_every_policy_stands_beside_the_others_with_its_place(rng):
    cells = cells_of(frame(random_trials(rng, methods=6, failing=0.3)))

    table = comparisons.policy_table(cells)

    for policy in POLICIES:
        expected = table_of(apply_policy(cells, policy), QUICK)
        if not len(expected):
            assert table[f"place.{policy}"].isna().all()
            continue
        expected = expected.set_index("detector").loc[table["detector"]]
        assert table[f"mean_auroc.{policy}"].tolist() == expected["mean_auroc"].tolist()
        assert table[f"place.{policy}"].tolist() == expected["place"].tolist()


def test_the_policy_can_change_who_is_first():
    # Two failures against two poor results.
    values = [[0.95, 0.6], [0.95, 0.6], [None, 0.55], [None, 0.55], [0.95, 0.6]]

    table = comparisons.policy_table(cells_of(from_matrix(values)))

    table = table.set_index("detector")
    assert table.loc["method 0", "mean_auroc.main"] == pytest.approx(0.57)
    assert table.loc["method 0", "mean_auroc.chance"] == pytest.approx(0.77)
    assert table["place.main"].to_dict() == {"method 1": 1, "method 0": 2}
    assert table["place.chance"].to_dict() == {"method 1": 2, "method 0": 1}
    assert table.loc["method 0", "mean_auroc.complete-case"] == pytest.approx(0.95)
    assert table.loc["method 0", "n_datasets.complete-case"] == 3


def test_when_no_data_set_is_complete_that_policy_is_empty():
    table = comparisons.policy_table(cells_of(from_matrix([[None, 0.5], [0.5, None]])))

    assert table["place.complete-case"].isna().all()
    assert table["place.main"].notna().all()


points = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8
)


@settings(deadline=None)
@given(points)
def test_the_front_holds_what_nothing_dominates(pairs):
    cost, quality = np.array(pairs, dtype=float).T

    front = comparisons.on_front(cost, quality)

    for i, (c, q) in enumerate(pairs):
        dominated = any(
            other_c <= c and other_q >= q and (other_c, other_q) != (c, q)
            for other_c, other_q in pairs
        )
        assert front[i] == (not dominated)


def test_time_stands_against_quality_fastest_first(rng):
    table = comparisons.pareto_table(build_leaderboard(frame(random_trials(rng))))

    assert table["median_seconds"].is_monotonic_increasing
    assert table["on_front"].iloc[0]


def test_an_oracle_without_seconds_is_not_on_the_front(rng):
    trials = list(random_trials(rng, failing=0.0))
    perfect = {"auroc": 1.0, "ap": 1.0, "fit_seconds": 0.0, "score_seconds": 0.0}
    oracle = [row | perfect for row in trials if row["detector"] == "method 0"]
    board = build_leaderboard(
        frame([*trials, *(row | {"detector": "oracle"} for row in oracle)])
    )

    table = comparisons.pareto_table(board)
    points = pareto_points(board, list(range(len(board))))["auroc"]

    assert "oracle" in set(board["detector"])
    assert "oracle" not in set(table["detector"])
    assert len(table) == len(points["method"]) == (board["detector"] != "oracle").sum()
    assert sum(points["front"]) == table["on_front"].sum() > 0


def test_rank_tests_are_ready_for_json(rng):
    quality = apply_policy(cells_of(frame(random_trials(rng, datasets=30))))

    found = comparisons.rank_tests(quality)

    assert json.loads(json.dumps(found)) == found
    averages = list(found["average_rank"].values())
    assert averages == sorted(averages)
    assert found["n_datasets"] == 30
    for bar in found["cliques"]:
        ends = [found["average_rank"][name] for name in bar]
        assert max(ends) - min(ends) < found["critical_difference"]


def test_rank_tests_count_families_unless_told_otherwise(rng):
    quality = apply_policy(cells_of(frame(random_trials(rng, datasets=30))))

    found = comparisons.rank_tests(quality)
    alone = comparisons.rank_tests(quality, Settings(cluster="dataset"))

    assert found["n_families"] == 10
    assert alone["n_families"] == alone["n_datasets"] == 30
    assert found["average_rank"] == alone["average_rank"]
    assert found["critical_difference"] != alone["critical_difference"]


def test_rank_tests_of_one_method_are_null():
    found = comparisons.rank_tests(apply_policy(cells_of(from_matrix([[0.5]]))))

    assert found["statistic"] is None
    assert found["critical_difference"] is None
    assert found["cliques"] == []


def test_every_cell_is_listed_and_averages_to_the_leaderboard(rng):
    results = frame(random_trials(rng))
    quality = apply_policy(cells_of(results))

    listed = comparisons.dataset_table(quality)

    table = build_leaderboard(results, settings=QUICK).set_index("detector")
    means = listed.groupby("detector")[["auroc", "ap", "rank_auroc"]].mean()
    for name, row in means.iterrows():
        assert row["auroc"] == pytest.approx(table.loc[name, "mean_auroc"])
        assert row["ap"] == pytest.approx(table.loc[name, "mean_ap"])
        assert row["rank_auroc"] == pytest.approx(table.loc[name, "rank_auroc"])
    assert len(listed) == len(quality.cells.datasets) * len(quality.cells.methods)


def test_intervals_stand_last_and_beside_their_trial(rng):
    rows = [
        trial("a", "knn", 0.7, auroc_low=0.6, auroc_high=0.8, ap_low=0.2, ap_high=0.5),
        trial("a", "lof", 0.6),
        trial("b", "knn"),
        trial("b", "lof", 0.9, auroc_low=0.8, auroc_high=0.95, ap_low=0.3, ap_high=0.6),
    ]

    table = comparisons.dataset_table(apply_policy(cells_of(frame(rows))))

    assert tuple(table.columns[-4:]) == ENDS
    assert table[list(ENDS)].to_numpy(na_value=-1.0).tolist() == [
        [0.6, 0.8, 0.2, 0.5],
        [-1.0] * 4,
        [-1.0] * 4,
        [0.8, 0.95, 0.3, 0.6],
    ]


def test_without_intervals_their_columns_are_there_and_empty(rng):
    table = comparisons.dataset_table(
        apply_policy(cells_of(from_matrix([[0.6, 0.7], [0.5, 0.9]])))
    )

    assert table[list(ENDS)].isna().all(axis=None)


def test_the_power_of_a_table_scales_with_its_data_sets(rng):
    cells = cells_of(frame(random_trials(rng, datasets=60, failing=0, missing=0)))
    table = table_of(apply_policy(cells), Settings(permutations=300))

    power = comparisons.power_table(table)

    own = power[power["this_table"]].iloc[0]
    assert own["n_datasets"] == 60
    assert own["detectable_auroc"] == table["detectable_auroc"].iloc[0]
    large = power[power["n_datasets"] == 2446].iloc[0]
    shrunk = (60 / 2446) ** 0.5
    assert large["rank_ap_half_width"] == pytest.approx(
        own["rank_ap_half_width"] * shrunk
    )


def test_too_few_families_have_no_power_to_tell(rng):
    cells = cells_of(frame(random_trials(rng)))

    assert comparisons.power_table(table_of(apply_policy(cells), QUICK)).empty
