"""Version 2 keeps to its design: difficulty, tables, levels, the same bits."""

import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from odbench.data import synbench_check, synbench_manifest
from odbench.data.manifest import read_manifest
from odbench.data.subsets import resolve
from odbench.data.transports.generated import generator
from odbench.errors import DataError, ManifestError, UnknownDatasetError, UsageError
from odbench.suites import load_suites
from odbench.synbench.draw import DIMENSION_BINS
from odbench.synbench.scm import spread
from odbench.synbench.stream import seeded
from odbench.synbench.suite import ARCHETYPES
from odbench.synbench.v2 import build, table
from odbench.synbench.v2.difficulty import STRATA, search, separation, solve
from odbench.synbench.v2.severity import severity_levels
from odbench.synbench.v2.suites import DESIGNS, SEVERITY, SYNBENCH_2
from tests.reference.synbench import auroc

SUITES = {"synbench-2": (800, 5), "synbench-severity": (300, 3)}


@pytest.fixture(scope="module", params=SUITES)
def suite(request):
    return request.param


@pytest.fixture(scope="module")
def manifest(suite):
    return {record.name: record for record in read_manifest(suite)}


def facts(record):
    return json.loads(record.parameters)


def test_the_manifest_has_every_name_once_and_measured(suite, manifest):
    size = SUITES[suite][0]

    assert set(manifest) == set(DESIGNS[suite].names())
    assert len(manifest) == size == load_suites()[suite].sizes["public"]
    assert len({record.content_sha256 for record in manifest.values()}) == size
    for record in manifest.values():
        assert facts(record)["generator_version"] == build.VERSION == 2


def test_every_cell_of_the_design_has_as_many_sets(suite, manifest):
    found = {}
    for name, record in manifest.items():
        cell, _ = DESIGNS[suite].cell(name)
        low, high = DIMENSION_BINS[cell.dimension_bin]
        assert low <= record.n_columns <= high
        key = cell.archetype, cell.dimension_bin, cell.stratum
        found[key] = found.get(key, 0) + 1

    strata = DESIGNS[suite].strata
    assert set(found) == set(itertools.product(ARCHETYPES, range(5), strata))
    assert max(found.values()) - min(found.values()) <= 1


def test_every_oracle_lies_in_its_stratum(suite, manifest):
    for name, record in manifest.items():
        low, high = STRATA[DESIGNS[suite].cell(name)[0].stratum]
        assert low <= facts(record)["oracle_auroc"] < high


def test_tables_have_every_kind_of_column(suite, manifest):
    total = {}
    for record in manifest.values():
        found = facts(record)
        for key in ("n_integer", "n_heavy", "n_codes", "n_copied", "n_missing"):
            total[key] = total.get(key, 0) + found[key]
    n = sum(record.n_columns for record in manifest.values())

    assert 0.35 < total["n_integer"] / n < 0.6
    assert 0.05 < total["n_codes"] / n < 0.2
    assert 0.1 < total["n_heavy"] / n < 0.35
    assert min(total["n_copied"], total["n_missing"]) / n > 0.002
    # Tables of few columns, all of them integers, have equal rows.
    assert sum(record.duplicate_train > 0 for record in manifest.values()) > 10


def histogram_rows():
    """The table of docs/synbench-2.md: sets by archetype and the oracle's AUROC."""
    edges = [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.935, 0.97, 0.985, 1.0]
    records = read_manifest("synbench-2")
    for archetype in ARCHETYPES:
        found = [facts(r)["oracle_auroc"] for r in records if r.archetype == archetype]
        counts = np.histogram(found, bins=edges)[0]
        yield f"| {archetype} | " + " | ".join(map(str, counts)) + " |"


def test_the_histogram_of_the_docs_is_the_manifests():
    text = (Path(__file__).parents[2] / "docs" / "synbench-2.md").read_text()

    for row in histogram_rows():
        assert row in text


@pytest.mark.parametrize("name", SYNBENCH_2.names()[::127])
def test_a_sample_of_the_manifest_is_regenerated(name):
    pinned = [r for r in read_manifest("synbench-2") if r.name == name]
    made = [synbench_manifest.measure_one(name, "synbench-2")]

    assert synbench_manifest.check(made, pinned) == []


