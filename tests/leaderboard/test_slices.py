"""Slices contain the right data sets, and exist only if the facts are known."""

import numpy as np
import pytest

from odbench.leaderboard.slices import slice_table, slices_of
from odbench.leaderboard.tables import Settings
from odbench.scoring.cells import split_results
from odbench.scoring.policy import apply_policy
from tests.reference.trials import frame, random_trials, trial

QUICK = Settings(permutations=0)


def quality(results):
    (cells,) = split_results(results)
    return apply_policy(cells)


def members(results):
    found = quality(results)
    return {
        (s.slice, s.level): list(found.cells.datasets[s.rows]) for s in slices_of(found)
    }


def test_bounds_are_where_the_names_say():
    results = frame(
        [
            trial("a", "knn", 0.5, n_train=999, n_columns=5, n_anomalies=4),
            trial("b", "knn", 0.5, n_train=1000, n_columns=6, n_anomalies=5),
            trial("c", "knn", 0.5, n_train=9999, n_columns=20, n_anomalies=19),
            trial("d", "knn", 0.5, n_train=10_000, n_columns=21, n_anomalies=20),
        ]
    )

    found = members(results)

    assert found["size", "< 1k rows"] == ["a"]
    assert found["size", "1k-10k rows"] == ["b", "c"]
    assert found["size", ">= 10k rows"] == ["d"]
    assert found["dimension", "<= 5 columns"] == ["a"]
    assert found["dimension", "6-20 columns"] == ["b", "c"]
    assert found["dimension", "> 20 columns"] == ["d"]
    assert found["anomaly share", "< 5 %"] == ["a"]
    assert found["anomaly share", "5-20 %"] == ["b", "c"]
    assert found["anomaly share", ">= 20 %"] == ["d"]


def test_named_facts_make_a_level_each():
    results = frame(
        [
            trial("a", "knn", 0.5, domain="Human", archetype="local", label_conflict=0),
            trial("b", "knn", 0.5, domain="Science", label_conflict=1),
            trial("c", "knn", 0.5),
        ]
    )

    found = members(results)

    assert found["domain", "Human"] == ["a"]
    assert found["domain", "Science"] == ["b"]
    assert found["archetype", "local"] == ["a"]
    assert found["label conflict", "conflict-free"] == ["a"]
    assert found["label conflict", "with conflicts"] == ["b"]


def test_without_the_fact_there_is_no_slice():
    found = members(frame([trial("a", "knn", 0.5)]))

    assert {name for name, _ in found} == {
        "size", "dimension", "anomaly share",
    }  # fmt: skip


def test_facts_of_the_audit_divide_the_data_sets():
    facts = {
        "a": {"trivial_share": 0.95, "ceiling_auroc": 1.0, "n_distinct_anomalies": 5},
        "b": {"trivial_share": 0.9499, "ceiling_auroc": 0.9999},
        "c": {"n_distinct_anomalies": 4},
    }
    results = frame(
        trial(name, "knn", 0.5, n_anomalies=10, **known)
        for name, known in facts.items()
    )

    found = members(results)

    assert found["triviality", "trivial"] == ["a"]
    assert found["triviality", "not trivial"] == ["b"]
    assert found["ceiling", "ceiling 1"] == ["a"]
    assert found["ceiling", "ceiling below 1"] == ["b"]
    assert found["distinct anomalies", "mostly distinct"] == ["a"]
    assert found["distinct anomalies", "mostly repeats"] == ["c"]


def test_the_levels_of_a_slice_are_disjoint(rng):
    found = quality(frame(random_trials(rng, datasets=40)))

    for name in ("size", "dimension", "anomaly share", "domain"):
        rows = [s.rows for s in slices_of(found) if s.slice == name]
        np.testing.assert_array_equal(np.sum(rows, axis=0), 1)


def test_a_slice_is_ranked_as_if_nothing_else_existed(rng):
    results = frame(random_trials(rng, datasets=20))
    small = results[results["n_train"] < 1000]

    table = slice_table(quality(results), QUICK)

    part = table[table["level"] == "< 1k rows"].set_index("detector")
    alone = quality(small)
    expected = dict(
        zip(
            (m.detector for m in alone.cells.methods),
            alone.auroc.mean(axis=0),
            strict=True,
        )
    )
    for name, value in expected.items():
        assert part.loc[name, "mean_auroc"] == pytest.approx(value)
