"""The settings in which a configuration's trials count."""

import numpy as np
import pandas as pd
import pytest

import odbench
from odbench.scoring.settings import (
    batch_dependent,
    by_setting,
    describe,
    not_ranked,
)


def trial(detector, dataset, protocol="one-class", difference=0.0, **more):
    return {
        "suite": "toy", "partition": "public", "dataset": dataset,
        "detector": detector, "config": "default", "config_id": detector,
        "detector_version": "1", "content_sha256": f"c-{dataset}", "seed": 0,
        "protocol": protocol, "status": "ok", "reason": "", "n_train": 50,
        "n_test": 100, "n_columns": 3, "n_anomalies": 10, "auroc": 0.7, "ap": 0.4,
        "ap_adjusted": 0.3, "f1": 0.4, "fit_seconds": 0.1, "score_seconds": 0.1,
        "inductive": True, "batch_difference": difference,
    } | more  # fmt: skip


def results(*rows):
    return pd.DataFrame(rows)


def names(table, protocol):
    return sorted(table.loc[table["protocol"] == protocol, "detector"].unique())


def test_inductive_results_stay_as_they_are():
    given = results(trial("knn", "a"), trial("ecod", "a"))

    assert by_setting(given) is given


def test_one_batch_dependent_trial_moves_all_of_its_configuration():
    given = results(
        trial("naive", "a", difference=0.9),
        trial("naive", "b", difference=0.0),
        trial("naive", "c", difference=np.nan, status="failed", auroc=np.nan),
        trial("knn", "a"),
    )
    moved = by_setting(given)

    assert names(moved, "one-class") == ["knn"]
    assert names(moved, "transductive") == ["knn", "naive"]
    assert len(moved) == 1 + 4
    pd.testing.assert_frame_equal(by_setting(moved).reset_index(drop=True), moved)


def test_transductive_results_are_not_counted_twice():
    given = results(
        trial("knn", "a"),
        trial("knn", "b"),
        trial("knn", "a", "transductive", auroc=0.9),
    )
    table = by_setting(given).query("protocol == 'transductive'")

    assert sorted(zip(table["dataset"], table["auroc"], strict=True)) == [
        ("a", 0.9),
        ("b", 0.7),
    ]


def test_contaminated_results_of_the_batch_dependent_are_left_out():
    given = results(
        trial("naive", "a", "contaminated=0.05", difference=0.9),
        trial("knn", "a", "contaminated=0.05"),
    )

    assert by_setting(given)["detector"].tolist() == ["knn"]


def test_unsupervised_results_never_move():
    given = results(
        trial("naive", "a", "unsupervised", difference=np.nan),
        trial("naive", "a", difference=0.9),
    )
    moved = by_setting(given)

    assert names(moved, "unsupervised") == ["naive"]
    assert names(moved, "transductive") == ["naive"]


def test_older_results_go_by_what_a_detector_declares():
    given = results(
        trial("pyod.ECOD", "a", difference=np.nan, inductive=False),
        trial("knn", "a", difference=np.nan),
        # The measurement decides where there is one.
        trial("modest", "a", difference=0.0, inductive=False),
    ).astype({"inductive": object})

    assert batch_dependent(given)["detector"].tolist() == ["pyod.ECOD"]
    without = given.drop(columns="batch_difference")
    assert batch_dependent(without)["detector"].tolist() == ["modest", "pyod.ECOD"]
    assert batch_dependent(without.drop(columns="inductive")).empty


def test_a_leaderboard_gives_the_reason_in_one_line():
    given = results(
        *(trial("naive", name, difference=0.9) for name in "abcdef"),
        *(trial("knn", name) for name in "abcdef"),
    )
    with pytest.warns(UserWarning, match="naive: not ranked.*0.9 of their spread") as w:
        table = odbench.build_leaderboard(given)

    assert len([one for one in w if "not ranked" in str(one.message)]) == 1
    assert names(table, "one-class") == ["knn"]
    assert names(table, "transductive") == ["knn", "naive"]
    assert not_ranked(given.query("detector == 'knn'")) == []


def test_the_reason_names_the_settings_that_are_there():
    dirty = [trial("naive", "a", "contaminated=0.05", difference=0.9)]
    (only,) = not_ranked(results(*dirty))
    (both,) = not_ranked(results(*dirty, trial("naive", "a", difference=0.9)))

    assert only.startswith(
        "naive: not ranked in the setting contaminated=0.05, because"
    )
    assert "transductive" not in only
    assert "setting contaminated=0.05 and one-class, because" in both
    assert both.endswith("; see the transductive table")


def test_the_reason_names_settings_of_that_configuration_alone():
    other = trial("naive", "a", "contaminated=0.05") | {"config": "k=2"}
    given = results(trial("naive", "a", difference=0.9), other)

    (line,) = not_ranked(given)

    assert line.startswith("naive: not ranked in the setting one-class, because")


def test_each_setting_is_described():
    assert "all test rows" in describe("transductive")[0]
    assert "number of anomalies" in describe("transductive")[1]
    assert len(describe("contaminated=0.05")) == 1
    assert describe("something else") == []