@pytest.mark.parametrize("name", SEVERITY.names()[::77])
def test_a_sample_of_the_severity_manifest_is_regenerated(name):
    pinned = [r for r in read_manifest("synbench-severity") if r.name == name]
    made = [synbench_manifest.measure_one(name, "synbench-severity")]

    assert synbench_manifest.check(made, pinned) == []


@pytest.mark.slow
@pytest.mark.long
def test_all_sets_are_regenerated_in_other_processes(suite, manifest):
    made = synbench_manifest.measured("*", jobs=2, suite=suite)

    assert synbench_manifest.check(made, list(manifest.values())) == []


def test_the_severity_suite_has_levels_from_the_oracles_scale():
    made = SEVERITY.make("gmm-subspace-000")
    levels, scores = made.severity, made.oracle_scores

    assert levels.dtype == np.int8
    assert ((levels > 0) == (made.y_test == 1)).all()
    for level in (1, 2, 3):
        assert scores[levels == level].max() <= scores[levels == level + 1].min()
    counts = np.bincount(levels)[1:]
    assert len(counts) == 4
    assert counts.max() - counts.min() <= 1
    assert SYNBENCH_2.make("gmm-subspace-000").severity is None


def test_equal_scores_have_equal_levels():
    assert severity_levels(np.array([5.0, 1.0, 1.0, 1.0])).tolist() == [4, 1, 1, 1]
    assert severity_levels(np.array([4.0, 3.0, 2.0, 1.0])).tolist() == [4, 3, 2, 1]


def test_separation_is_the_auroc_of_the_slow_version():
    rng = np.random.default_rng(3)
    inliers, anomalies = rng.integers(0, 9, 40), rng.integers(3, 12, 15)
    labels = np.repeat([0, 1], [40, 15])

    slow = auroc(labels, np.concatenate([inliers, anomalies]))
    assert separation(inliers, anomalies) == pytest.approx(slow, abs=1e-15)


def test_the_strength_is_solved_for_the_target():
    law = build._LAWS["gmm-subspace"](seeded(81, (1,)), 6)
    stream = seeded(81, (2,))
    inliers, plan = law.inliers(stream, 1000), law.plan(stream, 400)

    strength = search(law, inliers, plan, 0.85)

    reached = separation(
        law.score(inliers, strength), law.score(law.anomalies(plan, strength), strength)
    )
    assert reached == pytest.approx(0.85, abs=0.01)
    assert 0.8 <= reached < 0.9
    assert solve(law, inliers, plan, 2, 0.85) is not None
    assert search(law, inliers, plan, 1.0) is None


def make_table(d=5, n=3000, key=1, **layout):
    law = build._LAWS["gmm-subspace"](seeded(82, (key,)), d)
    base = law.inliers(seeded(82, (key, 1)), n)[0]
    chosen = table.Layout(
        n_law=d, **{"n_codes": 0, "n_copies": 0, "n_gaps": 0} | layout
    )
    values, drawn = table.make_table(
        seeded(82, (key, 2)), law, base, chosen, n_train=n // 2
    )
    back = np.empty_like(values)
    back[drawn["order"]] = values
    return law, base, back, drawn


@pytest.mark.parametrize("key", range(8))
def test_columns_rise_with_the_law_and_integers_merge_little(key):
    law, base, values, drawn = make_table(key=key)

    for j in range(5):
        order = np.argsort(base[j], kind="stable")
        steps = np.diff(values[j][order])
        assert (steps >= 0).all()
        if j not in drawn["integer"]:
            assert (steps > 0).all()
            continue
        assert (values[j] == np.rint(values[j])).all()
        # Rows with the same integer lie within one step of the law's resolution.
        for value in np.unique(values[j])[::5]:
            same = base[j][values[j] == value]
            assert np.ptp(same) <= table.STEPS[1] * law.resolution[j] + 1e-9


