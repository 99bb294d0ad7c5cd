"""cats_pfn: the sum of two detectors' scores, in each setting."""

import numpy as np
import pytest

from odbench.errors import DetectorError
from odbench.plugins.check.contract import check_detector
from odbench.plugins.find import find_detector
from odbench.plugins.weights import pin_weights
from odbench.scoring.metrics import auroc
from odbench_detectors import CATS
from odbench_detectors.foundation.cats_pfn.detector import CATSPFN
from odbench_detectors.foundation.odbench_pfn import detector as pfn
from odbench_detectors.foundation.odbench_pfn.detector import OdbenchPFN
from odbench_detectors.foundation.odbench_pfn.info import SHA256


@pytest.fixture
def rows(rng):
    z = rng.normal(size=(400, 1))
    return np.concatenate([z, z**2, -z], axis=1) + 0.1 * rng.normal(size=(400, 3))


@pytest.fixture
def batch(rows, rng):
    return np.concatenate([rows[300:], rng.uniform(-2, 2, size=(30, 3))])


@pytest.mark.slow
def test_it_passes_every_probe_of_the_contract():
    findings = list(check_detector(find_detector("cats_pfn")))

    assert len(findings) > 20
    assert [f for f in findings if f.verdict != "ok"] == []


def test_the_score_is_the_sum_of_both(rows, batch):
    train = rows[:200]

    found = CATSPFN().fit(train).decision_function(batch)

    # All of so few rows are the network's context, in any order.
    both = CATS().fit(train).decision_function(batch)
    both += OdbenchPFN().fit(train).network_scores(batch)
    np.testing.assert_allclose(found, both, rtol=1e-5, atol=1e-5)
    assert auroc(np.repeat([0, 1], [100, 30]), found) > 0.95


def test_the_networks_part_and_the_length_are_the_score_of_odbench_pfn(
    rows, batch, monkeypatch
):
    detector = OdbenchPFN().fit(rows[:200])
    whole, network = detector.decision_function(batch), detector.network_scores(batch)

    monkeypatch.setattr(pfn, "LENGTH", 0.0)
    assert np.array_equal(network, detector.decision_function(batch))
    assert (whole > network).all()


def test_a_batch_adds_what_it_adds_to_cats(rows, batch):
    detector, cats = CATSPFN().fit(rows[:200]), CATS().fit(rows[:200])

    added = detector.score_batch(batch) - detector.decision_function(batch)

    expected = cats.score_batch(batch) - cats.decision_function(batch)
    np.testing.assert_allclose(added, expected, atol=1e-9)
    assert added.max() > 0


def test_one_table_is_scored_by_cats(batch):
    assert np.array_equal(CATSPFN().fit_score(batch), CATS().fit_score(batch))


def test_after_one_table_other_rows_are_scored_by_cats_too(rows, batch):
    reused, fresh = CATSPFN().fit(rows), CATS()
    reused.fit_score(batch)
    fresh.fit_score(batch)

    np.testing.assert_array_equal(
        reused.decision_function(rows), fresh.decision_function(rows)
    )


@pytest.mark.parametrize("context", [20_000, 100])
def test_the_order_of_train_rows_does_not_matter(rows, batch, rng, context):
    one = CATSPFN(context).fit(rows).decision_function(batch)
    other = CATSPFN(context).fit(rows[rng.permutation(400)]).decision_function(batch)

    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_the_hash_of_the_weights_is_part_of_the_version():
    pinned = pin_weights(find_detector("cats_pfn"), fetch=False)

    assert SHA256[:12] in pinned.version


@pytest.mark.parametrize(
    ("make", "rows", "text"),
    [
        (lambda: CATSPFN(context=1), np.ones((5, 2)), "context >= 2; got context=1"),
        (CATSPFN, np.ones((1, 2)), r"at least 2 train rows, got shape \(1, 2\)"),
    ],
)
def test_bad_calls_give_one_line(make, rows, text):
    with pytest.raises(DetectorError, match=text):
        make().fit(rows)
