"""Views by the audit's facts, compared with the main table by hand-made results."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from odbench.leaderboard.conclusion_text import markdown_section, sentence
from odbench.leaderboard.conclusions import (
    conclusion_table,
    conclusions_of,
    kendall_tau,
)
from odbench.scoring.cells import split_results
from odbench.scoring.policy import apply_policy
from tests.reference.trials import frame, random_trials, trial

FACTS = {"ceiling_auroc": 1.0, "ceiling_ap": 1.0, "trivial_share": 0.5}


def conclusions(results):
    (cells,) = split_results(results)
    return conclusions_of(apply_policy(cells))


def by_view(results, metric="auroc"):
    found = conclusions(results).found
    return {each.view: each for each in found if each.metric == metric}


def results_of(values, *, facts=(), **columns):
    """Trials with a value per data set and method, facts per data set."""
    rows = []
    for d, row in enumerate(values):
        known = {**FACTS, "label_conflict": 0, **(facts[d] if d < len(facts) else {})}
        for m, value in enumerate(row):
            more = {name: column[d][m] for name, column in columns.items()}
            rows.append(trial(f"set {d}", f"m{m}", value, **known, **more))
    return frame(rows)


def test_distinct_rows_can_change_the_first_place():
    results = results_of(
        [[0.9, 0.8], [0.7, 0.6]],
        auroc_distinct=[[0.5, 0.8], [0.7, 0.6]],
        ap_distinct=[[0.5, 0.4], [0.3, 0.2]],
    )

    found = by_view(results)["distinct rows"]

    assert found.methods == ("m0", "m1")
    np.testing.assert_allclose(found.main_mean, [0.8, 0.7])
    np.testing.assert_allclose(found.mean, [0.6, 0.7])
    assert (found.main_first, found.first) == (("m0",), ("m1",))
    assert found.tau == -1
    assert found.n_winner_changes == 1
    assert found.n_moved.tolist() == [1, 0]


def test_a_failed_trial_counts_as_in_the_main_table():
    results = results_of(
        [[0.9, None], [0.7, 0.6]],
        auroc_distinct=[[0.5, None], [0.7, 0.6]],
        ap_distinct=[[0.5, None], [0.7, 0.6]],
    )

    found = by_view(results)

    np.testing.assert_allclose(found["distinct rows"].mean, [0.6, 0.3])
    assert found["complete cases"].n_datasets == 1


def test_values_are_divided_by_what_the_table_allows():
    results = results_of(
        [[0.6, 0.4], [0.9, 0.9]],
        facts=[{"ceiling_auroc": 0.8, "ceiling_ap": 0.5}, {"ceiling_auroc": 0.89995}],
    )

    found = by_view(results)["share of ceiling"]

    # A ceiling is rounded, so no share exceeds 1.
    np.testing.assert_allclose(found.mean, [(0.75 + 1) / 2, (0.5 + 1) / 2])
    assert found.n_winner_changes == 0
    ap = by_view(results, "ap")["share of ceiling"]
    np.testing.assert_allclose(ap.mean, [(0.6 + 0.45) / 2, (0.4 + 0.45) / 2])


def test_views_that_leave_sets_out_are_compared_over_the_known_ones():
    facts = [
        {"trivial_share": 0.94, "label_conflict": 1},
        {"trivial_share": 0.95, "label_conflict": 0},
        {"trivial_share": None, "label_conflict": None},
    ]
    results = results_of([[0.9, 0.8], [0.6, 0.8], [0.1, 0.9]], facts=facts)

    found = by_view(results)

    easy, free = found["not trivial"], found["conflict-free"]
    assert (easy.n_known, easy.n_datasets) == (2, 1)
    np.testing.assert_allclose(easy.main_mean, [0.75, 0.8])
    np.testing.assert_allclose(easy.mean, [0.9, 0.8])
    np.testing.assert_allclose(free.mean, [0.6, 0.8])
    assert np.isnan(easy.n_winner_changes)
    assert np.isnan(easy.n_moved).all()


def test_results_without_the_facts_still_have_the_views_that_need_none(rng):
    results = frame(random_trials(rng)).drop(
        columns=["auroc_distinct", "ap_distinct", "ceiling_auroc", "trivial_share"]
    )

    found = conclusions(results)

    assert set(found.left_out) == {"distinct rows", "share of ceiling", "not trivial"}
    told = "\n".join(markdown_section(found))
    assert "left out: distinct rows (the results do not have the facts)" in told


def test_a_view_without_data_sets_is_told():
    facts = [{"label_conflict": 1, "trivial_share": 1.0}]
    found = conclusions(results_of([[None, 0.8]], facts=facts))

    assert found.left_out["conflict-free"] == "no data set is left"
    assert found.left_out["not trivial"] == "no data set is left"
    assert found.left_out["complete cases"] == "no data set is left"


def test_an_oracle_does_not_compete():
    rows = [trial("a", name, 0.9, **FACTS) for name in ("oracle", "knn")]

    found = conclusions(frame(rows)).found

    assert {each.methods for each in found} == {("knn",)}


def test_the_table_has_a_row_per_view_metric_and_method():
    results = results_of([[0.6, 0.9, 0.7]], facts=[{"ceiling_auroc": 0.95}])

    table = conclusion_table(conclusions(results))

    part = table[(table["view"] == "share of ceiling") & (table["metric"] == "auroc")]
    assert part["method"].tolist() == ["m1", "m2", "m0"]
    assert part["place"].tolist() == [1, 2, 3]
    assert (table["suite"] == "toy").all()
    assert not table.duplicated(["view", "metric", "method"]).any()


def test_the_sentence_names_what_changes():
    results = results_of(
        [[0.9, 0.8], [0.7, 0.6]],
        auroc_distinct=[[0.5, 0.8], [0.7, 0.6]],
        ap_distinct=[[0.5, 0.4], [0.3, 0.2]],
    )

    told = sentence(conclusions(results))

    assert "changes under 1 of 5 audit views: distinct rows (then m1)" in told
    assert "tau with the main order is -1.00 or more (least: distinct rows)" in told
    assert "by distinct rows the best method changes on 1 of 2 data sets" in told
    same = sentence(conclusions(results_of([[0.9, 0.8]])))
    assert "stays the same under 4 audit views" in same
    assert same.endswith("; left out: distinct rows.")
    assert not sentence(conclusions(results_of([[0.9]])))


@pytest.mark.parametrize("ties", [False, True])
def test_kendalls_tau_is_scipys(rng, ties):
    for _ in range(20):
        a, b = rng.integers(0, 4 if ties else 1000, size=(2, 9)).astype(float)
        assert kendall_tau(a, b) == pytest.approx(kendalltau(a, b).statistic)
    assert np.isnan(kendall_tau(np.ones(3), np.arange(3.0)))
    assert pd.isna(kendall_tau(np.ones(1), np.ones(1)))
