"""The leaderboard has the documented columns with the documented values."""

import numpy as np
import pandas as pd
import pytest

import odbench
from odbench.errors import UsageError
from odbench.leaderboard.tables import COLUMNS, Settings, build_leaderboard
from odbench.scoring import elo
from tests.reference import scoring as reference
from tests.reference.trials import frame, from_matrix, random_trials, trial

PROMISED = [
    "suite", "partition", "detector", "config", "n_datasets", "n_failed", "mean_auroc",
    "mean_ap", "rank_auroc", "rank_ap", "elo_auroc", "elo_auroc_low", "elo_auroc_high",
    "elo_ap", "win_rate", "champion_delta", "rauc_ratio", "rauc_minmax", "top3_auroc",
    "top3_ap", "p_best", "total_rank", "median_fit_seconds", "median_score_seconds",
]  # fmt: skip


def test_the_promised_columns_come_first_and_in_order(rng):
    table = build_leaderboard(frame(random_trials(rng)))

    assert list(table.columns) == list(COLUMNS)
    assert list(table.columns)[: len(PROMISED)] == PROMISED


def test_the_public_function_gives_the_same_table(rng):
    results = frame(list(random_trials(rng, datasets=9, methods=5, seeds=2)))
    quick = Settings(permutations=200)

    public = odbench.build_leaderboard(results, settings=quick)

    own = build_leaderboard(results, settings=quick)
    pd.testing.assert_frame_equal(pd.DataFrame(public), own)


def test_every_number_equals_the_slow_one(rng):
    trials = list(random_trials(rng, datasets=9, methods=5, seeds=2, failing=0.2))
    results = frame(trials)
    names = sorted({t["dataset"] for t in trials})
    methods = sorted({t["detector"] for t in trials})
    tables = {}
    for metric in ("auroc", "ap"):
        rows = []
        for name in names:
            mine = [t for t in trials if t["dataset"] == name]
            grid = [[t[metric] for t in mine if t["detector"] == m] for m in methods]
            rows.append(reference.filled(grid, "main", 0.0))
        tables[metric] = [v for v, _ in rows], [last for _, last in rows]

    table = build_leaderboard(results).set_index("detector").loc[methods]

    for metric, (values, last) in tables.items():
        rank = reference.rank_table(values, last)
        count = reference.wins(rank, [1] * len(rank))
        expected = {
            f"mean_{metric}": reference.mean_columns(values),
            f"rank_{metric}": reference.mean_columns(rank),
            f"elo_{metric}": reference.elo(count),
            f"top3_{metric}": reference.top_share(values, last),
        }
        if metric == "auroc":
            expected |= {
                "win_rate": reference.win_rate(values, last),
                "champion_delta": reference.champion_delta(values),
                "rauc_ratio": reference.relative_to_best(values),
                "rauc_minmax": reference.relative_in_range(values),
            }
        for column, numbers in expected.items():
            assert table[column].tolist() == pytest.approx(numbers, abs=1e-6), column


def test_counts_tell_tried_failed_and_missing(rng):
    table = build_leaderboard(
        frame(
            [
                trial("a", "forest", 0.9, seed=0),
                trial("a", "forest", None, seed=1),
                trial("b", "forest", 0.8, seed=0),
                trial("a", "knn", 0.7),
            ]
        )
    ).set_index("detector")

    forest, knn = table.loc["forest"], table.loc["knn"]
    assert (forest["n_datasets"], forest["n_failed"], forest["n_trials"]) == (2, 1, 3)
    assert (forest["n_seeds"], forest["n_missing"]) == (2, 1)
    assert (knn["n_datasets"], knn["n_total"], knn["n_missing"]) == (1, 2, 1)
    assert knn["mean_auroc"] == pytest.approx(0.7 / 2)


def test_the_best_mean_stands_first(rng):
    table = build_leaderboard(frame(random_trials(rng, methods=6)))

    assert table["place"].is_monotonic_increasing
    assert table["mean_auroc"].is_monotonic_decreasing
    assert table["place"].iloc[0] == 1


def test_suites_and_partitions_are_ranked_apart():
    results = frame(
        trial("a", name, value, suite=suite)
        for suite, values in (("one", (0.9, 0.8)), ("two", (0.5, 0.6)))
        for name, value in zip(("knn", "lof"), values, strict=True)
    )

    table = build_leaderboard(results)

    assert list(table["detector"]) == ["knn", "lof", "lof", "knn"]
    assert list(table["rank_auroc"]) == [1, 2, 1, 2]


def test_medians_leave_out_failures():
    table = build_leaderboard(
        frame(
            [
                trial("a", "knn", 0.5, fit_seconds=1.0),
                trial("b", "knn", 0.5, fit_seconds=3.0),
                trial("c", "knn", None, fit_seconds=100.0),
                trial("a", "bad", None),
            ]
        )
    ).set_index("detector")

    assert table.loc["knn", "median_fit_seconds"] == 2.0
    assert np.isnan(table.loc["bad", "median_fit_seconds"])


