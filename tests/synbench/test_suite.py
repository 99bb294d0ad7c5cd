"""The suite matches the manifest and the documented ranges."""

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from odbench.data import synbench_manifest
from odbench.data.manifest import read_manifest
from odbench.errors import DataError, UnknownDatasetError, UsageError
from odbench.suites import read_suites
from odbench.synbench import suite
from odbench.synbench.draw import DIMENSION_BINS, draw_sizes
from odbench.synbench.stream import seeded


@pytest.fixture(scope="module")
def manifest():
    return {record.name: record for record in read_manifest("synbench")}


def facts(record):
    return json.loads(record.parameters)


def test_800_names_160_an_archetype():
    names = suite.names()

    assert len(set(names)) == 800
    assert names[0] == "gmm-subspace-000"
    assert names[-1] == "copula-dependence-159"
    assert len(suite.ARCHETYPES) == 5


def test_the_manifest_has_every_name_once_and_measured(manifest):
    assert set(manifest) == set(suite.names())
    assert len({record.content_sha256 for record in manifest.values()}) == 800
    for name, record in manifest.items():
        assert record.archetype == suite.parse(name)[0]
        assert record.path == ""
        assert facts(record)["generator_version"] == suite.VERSION


def test_sizes_keep_to_the_ranges(manifest):
    for name, record in manifest.items():
        low, high = DIMENSION_BINS[suite.dimension_bin(suite.parse(name)[1])]
        n_inliers = facts(record)["n_inliers"]
        assert low <= record.n_columns <= high
        assert 1000 <= n_inliers <= 20_000
        assert record.n_train == n_inliers // 2
        assert record.n_train + record.n_test == n_inliers + record.n_anomalies
        assert record.n_anomalies >= 30
        share = record.n_anomalies / (record.n_train + record.n_test)
        assert share < 0.2 + 1e-3
        assert share > 0.01 - 1e-3


def test_every_bin_of_every_archetype_has_32_sets(manifest):
    found = {}
    for record in manifest.values():
        place = next(
            k for k, (a, b) in enumerate(DIMENSION_BINS) if a <= record.n_columns <= b
        )
        found[record.archetype, place] = found.get((record.archetype, place), 0) + 1

    assert found == dict.fromkeys(itertools.product(suite.ARCHETYPES, range(5)), 32)


def test_drawn_sizes_are_log_uniform():
    source = seeded(41, ())
    sizes = [draw_sizes(source, k % 5) for k in range(3000)]

    inliers = np.log([size.n_inliers for size in sizes])
    law = stats.uniform(np.log(1000), np.log(20))
    assert stats.kstest(inliers, law.cdf).pvalue > 1e-3
    # If 30 anomalies is not a limit, the share is log-uniform as well.
    large = [s for s in sizes if s.n_inliers > 4000]
    share = np.log([s.n_anomalies / (s.n_inliers + s.n_anomalies) for s in large])
    law = stats.uniform(np.log(0.01), np.log(20))
    assert stats.kstest(share, law.cdf).pvalue > 1e-3
    columns = [s.n_columns for s in sizes[::5]]
    assert stats.chisquare(np.bincount(columns)[2:]).pvalue > 1e-3


def test_every_set_is_learnable_and_clean(manifest):
    for record in manifest.values():
        assert facts(record)["oracle_auroc"] >= 0.6
        assert record.duplicate_train == record.test_in_train == 0
        assert record.label_conflict == 0


def test_scm_outliers_of_the_whole_suite_reach_a_column(manifest):
    counts = [
        facts(record)["changes_that_reach_a_column"]["fewest"]
        for record in manifest.values()
        if record.archetype.startswith("scm")
    ]

    assert len(counts) == 320
    assert min(counts) >= 1


def test_mini_is_what_its_rule_says(manifest):
    wanted = []
    for archetype in suite.ARCHETYPES:
        small = [
            name
            for name in suite.names()
            if name.startswith(archetype)
            and manifest[name].n_train + manifest[name].n_test <= 2000
        ]
        for k, count in enumerate((2, 2, 1)):
            fit = [n for n in small if suite.dimension_bin(suite.parse(n)[1]) == k]
            wanted += fit[:count]

    assert sorted(suite.names("synbench-mini")) == sorted(wanted)
    assert len(wanted) == 25
    assert sorted(read_suites()["synbench"].subsets["mini"]) == sorted(wanted)


