"""Scores of a submission against hidden labels: exact means, which go no further."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.errors import SubmissionError
from odbench.scoring.metrics import evaluate as measure
from odbench.submissions.checking import Submission
from odbench.submissions.dataset_list import ExpectedSet, SetList
from odbench.submissions.labels import LabelFolder

RowChooser: TypeAlias = Callable[[ExpectedSet, int, LabelArray | None], IntArray]


class Exact(NamedTuple):
    """Means over data sets before rounding: for the Ladder, and for nobody's eyes."""

    mean_auroc: float
    mean_ap: float
    mean_ap_adjusted: float
    n_failed: int


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a submission is scored against.

    Attributes
    ----------
    sets : SetList
        The data sets.
    labels : LabelFolder
        Their labels.
    choose_rows : callable
        Which test rows the protocol scores, from the data set, the seed and its labels
        (None unless they are public): an int64 array of ``n_scored`` indices. Asked
        only over the protocol's row limit. A submitter's word is not taken for it: who
        chooses rows chooses the result.
    """

    sets: SetList
    labels: LabelFolder
    choose_rows: RowChooser | None = None

    def score(self, submission: Submission) -> Exact:
        """Score a submission; a trial without scores counts as chance.

        Per data set the mean over the declared seeds, then the mean over all data sets
        of the list. A missing trial has AUROC 0.5, AP at the share of anomalies and
        adjusted AP 0, as in every leaderboard of the suite.

        Parameters
        ----------
        submission : Submission
            Without faults.

        Returns
        -------
        Exact

        Raises
        ------
        SubmissionError
            If a data set cannot be scored; it says which, and nothing of its labels.
        """
        means = np.array([self._mean(submission, each) for each in self.sets.sets])
        n_failed = sum(not is_whole(submission, each) for each in self.sets.sets)
        auroc, ap, ap_adjusted = (float(mean) for mean in means.mean(axis=0))
        return Exact(auroc, ap, ap_adjusted, n_failed)

    def _mean(self, submission: Submission, expected: ExpectedSet) -> FloatArray:
        """Return AUROC, AP and adjusted AP of one data set, means over the seeds."""
        labels = self.labels.read(expected)
        try:
            trials = [
                self._trial(submission, expected, seed, labels)
                for seed in submission.statement.seeds
            ]
        except SubmissionError:
            raise
        except Exception as error:
            # Whatever broke may carry labels in its message or its arguments.
            kind = type(error).__name__
            msg = f"data set {expected.dataset!r}: cannot be scored ({kind})"
            raise SubmissionError(msg) from None
        mean: FloatArray = np.mean(trials, axis=0, dtype=np.float64)
        return mean

    def _trial(
        self, submission: Submission, expected: ExpectedSet, seed: int, y: LabelArray
    ) -> tuple[float, float, float]:
        """Return AUROC, AP and adjusted AP of one trial."""
        if expected.n_scored < expected.n_test:
            if self.choose_rows is None:
                msg = f"data set {expected.dataset!r}: over the row limit; choose rows"
                raise SubmissionError(msg)
            public = y if self.sets.partition == "public" else None
            y = y[self.choose_rows(expected, seed, public)]
        if not submission.has(expected.dataset, seed):
            return 0.5, float(y.mean(dtype=np.float64)), 0.0
        found = measure(y, submission.scores(expected.dataset, seed))
        return found.auroc, found.ap, found.ap_adjusted


def is_whole(submission: Submission, expected: ExpectedSet) -> bool:
    """Whether a submission scores a data set under every declared seed."""
    seeds = submission.statement.seeds
    return all(submission.has(expected.dataset, seed) for seed in seeds)
