"""A real run records distinct rows, ceilings and the metrics of distinct rows."""

import numpy as np
import pytest

import odbench
from odbench.results import scores_file
from tests.reference import scoring as reference

PLACE = "MacrOData-CMU/OddBench/public/Repeats.npz"


@pytest.fixture
def repeats(tmp_path, rng):
    """A mirror with a table of repeated rows and rows with both labels."""
    file = tmp_path / "mirror" / PLACE
    file.parent.mkdir(parents=True)
    vectors = rng.normal(size=(12, 2))
    chosen = rng.integers(0, 12, size=60)
    labels = (rng.random(60) < chosen / 15).astype(np.int64)
    np.savez(
        file,
        train=np.vstack([rng.normal(size=(60, 2)), vectors[:10], vectors[:10]]),
        train_labels=np.zeros(80, dtype=np.int64),
        test=vectors[chosen],
        test_labels=labels,
    )
    return tmp_path / "mirror", vectors[chosen], labels


def run(mirror, **options):
    return odbench.run(
        suite="oddbench", detectors=["knn"], mirror=mirror, seeds=1, jobs=1,
        show_progress=False, **options,
    )  # fmt: skip


def test_a_trial_has_the_metrics_of_its_distinct_rows(repeats, tmp_path):
    mirror, test, labels = repeats
    out = tmp_path / "out"

    (row,) = run(mirror, out=out, keep_scores=True).to_dict("records")

    scores = np.load(scores_file(out, row)).tolist()
    pairs = [(*x, y) for x, y in zip(test.tolist(), labels.tolist(), strict=True)]
    weights = [1 / pairs.count(pair) for pair in pairs]
    slow = (labels.tolist(), scores, weights)
    assert row["auroc_distinct"] == pytest.approx(reference.weighted_auroc(*slow))
    assert row["ap_distinct"] == pytest.approx(
        reference.weighted_average_precision(*slow)
    )
    assert row["n_distinct_test"] == len(set(pairs)) < row["n_test"] == 60
    assert row["n_distinct_anomalies"] == len({pair for pair in pairs if pair[2]})
    assert row["auroc"] <= row["ceiling_auroc"] < 1
    assert row["ap"] <= row["ceiling_ap"] < 1


def test_a_run_has_the_facts_that_the_pull_measured(repeats):
    mirror, *_ = repeats

    (row,) = run(mirror).to_dict("records")

    record = odbench.load_dataset("oddbench/Repeats", mirror=mirror).record
    assert record.trivial_share is not None
    for name in ("trivial_share", "large_integers", "ceiling_ap", "n_distinct_test"):
        assert row[name] == getattr(record, name)


@pytest.mark.slow
def test_a_single_table_has_the_facts_of_all_its_rows(repeats):
    mirror, *_ = repeats

    (alone,) = run(mirror).to_dict("records")
    (row,) = run(mirror, protocol="unsupervised").to_dict("records")

    assert row["n_test"] == 140
    assert row["n_distinct_test"] >= alone["n_distinct_test"]
    assert row["n_distinct_anomalies"] == alone["n_distinct_anomalies"]
    # The inliers of train are rows of the table, too.
    assert row["ceiling_ap"] < alone["ceiling_ap"]
    assert row["auroc"] <= row["ceiling_auroc"]
