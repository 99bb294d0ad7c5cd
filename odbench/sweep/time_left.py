"""Estimate the time left of a sweep from the trials that it has finished.

Earlier runs say what a trial of a configuration takes at a size. This run may be on
another machine, or be the first: the ratio of measured to expected seconds corrects
the trials to come, by configuration and size, because a detector whose time grows with
the square of the rows is off by another factor on small tables than on large ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.sweep.trial_times import cells_of

if TYPE_CHECKING:
    from odbench.arrays import FloatArray, IntArray
    from odbench.sweep.trial_times import TrialTimes
    from odbench.sweep.trials import Batch

# Sizes are counted in steps of a factor of two; 2^60 cells fit on no disk.
_STEPS = 61
# Cost of a trial beside its own seconds: three messages, memory, a journal line.
_OVERHEAD = 4e-3
# Share of the expected work after which the measured pace counts as much as the ideal.
_TRUST = 0.1
# An expectation counts as much as this many finished trials, if earlier trials of the
# configuration stand behind it, and if not.
_KNOWN, _UNKNOWN = 5.0, 0.5


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
        self.done = 0.0
        self._times = times
        self._row: dict[tuple[str, str], int] = {}
        self._count, self._expected = _sums(batches, times, self._row)
        self._is_known = np.array(
            [times.knows(*name) for name in self._row], dtype=bool
        )
        self._done_count = np.zeros_like(self._count)
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
        if at is None:
            return
        told = [result.get(f"{part}_seconds") for part in ("fit", "score")]
        took = sum(one for one in told if one) or (seconds or 0.0)
        n_rows = (result.get("n_train") or 0) + (result.get("n_test") or 0)
        size = {"n_rows": n_rows, "n_columns": result.get("n_columns") or 0}
        step = _step(cells_of(**size))
        expected = self._times.seconds(result["detector"], result["config"], **size)
        self.done += took + _OVERHEAD
        self._done_count[at, step] += 1
        self._done_expected[at, step] += expected
        self._measured[at, step] += took

    def left(self) -> float:
        """Return the processor seconds of the trials that are not finished."""
        to_do = np.maximum(self._count - self._done_count, 0)
        expected = np.maximum(self._expected - self._done_expected, 0.0)
        ratios = np.array([self._ratios(at) for at in range(len(to_do))])
        ratios = ratios.reshape(to_do.shape)
        untried = np.isnan(ratios[:, 0])
        ratios[untried] = np.where(self._is_known, 1.0, self._overall())[untried, None]
        return float((expected * ratios).sum() + _OVERHEAD * to_do.sum())

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

    def _overall(self) -> float:
        expected = float(self._done_expected.sum())
        return float(self._measured.sum()) / expected if expected > 0 else 1.0

    def _ratios(self, at: int) -> FloatArray:
        """Return measured by expected seconds of a configuration, for each step.

        Steps without a trial follow a line through the logarithms of the others.
        """
        expected, measured = self._done_expected[at], self._measured[at]
        known = np.flatnonzero((expected > 0) & (measured > 0))
        ratios = np.full(_STEPS, np.nan)
        if not len(known):
            return ratios
        logs = np.log(measured[known] / expected[known])
        weights = np.minimum(self._done_count[at, known], 10.0)
        caution = _KNOWN if self._is_known[at] else _UNKNOWN
        middle = float(np.average(known, weights=weights))
        level = float(weights @ logs) / (float(weights.sum()) + caution)
        apart = known - middle
        slope = float(weights @ (apart * (logs - level))) / (
            float(weights @ apart**2) + 10 * caution
        )
        steps = np.arange(_STEPS, dtype=np.float64)
        ratios[:] = np.exp(level + np.clip(slope, -1.0, 1.0) * (steps - middle))
        own = weights / (weights + caution)
        ratios[known] = np.exp(own * logs + (1 - own) * np.log(ratios[known]))
        return ratios


def _sums(
    batches: Iterable[Batch],
    times: TrialTimes,
    row: dict[tuple[str, str], int],
) -> tuple[FloatArray, FloatArray]:
    """Return trials and expected seconds by configuration and step of size."""
    count = np.zeros((0, _STEPS))
    expected = np.zeros((0, _STEPS))
    for batch in batches:
        variants = batch.variants
        if not row:
            names = [(facts["detector"], facts["config"]) for facts in variants.facts]
            row.update(zip(names, range(len(names)), strict=True))
            number_at = np.array([n for n, _ in variants.pairs], dtype=np.int64)
            count = np.zeros((len(names), _STEPS))
            expected = np.zeros_like(count)
        trials: IntArray = np.bincount(number_at[batch.indices], minlength=len(count))
        record = batch.record
        size = {
            "n_rows": record.n_train + record.n_test,
            "n_columns": record.n_columns,
        }
        step = _step(cells_of(**size))
        count[:, step] += trials
        for at in np.flatnonzero(trials).tolist():
            detector, config = names[at]
            one = times.seconds(detector, config, **size)
            expected[at, step] += trials[at] * one
    return count, expected


def _step(cells: float) -> int:
    return min(int(math.log2(max(cells, 1.0))), _STEPS - 1)
