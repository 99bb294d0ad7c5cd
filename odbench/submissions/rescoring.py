"""Scoring a submission against hidden labels; the exact means are never shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.errors import SubmissionError
from odbench.scoring.metrics import adjusted_average_precision
from odbench.scoring.metrics import evaluate as measure
from odbench.submissions.checking import Submission
from odbench.submissions.dataset_list import DatasetList, ExpectedDataset
from odbench.submissions.labels import LabelFolder

RowChooser: TypeAlias = Callable[[ExpectedDataset, int, LabelArray | None], IntArray]


class ExactMeans(NamedTuple):
    """Means over data sets before rounding: used by the Ladder, never shown."""

    mean_auroc: float
    mean_ap: float
    mean_ap_adjusted: float
    n_failed: int


@dataclass(frozen=True, kw_only=True)
class Rescorer:
    """Scores submissions against the labels of a list of data sets.

    Attributes
    ----------
    sets : DatasetList
        The data sets.
    labels : LabelFolder
        Their labels.
    choose_rows : callable, optional
        Returns the test rows that the protocol scores, an int64 array of ``n_scored``
        indices, from the data set, the seed and the labels (None unless public). It is
        needed above the protocol's row limit. The submitter does not choose the rows,
        because the choice could improve the result.
    """

    sets: DatasetList
    labels: LabelFolder
    choose_rows: RowChooser | None = None

    def score(self, submission: Submission) -> ExactMeans:
        """Score a submission; a trial without scores counts as AUROC 0 and AP 0.

        Averages over the declared seeds of each data set, then over all data sets of
        the list. A missing trial has AUROC 0, AP 0 and the adjusted AP that belongs to
        AP 0, as in the public tables, so that leaving out a data set never pays.

        Parameters
        ----------
        submission : Submission
            A submission without faults.

        Returns
        -------
        ExactMeans

        Raises
        ------
        SubmissionError
            If a data set cannot be scored; the message names it but not its labels.
        """
        means = np.array([self._mean(submission, each) for each in self.sets.sets])
        n_failed = sum(not submission.covers(each.dataset) for each in self.sets.sets)
        auroc, ap, ap_adjusted = (float(mean) for mean in means.mean(axis=0))
        return ExactMeans(auroc, ap, ap_adjusted, n_failed)

    def _mean(self, submission: Submission, expected: ExpectedDataset) -> FloatArray:
        """Return the mean AUROC, AP and adjusted AP of one data set over the seeds."""
        labels = self.labels.read(expected)
        try:
            trials = [
                self._trial(submission, expected, seed, labels)
                for seed in submission.statement.seeds
            ]
        except SubmissionError:
            raise
        except Exception as error:
            # The exception's message or arguments may contain labels: hide them.
            kind = type(error).__name__
            msg = f"data set {expected.dataset!r}: cannot be scored ({kind})"
            raise SubmissionError(msg) from None
        mean: FloatArray = np.mean(trials, axis=0, dtype=np.float64)
        return mean

    def _trial(
        self,
        submission: Submission,
        expected: ExpectedDataset,
        seed: int,
        y: LabelArray,
    ) -> tuple[float, float, float]:
        """Return AUROC, AP and adjusted AP of one trial."""
        if expected.n_scored < expected.n_test:
            if self.choose_rows is None:
                msg = (
                    f"data set {expected.dataset!r}: above the row limit; "
                    f"choose_rows is needed"
                )
                raise SubmissionError(msg)
            public = y if self.sets.partition == "public" else None
            y = y[self.choose_rows(expected, seed, public)]
        if not submission.has(expected.dataset, seed):
            share = float(y.mean(dtype=np.float64))
            return 0.0, 0.0, adjusted_average_precision(0.0, share)
        found = measure(y, submission.scores(expected.dataset, seed))
        return found["auroc"], found["ap"], found["ap_adjusted"]