def test_codes_copies_and_gaps():
    _, base, values, drawn = make_table(d=6, key=9, n_codes=2, n_copies=1, n_gaps=2)

    codes, copy, indicators = values[6:8], values[8], values[9:]
    assert [int(c.max()) + 1 for c in codes] == drawn["n_levels"]
    assert (copy == values[drawn["copied"][0]]).all()
    for indicator, share in zip(indicators, drawn["missing"], strict=True):
        assert set(np.unique(indicator)) == {0.0, 1.0}
        assert indicator.mean() == pytest.approx(share, abs=0.02)
        filled = [len(np.unique(v[indicator == 1.0])) == 1 for v in values[:6]]
        assert sum(filled) >= 1
    # A code moves some column of the law.
    moved = 0.0
    for j in range(6):
        rank = np.argsort(np.argsort(values[j])) / len(values[j])
        plain = np.argsort(np.argsort(base[j])) / len(base[j])
        moved = max(moved, float(np.abs(rank - plain).mean()))
    assert moved > 0.02
    assert spread(base).min() > 0


def test_an_oracle_without_information_is_beaten_and_named(monkeypatch):
    """Shuffle the oracle's scores, which is what a wrong formula amounts to."""
    import dataclasses

    made = SYNBENCH_2.make("gmm-subspace-020")
    assert synbench_check.beaten(made, synbench_check.probes(made)) == []
    rng = np.random.default_rng(0)
    wrong = dataclasses.replace(made, oracle_scores=rng.permutation(made.oracle_scores))

    lines = synbench_check.beaten(wrong, synbench_check.probes(wrong))

    assert lines
    assert "oracle is beaten by mahalanobis" in "\n".join(lines)


def test_gaps_between_aurocs_against_pairs_and_a_bootstrap():
    rng = np.random.default_rng(5)
    labels = np.repeat(np.array([0, 1], dtype=np.int8), [300, 80])
    first = rng.normal(size=380) + 1.2 * labels
    second = first + rng.normal(size=380)

    gap, error = synbench_check.auroc_gap(labels, first, second)

    slow = auroc(labels, first) - auroc(labels, second)
    assert gap == pytest.approx(slow, abs=1e-12)
    drawn = []
    for _ in range(400):
        i = np.r_[rng.integers(0, 300, 300), 300 + rng.integers(0, 80, 80)]
        again = (synbench_check.auroc_gap(labels, s[i], second[i])[0] for s in [first])
        drawn += list(again)
    assert error == pytest.approx(np.std(drawn), rel=0.2)


def test_a_law_that_never_reaches_its_target_is_an_error_not_a_loop(monkeypatch):
    monkeypatch.setattr(build, "_attempt", lambda *_, **__: None)

    with pytest.raises(DataError, match="synbench-2 'gmm-subspace-000': no set"):
        SYNBENCH_2.make("gmm-subspace-000")


@pytest.mark.parametrize("name", ["gmm-subspace-160", "gmm-017", "", "scm-a-²²²"])
def test_unknown_names_say_what_was_wanted(name):
    with pytest.raises(UnknownDatasetError, match="synbench-2 has no data set"):
        SYNBENCH_2.make(name)


def test_version_1_is_also_found_under_the_name_that_says_so():
    suite, names = resolve("synbench-1")

    assert suite.name == "synbench"
    assert len(names) == 800
    assert resolve("synbench-2")[0].name == "synbench-2"


def test_unknown_subsets_and_generators_are_named():
    with pytest.raises(UsageError, match="synbench-2 has no subset 'tiny'"):
        SYNBENCH_2.names("tiny")
    with pytest.raises(ManifestError, match="no generator of that name"):
        generator("synbench-9")


# Written by generator version 2. A change of one is a new version.
GOLDEN = {
    "gmm-subspace-020": "eda7bf2a5345738a",
    "scm-measurement-001": "a82907e9b2d0197b",
    "scm-structural-007": "d3665a5eba7c18c5",
    "copula-probabilistic-003": "24b1661aa06dd334",
    "copula-dependence-009": "65860fa47231ae0e",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_sets_are_pinned_to_the_bit(name):
    made = SYNBENCH_2.make(name)
    content = made.X_train.tobytes("C") + made.X_test.tobytes("C")

    assert hashlib.sha256(content).hexdigest()[:16] == GOLDEN[name]


def test_removed_cells_have_one_zero_on_every_processor():
    # Of 0.0 and -0.0, a sort may put either one in the middle; here it has no choice.
    columns = np.full((1, 400), -0.0)

    indicators, _ = table._remove_cells(seeded(1, (0,)), columns, 1, 200)

    gone = indicators[0] == 1.0
    assert gone.any()
    assert np.array_equal(np.signbit(columns[0]), ~gone)
