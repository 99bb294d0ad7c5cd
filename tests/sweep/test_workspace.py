"""Shared work is done once, for the largest need, and each pays for its own need."""

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


class Clock:
    """A clock that work sets forward."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("odbench.sweep.workspace._clock", clock)
    return clock


def test_a_trial_that_reuses_work_is_charged_its_cost(arrays, clock):
    work = SharedWork(arrays)

    work.start_trial()
    work.obtain("kind", arrays, lambda _: clock.work(2))
    first = (work.charged, work.reused, work.spent)
    work.start_trial()
    for _ in range(3):
        work.obtain("kind", arrays, lambda _: clock.work(2))

    assert first == (2, 0, 2)
    # The cost counts once, however often the trial asks.
    assert (work.charged, work.reused, work.spent) == (2, 2, 0)


@pytest.mark.parametrize("fixed", [0.0, 0.001])
def test_a_smaller_need_is_charged_its_own_cost(arrays, clock, fixed):
    work = SharedWork(arrays)
    work.announce({"kind": 100})

    def cost(size, share=1.0):
        clock.work(fixed + size * share / 100)

    for need in (5, 100, 5):
        work.start_trial({"kind": need})
        work.obtain("kind", arrays, cost, sample=cost)

        assert work.charged == pytest.approx(fixed + need / 100)
    assert work.spent == 0


def test_measuring_the_cost_of_a_need_takes_a_small_part_of_the_work(arrays, clock):
    work = SharedWork(arrays)
    work.announce({"kind": 100})

    def cost(size, share=1.0):
        clock.work(size * share)

    work.start_trial({"kind": 50})
    work.obtain("kind", arrays, cost, sample=cost)

    assert 100 < work.spent < 110


def test_without_a_sample_the_largest_need_is_charged(arrays, clock):
    work = SharedWork(arrays)
    work.announce({"kind": 100})

    work.start_trial({"kind": 5})
    work.obtain("kind", arrays, clock.work)

    assert work.charged == 100


def test_a_repeated_trial_does_its_work_again(arrays):
    work, made = SharedWork(arrays), []
    work.start_trial()
    work.obtain("kept", arrays, made.append)
    work.start_trial()
    work.obtain("new", arrays, made.append)

    work.start_trial(again=True)
    work.obtain("kept", arrays, made.append)
    work.obtain("new", arrays, made.append)

    assert len(made) == 3


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
