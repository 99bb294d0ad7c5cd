"""The processes of a worker: which of them it keeps."""

from collections import Counter
from typing import ClassVar

import pytest

from odbench.scoring.settings import Protocol
from odbench.sweep import sandboxes
from odbench.sweep.context import RunContext
from odbench.sweep.sandbox import Limits
from odbench.sweep.trials import Trial


class _Counted:
    """Stands for a detector's process, and counts how often one starts."""

    started: ClassVar[Counter[str]] = Counter()
    alive: ClassVar[set[str]] = set()

    def __init__(self, limits, confinement, **_):
        self._name = confinement.place.name
        self.started[self._name] += 1
        self.alive.add(self._name)

    def trial(self, *_, **__):
        return None

    def close(self):
        self.alive.discard(self._name)


@pytest.fixture
def counted(monkeypatch, tmp_path):
    monkeypatch.setattr(sandboxes, "Sandbox", _Counted)
    monkeypatch.setattr(_Counted, "started", Counter())
    monkeypatch.setattr(_Counted, "alive", set())
    context = RunContext(
        out=tmp_path, token="t", protocol=Protocol(), limits=Limits(), mirror=None,
        hidden=(), sys_path=(), ports=(), require_sandbox=False, keep_scores=False,
        selects=False, driver=0,
    )  # fmt: skip
    return sandboxes.Sandboxes(context)


def _trials(names, dataset, seeds=1):
    return [
        Trial(name, seed, 0, f"{dataset} {name} {seed}", {"detector": name})
        for seed in range(seeds)
        for name in names
    ]


def _run(own, names, *, datasets, seeds=1):
    for dataset in range(datasets):
        together = _trials(names, dataset, seeds)
        for trial in together:
            own.trial(trial, None, together)
            assert len(_Counted.alive) <= 4


def test_more_detectors_than_processes_do_not_start_anew_on_each_data_set(counted):
    _run(counted, "ABCDE", datasets=20)
    assert sum(_Counted.started.values()) <= 5 + 20 * 2


def test_seeds_do_not_start_them_anew_either(counted):
    _run(counted, "ABCDEF", datasets=5, seeds=5)
    assert sum(_Counted.started.values()) <= 6 + 25 * 3


def test_a_detector_that_has_no_more_trials_makes_room_first(counted):
    _run(counted, "ABCD", datasets=1)
    _run(counted, "XYZW", datasets=3)
    assert sum(_Counted.started.values()) == 8


def test_few_detectors_keep_their_processes(counted):
    _run(counted, "ABCD", datasets=5)
    assert set(_Counted.started.values()) == {1}
