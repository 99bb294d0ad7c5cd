"""Regret is measured against a configuration that was chosen on other families."""

import numpy as np
import pytest

from odbench.leaderboard.regret import ALL, best_elsewhere, regret_table
from odbench.scoring.cells import split_results
from odbench.scoring.clusters import clusters_of
from odbench.scoring.policy import apply_policy
from tests.reference.trials import frame, trial

CONFIGS = ("default", "k=1", "k=20")


@pytest.fixture
def quality(rng):
    """Twelve data sets in six families; k=20 is best, a rule takes k=1 on one set."""
    trials = []
    for d in range(12):
        facts = {"family": f"family {d // 2}"}
        values = dict(
            zip(CONFIGS, (0.7, 0.6, 0.8) + rng.normal(0, 0.01, 3), strict=True)
        )
        chosen = "k=1" if d == 3 else "k=20"
        trials += [
            trial(
                f"set {d}", "knn", v, config=c, selection=0.5 + (c == chosen), **facts
            )
            for c, v in values.items()
        ]
        trials.append(trial(f"set {d}", "lof", 0.5, **facts))
    (cells,) = split_results(frame(trials))
    return apply_policy(cells)


def test_every_view_is_compared_with_the_best_fixed_configuration(quality):
    table = regret_table(quality)

    assert set(table["detector"]) == {"knn", ALL}
    assert set(table["best_fixed"]) == {"k=20", "knn[k=20]"}
    assert set(table["n_configurations"]) == {3, 4}
    rows = table[(table["metric"] == "auroc") & (table["detector"] == "knn")]
    rows = rows.set_index("view")
    # On one of two sets of one of six families the rule loses 0.2.
    lost = rows.loc["selected without labels", "regret"]
    assert lost == pytest.approx(0.2 / 12, abs=0.005)
    assert rows.loc["default", "regret"] == pytest.approx(0.1, abs=0.02)
    assert rows.loc["grid mean", "regret"] == pytest.approx(0.1, abs=0.02)
    assert rows.loc["oracle", "regret"] <= 0.0
    assert rows.loc["default", "regret_low"] < 0.1 < rows.loc["default", "regret_high"]


def test_a_rule_may_choose_among_all_detectors(quality):
    table = regret_table(quality)
    rows = table[(table["metric"] == "auroc") & (table["detector"] == ALL)]
    regret = rows.set_index("view")["regret"]

    assert list(regret.index) == ["grid mean", "selected without labels", "oracle"]
    assert regret["selected without labels"] == pytest.approx(0.2 / 12, abs=0.005)
    assert regret["grid mean"] == pytest.approx(0.8 - 0.65, abs=0.02)
    assert regret["oracle"] <= 0


def test_a_rule_without_measurements_takes_any_of_them(rng):
    trials = []
    for d in range(8):
        known = {"selection": 0.9} if d else {}
        trials.append(trial(f"set {d}", "knn", 0.9, **known))
        trials.append(trial(f"set {d}", "knn", 0.9, config="k=1"))
        trials.append(trial(f"set {d}", "lof", 0.5))
    (cells,) = split_results(frame(trials))

    table = regret_table(apply_policy(cells)).set_index(["detector", "view", "metric"])

    # On one set of eight the rule has the mean of 0.9, 0.9 and 0.5.
    regret = table.loc[(ALL, "selected without labels", "auroc"), "regret"]
    assert regret == pytest.approx((0.9 - 2.3 / 3) / 8)


def test_the_fixed_configuration_never_saw_the_family_it_is_judged_on(rng):
    values = rng.random((9, 4))
    clusters = clusters_of(9, list("aabbccdde"))

    found = best_elsewhere(values, clusters)

    for t in range(9):
        others = [
            values[clusters.family == g].mean(axis=0)
            for g in range(5)
            if g != clusters.family[t]
        ]
        assert found[t] == values[t, np.argmax(np.mean(others, axis=0))]


def test_a_large_family_weighs_as_much_as_a_small_one():
    trials = []
    for d in range(20):
        gain = 0.2 if d < 15 else 0.0
        facts = {"family": "large" if d < 15 else f"small {d}"}
        trials.append(trial(f"set {d:02d}", "knn", 0.5, **facts))
        trials.append(trial(f"set {d:02d}", "knn", 0.5 + gain, config="k=9", **facts))
    (cells,) = split_results(frame(trials))

    table = regret_table(apply_policy(cells)).set_index(["view", "metric"])

    # In one of six families k=9 gains 0.2, and only the other families chose it: none.
    regret = table.loc[("default", "auroc"), "regret"]
    assert abs(regret) == pytest.approx(0.0, abs=0.2 / 6)


def test_a_detector_with_one_configuration_has_no_regret():
    (cells,) = split_results(frame([trial("a", "knn", 0.5), trial("b", "knn", 0.6)]))

    assert regret_table(apply_policy(cells)).empty
