"""Recommendations: facts, similarity, costs, limits, and evidence that is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

import odbench
from odbench.errors import DataError, UsageError
from odbench.tables import recommend as module
from odbench.tables.recommend import Limits, recommend_detector
from odbench.tables.recommend_cost import NEEDED, expected_costs
from odbench.tables.recommend_evidence import (
    SETTINGS,
    Evidence,
    distances,
    read_evidence,
)
from odbench.tables.recommend_facts import mean_ranks, table_facts
from odbench.tables.recommend_screen import advice_lines, verdict
from odbench.tables.recommend_similar import (
    interval,
    may_be_as_good,
    nearest,
    places,
)

rng = np.random.default_rng(0)


def made_evidence(n=300, families=None):
    """Data sets where `a` wins on few columns and `b` on many."""
    columns = np.where(np.arange(n) % 2 == 0, 4.0, 64.0)
    rows = np.geomspace(100, 10_000, n)
    wins = np.where(columns == 4.0, 0.9, 0.6)
    auroc = np.stack([wins, 1.4 - wins], axis=1) + rng.normal(0, 0.01, (n, 2))
    seconds = 1e-6 * rows[:, None] * columns[:, None] * [1.0, 10.0]
    unknown = np.full(n, np.nan)
    facts = {"rows": rows, "columns": columns, "duplicates": np.zeros(n)}
    facts |= dict.fromkeys(("integers", "categories", "dependence"), unknown)
    return Evidence(
        setting="one-class",
        provenance="made up",
        names=("a", "b"),
        explains=(False, True),
        families=np.arange(n) if families is None else families,
        facts=facts,
        total_rows=rows,
        auroc=auroc,
        ap=auroc - 0.2,
        seconds=seconds,
        memory=seconds * 2.0**40,
    )


def table(n_columns, n=1_000):
    values = rng.normal(size=(n, n_columns))
    return pd.DataFrame(values, columns=[f"c{j}" for j in range(n_columns)])


@pytest.fixture
def use(monkeypatch):
    def used(evidence, note=""):
        monkeypatch.setattr(module, "read_evidence", lambda _: (evidence, note))

    return used


def test_facts_of_a_table_made_to_have_them():
    base = rng.normal(size=900)
    codes, whole = rng.integers(0, 3, 900), rng.permutation(900)
    X = np.column_stack([base, np.exp(base), codes, whole]).astype(float)

    facts = table_facts(np.concatenate([X, X[:100]]), n_rows=5_000)

    assert facts["rows"] == 5_000
    assert facts["columns"] == 4
    assert facts["duplicates"] == pytest.approx(0.1)
    assert facts["integers"] == 0.25
    assert facts["categories"] == 0.25
    # One pair of six has the rank correlation 1, the others about 0.
    assert facts["dependence"] == pytest.approx(1 / 6, abs=0.05)


def test_facts_do_not_depend_on_the_order_of_rows():
    X = np.round(rng.normal(size=(3_000, 3)), 1)

    assert table_facts(np.sort(X, axis=0)) == table_facts(np.sort(X, axis=0)[::-1])


def test_another_best_detector_for_other_tables(use):
    use(made_evidence())

    narrow, broad = recommend_detector(table(4)), recommend_detector(table(64))

    assert (narrow.recommended, broad.recommended) == ("a", "b")
    assert "Over all data sets the best is" in verdict(
        next(x for x in (narrow, broad) if x.recommended != x.best_overall)
    )


def test_a_family_counts_once():
    evidence = made_evidence(40, families=np.repeat([0, 1], [39, 1]))
    similar = nearest(evidence, np.arange(40.0))

    assert similar.n_families == 2
    expected = (evidence.auroc[:39].mean(axis=0) + evidence.auroc[39]) / 2
    np.testing.assert_allclose(similar.means(evidence.auroc).mean(axis=0), expected)


def test_the_nearest_families_are_those_with_the_nearest_set():
    evidence = made_evidence(6, families=np.array([0, 0, 1, 1, 2, 2]))
    far = np.array([5.0, 1.0, 2.0, 9.0, 3.0, np.inf])

    assert set(nearest(evidence, far, 2).sets) == {1, 2}
    assert set(nearest(evidence, far, 3).sets) == {1, 2, 4}


def test_distances_against_a_loop_and_unknown_facts_are_skipped():
    evidence = made_evidence(30)
    facts = {"rows": 500.0, "columns": 8.0, "duplicates": 0.1}
    facts |= {"integers": 0.5, "categories": 0.5, "dependence": 0.2}
    rows, columns = np.log(evidence.facts["rows"]), np.log(evidence.facts["columns"])
    for i, found in enumerate(distances(evidence, facts)):
        terms = [abs(rows[i] - np.log(500)) / rows.std()]
        terms += [abs(columns[i] - np.log(8)) / columns.std(), 0.1]
        assert found == pytest.approx(sum(terms) / 3)


def test_costs_follow_a_power_law_and_grow_with_the_table():
    evidence = made_evidence()
    seconds, memory = expected_costs(evidence, 50_000, 16)

    np.testing.assert_allclose(seconds, [0.8, 8.0], rtol=1e-6)
    np.testing.assert_allclose(memory, seconds * 2.0**40, rtol=1e-6)


def test_too_few_measurements_of_memory_give_no_estimate(use):
    evidence = made_evidence()
    memory = evidence.memory.copy()
    memory[NEEDED - 1 :] = np.nan
    use(replace(evidence, memory=memory))

    assert recommend_detector(table(4)).rows[0]["memory_gib"] is None
    with pytest.raises(UsageError, match=r"--max-memory: got 1.0, .* leave it out"):
        recommend_detector(table(4), limits=Limits(memory=1.0))


def test_limits_exclude_detectors(use):
    use(made_evidence())
    cheap = recommend_detector(table(64), limits=Limits(seconds=0.3))
    explained = recommend_detector(table(4), limits=Limits(explainable=True))
    small = recommend_detector(table(64), limits=Limits(memory=300.0))
    none = recommend_detector(table(4), limits=Limits(seconds=1e-9))

    assert (cheap.recommended, explained.recommended) == ("a", "b")
    assert small.recommended == "a"
    assert none.recommended == ""
    assert verdict(none) == "No detector keeps these limits; raise one of them."


def test_intervals_cover_the_mean_as_often_as_they_say():
    draws = np.random.default_rng(1).exponential(size=(100, 2_000))
    mean, low, high = interval(draws)

    assert 0.92 < np.mean((low <= 1) & (high >= 1)) < 0.97
    np.testing.assert_allclose(mean, draws.mean(axis=0))


def test_all_intervals_hold_together_as_often_as_they_say():
    draws = np.random.default_rng(2).normal(1.0, size=(400, 100, 16))
    missed = 0
    for values in draws:
        _, low, high = interval(values, among=16)
        missed += ((low > 1) | (high < 1)).any()

    assert missed / len(draws) < 0.08
    _, alone, _ = interval(draws[0])
    _, together, _ = interval(draws[0], among=16)
    assert (together < alone).all()


def test_configurations_within_chance_of_the_best():
    base = rng.normal(0, 0.2, (200, 1))
    noise = rng.normal(0, 0.05, (200, 4))
    means = base + noise + [0.0, -0.001, -0.05, -0.2]

    assert may_be_as_good(means).tolist() == [True, False, False]
    # Nothing is clear from one family.
    assert may_be_as_good(means[:1]).tolist() == [True, True, True]


def test_equal_detectors_may_all_be_as_good(rng):
    excluded = 0
    for _ in range(400):
        means = rng.normal(size=(200, 17))
        best_first = means[:, np.argsort(-means.mean(axis=0))]
        excluded += not may_be_as_good(best_first).all()

    assert excluded / 400 <= 0.08


def test_the_verdict_names_what_may_be_as_good(use):
    evidence = made_evidence()
    twin = evidence.auroc[:, [0, 0]] + rng.normal(0, 0.01, (300, 2))
    use(replace(evidence, auroc=twin))

    advice = recommend_detector(table(4))
    alone = recommend_detector(table(4), limits=Limits(explainable=True))

    assert len(advice.as_good) == 1
    assert verdict(advice).endswith(f" May be as good: {advice.as_good[0]}.")
    assert alone.as_good == ()
    assert "May be as good" not in verdict(alone)


def test_ranks_against_scipy():
    values = rng.integers(0, 20, 200).astype(float)

    np.testing.assert_array_equal(mean_ranks(values), rankdata(values))


def test_ties_share_a_place():
    assert places(np.array([[0.9, 0.5, 0.9]])).tolist() == [[1.5, 3.0, 1.5]]


def test_a_setting_without_results_is_said(use):
    note = "no unsupervised results are published with odbench yet"
    use(made_evidence(), note)

    with pytest.warns(UserWarning, match=note):
        frame = odbench.recommend(table(5))

    assert frame.attrs["summary"]["setting"] == "unsupervised"
    assert frame.detector[0] == frame.attrs["summary"]["recommended"]
    assert (frame.auroc_low <= frame.auroc).all()
    assert (frame.auroc <= frame.auroc_high).all()


def test_shipped_evidence_says_where_it_comes_from():
    evidence, note = read_evidence("one-class")

    assert note == ""
    assert "2026" in evidence.provenance
    assert evidence.auroc.shape == (len(evidence.families), len(evidence.names))
    assert evidence.auroc.min() >= 0
    assert evidence.auroc.max() <= 1


@pytest.mark.parametrize("setting", SETTINGS)
def test_shipped_evidence_estimates_the_costs_of_every_detector(setting):
    evidence, _ = read_evidence(setting)
    seconds, memory = expected_costs(evidence, 10_000, 12)

    assert (seconds > 0).all()
    assert (memory > 0).all()


def test_damaged_evidence_is_one_line(tmp_path):
    (tmp_path / "evidence.parquet").write_bytes(b"PAR1 and nothing")

    with pytest.raises(DataError, match=r"is damaged; install odbench again"):
        read_evidence("one-class", tmp_path / "evidence.parquet")


def test_sizes_outside_the_evidence_are_said(use):
    use(made_evidence())

    assert "extrapolated" in " ".join(recommend_detector(table(200)).notes)


def test_a_table_without_reference_is_said_to_have_its_own_number_of_rows(rng):
    small = {f"x{j}": rng.normal(size=20) for j in range(4)}

    alone = recommend_detector(small)
    against = recommend_detector(small, small)

    assert alone.notes[0].startswith("20 rows: the evidence has 80 to 100,000;")
    assert against.notes[0].startswith("40 rows to fit and score: the evidence has 80")


def test_whole_numbers_of_few_values_are_not_said_to_be_none(rng):
    advice = recommend_detector({f"x{j}": rng.integers(0, 9, 90) for j in range(4)})

    assert "0 % columns of more than 20 whole numbers" in " ".join(advice_lines(advice))


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf"), "5", True])
def test_bad_limits_are_refused(limit):
    with pytest.raises(UsageError, match=r"--max-seconds: got .*, wanted a number"):
        recommend_detector(table(3), limits=Limits(seconds=limit))


def test_tables_without_rows_or_columns_are_refused():
    with pytest.raises(DataError, match="no rows"):
        recommend_detector(table(3).iloc[:0])
    with pytest.raises(DataError, match="no column can be used"):
        recommend_detector(pd.DataFrame({"same": [1.0] * 50}))


def test_the_facts_shown_are_said_to_be_the_references(use):
    use(made_evidence())
    new, past = table(4).head(30), table(4)

    lines = advice_lines(recommend_detector(new, past))

    first = " ".join(lines[:3])
    assert f"which has {len(past):,} rows" in first
    assert f"{past.shape[1]} encoded columns" in first


def test_lines_fit_the_terminal(use):
    use(made_evidence())
    lines = advice_lines(recommend_detector(table(4), limits=Limits(explainable=True)))

    assert max(map(len, lines)) <= 80
    assert "x: outside the limits" in lines
