"""Shared work is done once, for the largest need, and charged to each user."""

import time

import numpy as np
import pytest

from odbench.plugins.find import find_detector
from odbench.sweep.workspace import SharedWork


@pytest.fixture
def arrays(rng):
    return rng.normal(size=(20, 2)), rng.normal(size=(10, 2))


def test_work_is_made_once_for_the_largest_need(arrays):
    work, made = SharedWork(arrays), []
    work.announce({"kind": 5})
    work.announce({"kind": 20, "other": 1})
    work.announce({"kind": 10})

    results = [work.obtain("kind", arrays, lambda k: made.append(k) or k) for _ in "ab"]

    assert results == [20, 20]
    assert made == [20]


def test_kinds_and_arrays_are_told_apart(arrays):
    work, made = SharedWork(arrays), []

    for kind, rows in (("a", arrays), ("b", arrays), ("a", arrays[:1]), ("a", arrays)):
        work.obtain(kind, rows, lambda _: made.append(0))

    assert len(made) == 3


def test_arrays_that_the_workspace_does_not_know_are_not_kept(arrays):
    work, made = SharedWork(arrays), []
    unknown = np.zeros((5, 2))

    for _ in range(2):
        work.obtain("kind", (unknown,), lambda _: made.append(0))

    assert len(made) == 2


def test_work_made_for_less_than_is_needed_later_is_made_again(arrays):
    work, made = SharedWork(arrays), []
    for need in (5, 7, 6):
        work.announce({"kind": need})
        work.obtain("kind", arrays, made.append)

    assert made == [5, 7]


def test_a_trial_that_reuses_work_is_charged_its_cost(arrays):
    work = SharedWork(arrays)

    def slowly(_):
        time.sleep(0.02)

    work.start_trial()
    work.obtain("kind", arrays, slowly)
    first = work.reused_seconds
    work.start_trial()
    for _ in range(3):
        work.obtain("kind", arrays, slowly)

    assert first == 0
    # The cost counts once, however often the trial asks.
    assert 0.02 <= work.reused_seconds < 0.06


CONFIGURATIONS = [
    "knn:k=1",
    "knn:k=50,method=mean",
    "knn",
    "lof:k=5",
    "lof",
    "dte_np",
    "dte_np:k=20,continuous=true",
    "ecod",
    "copod",
    "hbos",
]


def test_shared_results_equal_those_of_each_alone_to_the_last_bit(rng):
    train, test = rng.normal(size=(300, 4)), rng.normal(size=(120, 4))
    train[:90] = np.round(train[:90])
    test[:40] = train[:40]
    detectors = {spec: find_detector(spec).build(0) for spec in CONFIGURATIONS}
    work = SharedWork((train, test))
    for detector in detectors.values():
        work.announce(detector.shared_needs())

    for spec, detector in detectors.items():
        detector.use_workspace(work)
        together = detector.fit(train).decision_function(test)

        alone = find_detector(spec).build(0).fit(train).decision_function(test)

        np.testing.assert_array_equal(together, alone, err_msg=spec)
    # At most neighbours and sorted columns of train and of test.
    assert len(work._made) <= 6
