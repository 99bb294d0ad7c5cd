"""Estimate the time left of a sweep from the trials that it has finished.

Earlier runs say what a trial of a configuration takes at a size. This run may be on
another machine, or be the first: the ratio of measured to expected seconds corrects
the trials to come, by configuration and size. The largest trials run first, and say
little about the small ones: a ratio far from the expected one is not carried far.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.scoring.settings import ONE_CLASS
from odbench.sweep.trial_times import cells_of

if TYPE_CHECKING:
    from odbench.arrays import FloatArray, IntArray
    from odbench.sweep.trial_times import TrialTimes
    from odbench.sweep.trials import Batch

# Sizes are counted in steps of a factor of two; 2^60 cells fit on no disk.
_STEPS = 61
# Seconds around a trial, and around the first one of a data set: messages, memory, the
# journal and the metrics; reading, scaling and comparing rows. Each has a part that
# grows with the cells.
_PER_TRIAL, _PER_DATASET = (7e-3, 1e-8), (1.2e-2, 7e-8)
# Share of the expected work after which the measured pace counts as much as the ideal.
_TRUST = 0.1
# How far the logarithm of measured by expected seconds may be from 0: all sizes alike,
# more per step of size (as a power that is not the expected one would be), and one
# size apart from another. Without earlier trials, expectations are guesses.
_KNOWN, _GUESSED = (0.7, 0.0, 0.7), (2.0, 0.5, 0.4)
# Steps over which sizes stay alike, and how far one trial may be from its like.
_ALIKE, _TRIAL_APART = 1.5, 0.4


class TimeLeft:
    """Seconds of the trials to come, corrected by those that are finished.

    Parameters
    ----------
    batches : iterable of Batch
        The trials to run.
    times : TrialTimes
        The seconds that earlier runs let expect.

    Attributes
    ----------
    done : float
        Processor seconds of the finished trials, with what is spent around them.
    """

    def __init__(self, batches: Iterable[Batch], times: TrialTimes) -> None:
        batches = list(batches)
        self.done = 0.0
        self._row: dict[tuple[str, str], int] = {}
        self._protocol = ONE_CLASS
        if batches:
            variants = batches[0].variants
            names = [(facts["detector"], facts["config"]) for facts in variants.facts]
            self._row = dict(zip(names, range(len(names)), strict=True))
            self._protocol = variants.protocol.label
        self._is_known = np.array(
            [times.knows(*name, self._protocol) for name in self._row], dtype=bool
        )
        self._expected = np.zeros((len(self._row), _STEPS))
        # Seconds of a trial by data set and configuration, and cells of each data set.
        self._seconds = np.zeros((0, len(self._row)))
        self._size: dict[tuple[str, str], tuple[float, int]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._around = 0.0
        self._sum(batches, times)
        self._done_count = np.zeros_like(self._expected)
        self._done_expected = np.zeros_like(self._expected)
        self._measured = np.zeros_like(self._expected)
        self._total = self.left()

    def finish(self, result: Mapping[str, Any], seconds: float | None = None) -> None:
        """Count a finished trial.

        Parameters
        ----------
        result : mapping
            The trial's row of the results.
        seconds : float, optional
            What it took, for a trial without seconds of its own, such as a timeout.
        """
        at = self._row.get((result["detector"], result["config"]))
        dataset = result["suite"], result["dataset"]
        if at is None or dataset not in self._size:
            return
        told = [result.get(f"{part}_seconds") for part in ("fit", "score")]
        took = sum(one for one in told if one) or (seconds or 0.0)
        cells, number = self._size[dataset]
        around = _around(cells, 1, is_first=dataset not in self._seen)
        self._seen.add(dataset)
        self._around = max(0.0, self._around - around)
        self.done += took + around
        self._done_count[at, _step(cells)] += 1
        self._done_expected[at, _step(cells)] += self._seconds[number, at]
        self._measured[at, _step(cells)] += took

    def left(self) -> float:
        """Return the processor seconds of the trials that are not finished."""
        expected = np.maximum(self._expected - self._done_expected, 0.0)
        logs = np.array([self._logs(at) for at in range(len(expected))])
        logs = logs.reshape(expected.shape)
        tried = ~np.isnan(logs[:, 0])
        if tried.any():
            # Other configurations are on the same machine.
            weights = self._done_expected[tried]
            levels = (weights * logs[tried]).sum(axis=1) / weights.sum(axis=1)
            logs[~tried] = levels.sum() / (len(levels) + 1)
        else:
            logs[:] = 0.0
        return float((expected * np.exp(logs)).sum() + self._around)

    def wall_seconds(
        self, spent: float, *, work: float, running: float, jobs: int
    ) -> float:
        """Return the seconds until the last trial ends.

        Parameters
        ----------
        spent : float
            Seconds since the first result; compiling came before it.
        work : float
            Processor seconds of trials in that time, finished ones and others.
        running : float
            Processor seconds that unfinished trials have run by now.
        jobs : int
            Number of trials that run at once.
        """
        # At first the pace is what this many processes should reach.
        trust = _TRUST * self._total
        pace = (spent + trust / jobs) / max(work + trust, 1e-9)
        return pace * max(0.0, self.left() - running)

    def _logs(self, at: int) -> FloatArray:
        """Return the expected logarithm of measured by expected seconds, by step.

        It is that of a Gaussian process: finished trials say most about their own
        size, less about those near it, and little about others. NaN without trials.
        """
        expected, measured = self._done_expected[at], self._measured[at]
        known = np.flatnonzero((expected > 0) & (measured > 0))
        if not len(known):
            return np.full(_STEPS, np.nan)
        seen = np.log(measured[known] / expected[known])
        count = self._done_count[at, known]
        level, slope, local = _KNOWN if self._is_known[at] else _GUESSED
        middle = np.average(known, weights=np.minimum(count, 10.0))
        steps, at_known = np.arange(_STEPS) - middle, known - middle

        def covariance(a: FloatArray) -> FloatArray:
            apart = np.abs(np.subtract.outer(a, at_known))
            line = slope**2 * np.multiply.outer(a, at_known)
            alike = np.exp(-apart / _ALIKE)
            found: FloatArray = level**2 + line + local**2 * alike
            return found

        noise = np.diag(_TRIAL_APART**2 / count)
        weights = np.linalg.solve(covariance(at_known) + noise, seen)
        logs: FloatArray = covariance(steps) @ weights
        return logs

    def _sum(self, batches: list[Batch], times: TrialTimes) -> None:
        """Add up expected seconds by configuration and step of size."""
        if not batches:
            return
        number_at = np.array([n for n, _ in batches[0].variants.pairs], dtype=np.int64)
        records = {(one.record.suite, one.record.name): one.record for one in batches}
        sizes = [(one.n_train + one.n_test, one.n_columns) for one in records.values()]
        self._seconds = times.expected(list(self._row), sizes, self._protocol)
        for number, (name, (n_rows, n_columns)) in enumerate(
            zip(records, sizes, strict=True)
        ):
            self._size[name] = cells_of(n_rows=n_rows, n_columns=n_columns), number
        for batch in batches:
            cells, number = self._size[batch.record.suite, batch.record.name]
            trials: IntArray = np.bincount(
                number_at[batch.indices], minlength=len(self._row)
            )
            self._expected[:, _step(cells)] += trials * self._seconds[number]
            self._around += _around(cells, len(batch.indices), is_first=True)


def _around(cells: float, trials: int, *, is_first: bool) -> float:
    """Return the seconds that are spent around some trials of one data set."""
    per_trial = _PER_TRIAL[0] + _PER_TRIAL[1] * cells
    per_dataset = _PER_DATASET[0] + _PER_DATASET[1] * cells
    return trials * per_trial + is_first * per_dataset


def _step(cells: float) -> int:
    return min(int(math.log2(max(cells, 1.0))), _STEPS - 1)
