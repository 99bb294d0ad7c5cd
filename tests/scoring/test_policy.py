"""Each policy counts failures as documented, and none is skipped."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odbench.errors import UsageError
from odbench.leaderboard.tables import Settings, table_of
from odbench.scoring.cells import split_results
from odbench.scoring.policy import MEANINGS, POLICIES, apply_policy
from tests.reference import scoring as reference
from tests.reference.trials import frame, from_matrix, random_trials, trial


def quality(results, policy):
    (cells,) = split_results(results)
    return apply_policy(cells, policy)


@pytest.mark.parametrize(
    "policy", ["main", "chance", "worst", "base-rate", "mean-of-others"]
)
def test_values_equal_the_slow_ones(policy, rng):
    trials = list(random_trials(rng, failing=0.35, missing=0.1, seeds=2))

    found = quality(frame(trials), policy)

    for d, name in enumerate(found.cells.datasets):
        for metric, chance in (("auroc", 0.5), ("ap", found.cells.base_rate[d])):
            grid = [
                [
                    t[metric]
                    for t in trials
                    if t["dataset"] == name and t["detector"] == m.detector
                ]
                for m in found.cells.methods
            ]
            values, last = reference.filled(grid, policy, chance)
            assert found.values[metric][d].tolist() == pytest.approx(values)
            assert found.last[d].tolist() == last


def test_a_failure_counts_as_nothing_and_ranks_last():
    found = quality(from_matrix([[0.3, None, 0.9]]), "main")

    assert found.auroc.tolist() == [[0.3, 0.0, 0.9]]
    assert found.values["ap"][0, 1] == 0.0
    assert found.last.tolist() == [[False, True, False]]


def test_a_failure_may_count_as_chance():
    found = quality(from_matrix([[0.3, None, 0.9]]), "chance")

    assert found.auroc.tolist() == [[0.3, 0.5, 0.9]]
    assert found.values["ap"][0, 1] == pytest.approx(0.1)
    assert found.last.tolist() == [[False, True, False]]


def test_a_failed_seed_counts_in_the_mean():
    results = frame([trial("a", "knn", 0.9, seed=0), trial("a", "knn", None, seed=1)])

    found = quality(results, "main")

    assert found.auroc.tolist() == [[pytest.approx(0.45)]]
    assert found.last.tolist() == [[False]]


def test_a_data_set_that_was_not_tried_counts_as_failed():
    found = quality(from_matrix([[0.8, "absent"], [0.8, 0.9]]), "main")

    assert found.auroc[0].tolist() == [0.8, 0.0]
    assert found.last[0].tolist() == [False, True]


def test_complete_case_leaves_out_data_sets_not_methods():
    found = quality(from_matrix([[0.8, None], [0.7, 0.9]]), "complete-case")

    assert found.auroc.tolist() == [[0.7, 0.9]]


# AUROCs of three methods with two seeds each on one data set; None is a failure.
cells_of_a_set = st.lists(
    st.lists(
        st.none() | st.integers(0, 10).map(lambda k: k / 10), min_size=2, max_size=2
    ),
    min_size=3,
    max_size=3,
)
QUICK = Settings(permutations=0)
HIGHER = (
    "mean_auroc", "mean_ap", "win_rate", "rauc_ratio", "rauc_minmax", "top3_auroc",
    "top3_ap",
)  # fmt: skip
LOWER = ("place", "place_ap", "rank_auroc", "rank_ap", "champion_delta")


def board(sets):
    trials = [
        trial(f"set {d}", f"method {m}", value, seed=seed)
        for d, methods in enumerate(sets)
        for m, values in enumerate(methods)
        for seed, value in enumerate(values)
    ]
    (cells,) = split_results(frame(trials))
    return table_of(apply_policy(cells, "main"), QUICK).set_index("detector")


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.lists(cells_of_a_set, min_size=1, max_size=4), st.data())
def test_failing_never_pays_under_the_main_policy(sets, data):
    failing = [[list(cell) for cell in methods] for methods in sets]
    for methods in failing:
        for seed in (0, 1):
            if data.draw(st.booleans()):
                methods[0][seed] = None

    before, after = board(sets), board(failing)

    for name in (*HIGHER, *LOWER):
        sign = 1.0 if name in HIGHER else -1.0
        change = sign * (after[name] - before[name])
        assert change["method 0"] <= 1e-6, name
        assert change.drop("method 0").min() >= -1e-9, name
    # A rating is relative to the mean of all, so its order is what counts.
    for name in ("elo_auroc", "elo_ap"):
        ahead = [
            (t[name] > t.loc["method 0", name] + 1e-6).sum() for t in (before, after)
        ]
        assert ahead[1] >= ahead[0], name
    assert after.loc["method 0", "total_rank"] >= before.loc["method 0", "total_rank"]


def test_failing_pays_where_failures_count_as_chance():
    bad = [[0.1, 0.9], [0.8, 0.9]]
    failing = [[None, 0.9], [0.8, 0.9]]

    means = [
        [quality(from_matrix(m), policy).auroc[:, 0].mean() for m in (bad, failing)]
        for policy in ("main", "chance")
    ]

    assert means[0][1] < means[0][0]
    assert means[1][1] > means[1][0]


def test_when_everyone_fails_everyone_is_equal():
    for policy in POLICIES:
        found = quality(from_matrix([[None, None]]), policy)
        worth = 0.0 if policy == "main" else 0.5
        if policy != "complete-case":
            assert found.auroc.tolist() == [[worth, worth]]


def test_an_unknown_policy_is_refused():
    with pytest.raises(UsageError, match="'generous': wanted one of main"):
        quality(from_matrix([[0.5]]), "generous")


def test_every_policy_is_explained():
    assert set(MEANINGS) == set(POLICIES)
