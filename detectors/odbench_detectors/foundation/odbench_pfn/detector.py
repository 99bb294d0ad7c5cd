"""odbench_pfn as a detector: views of rows, scored by a network trained on priors."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.errors import DetectorError
from odbench.files import at_home
from odbench_detectors.foundation.odbench_pfn.context import Context, Rows
from odbench_detectors.foundation.odbench_pfn.info import SHA256, SHIPPED
from odbench_detectors.foundation.odbench_pfn.network import Network
from odbench_detectors.foundation.odbench_pfn.views import SURPRISES, Views
from odbench_detectors.foundation.odbench_pfn.weights import read_weights
from odbench_detectors.shared.blocks import ROWS
from odbench_detectors.shared.estimator import Estimator, check_ranges, is_count

# Context rows that the network sees itself; the others only calibrate.
SEEN = 256
# Weight of the length of a row's vector of surprises, which is added to the network's
# score; chosen on the development sets.
LENGTH = 1.0
# Rows whose neighbours are found at once, which bounds the memory.
_CHUNK = 8_192


class OdbenchPFN(Estimator):
    """A network fitted to synthetic tables, which compares rows with the train rows.

    Fitting trains nothing: it prepares the train rows as the context. A row and each of
    its columns is described by calibrated surprises (distances to neighbours on three
    scales, tails and gaps of columns, residuals of regressions), and one network,
    trained on synthetic tables alone, turns these into a score.

    Parameters
    ----------
    context : int, default=20_000
        Maximum number of context rows, 2 or more. If there are more train rows, a
        sample is drawn, always the same.
    weights : str, default=""
        Path of the network's weights; empty for those that ship with odbench.

    References
    ----------
    .. [1] Müller, Hollmann, Pineda Arango, Grabocka, Hutter, "Transformers can do
       Bayesian inference", ICLR 2022: networks fitted to a prior.
    """

    def __init__(self, context: int = 20_000, weights: str = "") -> None:
        self.context = context
        self.weights = weights

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        check_ranges(
            "odbench_pfn",
            ("context", self.context, is_count(self.context, 2), ">= 2"),
            ("weights", self.weights, isinstance(self.weights, (str, Path)), "a path"),
        )

    def fit(self, X: FloatArray) -> Self:
        """Prepare the train rows as the context.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, at least two rows. The scale of columns does not matter.

        Returns
        -------
        OdbenchPFN
            Itself.

        Raises
        ------
        DetectorError
            If there are fewer than two rows, no column, a parameter is out of range or
            a value is not finite.
        HashMismatchError, ArchiveError, DataError
            If the weights were changed, are damaged or missing.
        """
        self.check_params()
        rows = self.train_rows(X)
        if len(rows) < 2:
            msg = (
                f"odbench_pfn wants at least 2 train rows, got shape {rows.shape}: "
                f"give it more"
            )
            raise DetectorError(msg)
        path = at_home(Path(self.weights)) if self.weights else SHIPPED
        sha256 = "" if self.weights else SHA256
        self._network = Network(read_weights(path, sha256=sha256))
        rng = np.random.default_rng(0)
        size = min(len(rows), self.context)
        self._chosen = np.sort(rng.permutation(len(rows))[:size])
        self._context = Context(rows[self._chosen])
        self._views = Views(self._context)
        calibrating = self._views.calibrating
        seen = calibrating[rng.permutation(len(calibrating))[:SEEN]]
        self._memory = self._network.remember(
            self._network.embed(*self._views.own(seen))
        )
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous; without a unit.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        return _total(self._parts_of(X))

    def network_scores(self, X: FloatArray) -> FloatArray:
        """Return the network's part of the scores of rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous; without a unit.

        Raises
        ------
        DetectorError
            As `decision_function`.
        """
        return _rounded(self._parts_of(X)[:, 0])

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Fit on rows and score them; no row is in its own context.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            As for `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous.
        """
        self.fit(X)
        scores = self._scores_of_own()
        if len(scores) == len(X):
            return scores
        found = np.empty(len(X))
        found[self._chosen] = scores
        rest = np.setdiff1d(np.arange(len(X)), self._chosen, assume_unique=True)
        found[rest] = self.decision_function(np.asarray(X)[rest])
        return found

    def _scores_of_own(self) -> FloatArray:
        n = self._context.n
        parts = [
            self._parts_of_rows(self._context.own(np.arange(i, min(i + _CHUNK, n))))
            for i in range(0, n, _CHUNK)
        ]
        return _total(np.concatenate(parts))

    def _parts_of(self, X: FloatArray) -> FloatArray:
        """Return the two parts of the scores of rows, (n_rows, 2)."""
        X = self.rows_to_score(X)
        parts = np.empty((len(X), 2))
        for start in range(0, len(X), _CHUNK):
            rows = self._context.others(X[start : start + _CHUNK])
            parts[start : start + _CHUNK] = self._parts_of_rows(rows)
        return parts

    def _parts_of_rows(self, rows: Rows) -> FloatArray:
        """Score rows in blocks of one size, so that a score depends on no other row."""
        n = len(rows.z)
        parts = np.empty((n, 2))
        for start in range(0, n, ROWS):
            taken = np.minimum(np.arange(start, start + ROWS), n - 1)
            stop = min(start + ROWS, n)
            parts[start:stop] = self._parts_of_block(rows, taken)[: stop - start]
        return parts

    def _parts_of_block(self, rows: Rows, taken: IntArray) -> FloatArray:
        """Return the network's score, and the length of the row's surprises."""
        numbers, columns = self._views.of(rows.taken(taken))
        embedded = self._network.embed(numbers, columns)
        found = self._network.score(numbers, embedded, self._memory)
        length = np.sqrt((numbers[:, :SURPRISES] ** 2).sum(axis=1))
        return np.column_stack([found, length])


def _total(parts: FloatArray) -> FloatArray:
    return _rounded(parts[:, 0] + LENGTH * parts[:, 1])


def _rounded(scores: FloatArray) -> FloatArray:
    """Round scores, so that rounding errors do not break ties."""
    return scores.astype(np.float32).astype(np.float64)