def test_the_same_results_give_the_same_table_in_any_order(rng):
    results = frame(random_trials(rng))

    first = build_leaderboard(results)
    shuffled = build_leaderboard(results.sample(frac=1.0, random_state=1))

    # Sums of a cell's seeds may be taken in another order.
    numbers = first.select_dtypes("number").columns
    np.testing.assert_allclose(first[numbers], shuffled[numbers], rtol=1e-9)
    assert first["detector"].equals(shuffled["detector"])


def test_p_values_reject_the_worse_and_keep_the_equal(rng):
    base = rng.uniform(0.6, 0.9, size=60)
    values = np.column_stack([base, base + rng.normal(0, 0.01, 60), base - 0.1])

    table = build_leaderboard(from_matrix(values.tolist())).set_index("detector")

    assert table["p_best"].max() == 1.0
    assert table.loc["method 2", "p_best"] < 0.001
    assert table.loc[["method 0", "method 1"], "p_best"].min() > 0.01
    assert table["may_be_best_auroc"].tolist() == [True, True, False]
    assert table.loc["method 2", ["place", "place_low", "place_high"]].tolist() == [
        3, 3, 3,
    ]  # fmt: skip
    assert table.loc["method 2", "gap_auroc_low"] > 0.09


def test_places_by_average_precision_are_its_own(rng):
    base = rng.uniform(0.6, 0.7, size=30)
    results = frame(
        trial(f"set {d}", name, value, ap=ap)
        for d, x in enumerate(base)
        for name, value, ap in (("knn", x, 0.2), ("lof", x - 0.1, 0.5))
    )

    table = build_leaderboard(results).set_index("detector")

    assert table["place"].tolist() == [1, 2]
    assert table.loc["knn", ["place_ap", "place_ap_low", "p_best_ap"]].tolist() == [
        2, 2, table.loc["knn", "p_best_ap"],
    ]  # fmt: skip
    assert table["may_be_best_ap"].tolist() == [False, True]


def test_resampling_families_is_a_choice(rng):
    results = frame(random_trials(rng, datasets=30))

    sets = build_leaderboard(results, settings=Settings(cluster="dataset"))
    families = build_leaderboard(results, settings=Settings(cluster="family"))

    assert sets["elo_auroc"].equals(families["elo_auroc"])
    assert not sets["elo_auroc_low"].equals(families["elo_auroc_low"])


def test_one_method_on_one_data_set_is_a_table():
    table = build_leaderboard(from_matrix([[0.7]]))

    row = table.iloc[0]
    assert (row["rank_auroc"], row["elo_auroc"], row["total_rank"]) == (1, 1000, 1)
    assert np.isnan(row["win_rate"])


def test_without_permutations_their_columns_are_empty(rng):
    quick = Settings(permutations=0)

    table = build_leaderboard(frame(random_trials(rng)), settings=quick)

    for column in ("place_low", "place_ap_high", "p_best", "gap_ap_low"):
        assert table[column].isna().all()
    assert table["gap_auroc"].min() == 0.0


def test_no_results_give_an_empty_table():
    table = build_leaderboard(frame([]))

    assert list(table.columns) == list(COLUMNS)
    assert table.empty


def test_data_sets_without_labels_are_left_out_aloud():
    results = frame([trial("a", "knn", 0.5), trial("b", "knn", None, status="ok")])

    with pytest.warns(UserWarning, match="1 data set has no public labels"):
        table = build_leaderboard(results)

    assert table["n_total"].tolist() == [1]


def test_a_known_order_is_found_again(rng):
    strength = np.array([1.0, 0.5, 0.0, -0.5, -1.0])
    utility = strength + rng.gumbel(size=(400, 5))
    values = 1 / (1 + np.exp(-utility))

    table = build_leaderboard(from_matrix(values.tolist())).set_index("detector")

    assert list(table.index) == [f"method {i}" for i in range(5)]
    np.testing.assert_allclose(table["elo_auroc"], 1000 + elo.SCALE * strength, atol=40)


@pytest.mark.parametrize("options", [{"permutations": -1}, {"cluster": "town"}])
def test_impossible_settings_are_refused(options):
    with pytest.raises(UsageError, match="leaderboard: "):
        Settings(**options)


INTERVALS = [
    name
    for metric in ("auroc", "ap")
    for name in (f"mean_{metric}", f"rank_{metric}", f"elo_{metric}", f"gap_{metric}")
] + ["place", "place_ap", "win_rate"]


def test_every_interval_holds_its_estimate(rng):
    for seed in range(5):
        trials = random_trials(rng, datasets=30)
        table = build_leaderboard(frame(trials), settings=Settings(seed=seed))
        for name in INTERVALS:
            assert (table[f"{name}_low"] <= table[name] + 1e-9).all(), name
            assert (table[name] <= table[f"{name}_high"] + 1e-9).all(), name


def test_four_families_show_no_interval(rng):
    table = build_leaderboard(frame(random_trials(rng, datasets=12)))

    assert table["n_families"].tolist() == [4] * 5
    for name in ("mean_auroc", "mean_ap", "rank_auroc", "elo_ap", "gap_auroc"):
        assert table[f"{name}_low"].isna().all()
    assert (table["place_low"].tolist(), table["place_high"].tolist()) == (
        [1] * 5,
        [5] * 5,
    )


def test_a_negative_seed_is_refused():
    with pytest.raises(UsageError, match="seed -1: wanted 0 or more"):
        Settings(seed=-1)
