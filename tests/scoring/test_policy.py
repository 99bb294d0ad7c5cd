"""Each policy counts failures as documented, and none is skipped."""

import numpy as np
import pytest

from odbench.errors import UsageError
from odbench.scoring.cells import split_results
from odbench.scoring.policy import MEANINGS, POLICIES, apply_policy
from tests.reference import scoring as reference
from tests.reference.trials import frame, from_matrix, random_trials, trial


def quality(results, policy):
    (cells,) = split_results(results)
    return apply_policy(cells, policy)


@pytest.mark.parametrize("policy", ["main", "worst", "base-rate", "mean-of-others"])
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


def test_a_failure_counts_as_chance_and_ranks_last():
    found = quality(from_matrix([[0.3, None, 0.9]]), "main")

    assert found.auroc.tolist() == [[0.3, 0.5, 0.9]]
    assert found.values["ap"][0, 1] == pytest.approx(0.1)
    assert found.last.tolist() == [[False, True, False]]


def test_a_failed_seed_counts_in_the_mean():
    results = frame([trial("a", "knn", 0.9, seed=0), trial("a", "knn", None, seed=1)])

    found = quality(results, "main")

    assert found.auroc.tolist() == [[pytest.approx(0.7)]]
    assert found.last.tolist() == [[False]]


def test_a_data_set_that_was_not_tried_counts_as_failed():
    found = quality(from_matrix([[0.8, "absent"], [0.8, 0.9]]), "main")

    assert found.auroc[0].tolist() == [0.8, 0.5]
    assert found.last[0].tolist() == [False, True]


def test_complete_case_leaves_out_data_sets_not_methods():
    found = quality(from_matrix([[0.8, None], [0.7, 0.9]]), "complete-case")

    assert found.auroc.tolist() == [[0.7, 0.9]]


def test_failing_never_pays_under_the_main_policy():
    # For any score of the method, failing never gives it a better rank.
    for score in np.linspace(0.0, 1.0, 11):
        with_score = quality(from_matrix([[score, 0.2, 0.6]]), "main")
        failed = quality(from_matrix([[None, 0.2, 0.6]]), "main")
        order = np.where(with_score.last, -1, with_score.auroc)[0]
        gone = np.where(failed.last, -1, failed.auroc)[0]
        assert (gone > gone[0]).sum() >= (order > order[0]).sum()


def test_when_everyone_fails_everyone_is_at_chance():
    for policy in POLICIES:
        found = quality(from_matrix([[None, None]]), policy)
        if policy != "complete-case":
            assert found.auroc.tolist() == [[0.5, 0.5]]


def test_an_unknown_policy_is_refused():
    with pytest.raises(UsageError, match="'generous': wanted one of main"):
        quality(from_matrix([[0.5]]), "generous")


def test_every_policy_is_explained():
    assert set(MEANINGS) == set(POLICIES)