def test_the_figures_of_the_docs_are_the_manifests(manifest):
    text = (Path(__file__).parents[2] / "docs" / "synbench.md").read_text()

    for archetype in suite.ARCHETYPES:
        aurocs = [
            facts(record)["oracle_auroc"]
            for record in manifest.values()
            if record.archetype == archetype
        ]
        mean, lowest = f"{np.mean(aurocs):.3f}", f"{min(aurocs):.3f}"
        assert f"| {archetype} | {mean} | {lowest} |" in text
    redrawn = sum(facts(record)["redraws"] > 0 for record in manifest.values())
    assert redrawn == 5
    assert "This happened for five of the 800." in text
    rows = sum(record.n_train + record.n_test for record in manifest.values())
    assert f"{rows / 1e6:.1f} million rows" in text


def sample(step):
    """Every n-th name, so that the dimension bins vary."""
    return suite.names()[::step]


@pytest.mark.parametrize("name", sample(79))
def test_a_sample_of_the_manifest_is_regenerated(name, manifest):
    assert (
        synbench_manifest.check([synbench_manifest.measure_one(name)], [manifest[name]])
        == []
    )


@pytest.mark.slow
@pytest.mark.long
def test_all_800_are_regenerated_in_other_processes(manifest):
    made = synbench_manifest.measured("*", jobs=2)

    assert len(made) == 800
    assert synbench_manifest.check(made, list(manifest.values())) == []


def test_check_names_the_set_and_the_fields_that_differ(manifest):
    record = manifest["gmm-subspace-000"]
    other = manifest["gmm-subspace-001"]

    faults = synbench_manifest.check([record], [])
    assert faults == ["synbench/gmm-subspace-000: not in the manifest"]
    wrong = dataclasses.replace(record, content_sha256=other.content_sha256)
    assert synbench_manifest.check([wrong], [record]) == [
        "synbench/gmm-subspace-000: differs in content_sha256"
    ]


@pytest.mark.parametrize(("moved", "n_faults"), [(0.0015, 0), (-0.0015, 0), (0.01, 1)])
def test_the_trivial_share_may_differ_as_far_as_processors_do(
    manifest, moved, n_faults
):
    record = manifest["gmm-subspace-000"]
    made = dataclasses.replace(record, trivial_share=record.trivial_share + moved)

    assert len(synbench_manifest.check([made], [record])) == n_faults


@pytest.mark.parametrize("archetype", suite.ARCHETYPES)
def test_a_set_is_finite_labelled_shuffled_and_documented(archetype):
    train, test, labels, columns, metadata = suite.generate(f"{archetype}-011")

    assert train.dtype == test.dtype == np.float64
    assert labels.dtype == np.int8
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()
    assert len(columns) == train.shape[1] == test.shape[1] == metadata["n_columns"]
    assert labels.sum() == metadata["n_anomalies"]
    # Labels are shuffled: positions of anomalies are uniform.
    place = np.flatnonzero(labels) / len(labels)
    assert stats.kstest(place, "uniform").pvalue > 1e-3
    assert json.loads(json.dumps(metadata)) == metadata
    assert metadata["archetype"] == archetype
    assert metadata["generator_version"] == suite.VERSION
    assert metadata["parameters"]


def test_an_unlearnable_set_is_drawn_again_from_the_next_spawn(monkeypatch):
    """Require more than the first draw's AUROC, so that the second spawn is used."""
    first = suite.make("copula-dependence-010")
    bar = first.metadata["oracle_auroc"] + 1e-5
    monkeypatch.setattr(suite, "SMALLEST_ORACLE", bar)

    again = suite.make("copula-dependence-010")

    redraws = again.metadata["redraws"]
    assert redraws >= 1
    assert again.metadata["oracle_auroc"] >= bar
    key = suite.ARCHETYPES.index("copula-dependence"), 10
    alone = suite.build(
        "x", "copula-dependence", 0, lambda *_: seeded(suite.ROOT, (*key, redraws - 1))
    )
    np.testing.assert_array_equal(alone.X_test, again.X_test)


def test_a_prior_that_never_fits_is_an_error_not_a_loop(monkeypatch):
    monkeypatch.setitem(suite._PRIORS, "gmm-subspace", ("gmm", lambda *_: None))

    with pytest.raises(
        DataError, match="synbench 'gmm-subspace-000': no learnable set"
    ):
        suite.generate("gmm-subspace-000")


@pytest.mark.parametrize(
    "name", ["gmm-subspace-160", "gmm-subspace-1", "gmm-017", "", "gmm-subspace-²²²"]
)
def test_unknown_names_say_what_was_wanted(name):
    with pytest.raises(UnknownDatasetError, match="wanted an archetype"):
        suite.generate(name)


def test_unknown_subset():
    with pytest.raises(UsageError, match="synbench-mini"):
        suite.names("tiny")
