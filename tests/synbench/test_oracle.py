"""The oracle's metrics are right, and its rows equal the manifest's."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from odbench.data.manifest import read_manifest
from odbench.synbench import oracle
from tests.reference import synbench as reference

SCORES = {
    "distinct": lambda rng: rng.normal(size=200),
    "tied": lambda rng: rng.integers(0, 6, 200).astype(float),
    "all tied": lambda rng: np.zeros(200),
    "infinite": lambda rng: np.where(rng.random(200) < 0.3, np.inf, rng.random(200)),
}


@pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES.keys())
def test_auroc_counts_pairs_and_ap_agrees_with_scikit_learn(scores, rng):
    labels = (rng.random(200) < 0.2).astype(np.int8)
    values = scores(rng)

    auroc, ap = oracle.evaluate(labels, values)

    assert auroc == pytest.approx(reference.auroc(labels, values), abs=6e-7)
    finite = np.minimum(values, 1e9)
    assert ap == pytest.approx(average_precision_score(labels, finite), abs=6e-7)


def test_rows_are_the_manifests():
    records = {record.name: record for record in read_manifest("synbench")}

    rows = oracle.rows()

    assert len(rows) == 800
    for row in rows:
        record = records[row.dataset]
        assert row.content_sha256 == record.content_sha256
        assert row.auroc == json.loads(record.parameters)["oracle_auroc"]
        assert 0 < row.ap <= 1
