"""The detector CATS: calibrated tails of nine views, added up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.cats.scale import Standard, sample
from odbench_detectors.cats.tail import Tail
from odbench_detectors.cats.views import VIEWS, Placed, Views, taken
from odbench_detectors.columns import KIND as COLUMNS
from odbench_detectors.columns import as_table, check_rows, obtain_columns
from odbench_detectors.neighbours.sharing import NeighbourDetector

# Train rows that a tail is taken over, at most.
CALIBRATION = 20_000
_CALIBRATION_SEED = 0
_NEIGHBOURS = 20
# Rows that are placed at once: bounds the memory.
_CHUNK = 8_192


class CATS(NeighbourDetector):
    """CAlibrated Tail Sum: different cheap views of a table, calibrated, added up.

    Each of nine views scores a row by a simple rule. A view's score x becomes a
    surprise s = -log P(X >= x), P taken over what train rows score *without having
    seen themselves*, so that views of any scale can be added. The detector's score is
    the length of the vector of surprises, ``sqrt(sum(s**2))``.

    One search for the 20 nearest train rows (Euclidean, standardised columns) serves
    all views: distances on other scales are taken to these candidates only. There are
    no parameters, and a row's score does not depend on the rows scored with it.

    See Also
    --------
    odbench_detectors.cats.conformal.ConformalCATS : p-values and false discovery rate.
    odbench_detectors.cats.explain.explain : which view and which columns.
    """

    def neighbours_needed(self) -> int:
        """Return how many neighbours a row needs."""
        return _NEIGHBOURS

    def shared_needs(self) -> Mapping[str, int]:
        """Say which work can be shared: neighbours and sorted columns."""
        return {**super().shared_needs(), COLUMNS: 1}

    def fit(self, X: FloatArray) -> Self:
        """Learn from inliers.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, at least two rows. Columns that are not standardised are.

        Returns
        -------
        CATS
            Itself.

        Raises
        ------
        DetectorError
            If there are fewer than two rows, no column, or a value is not finite.
        """
        X = _float64(as_table(X))
        if len(X) < 2 or X.shape[1] == 0:
            msg = (
                f"cats wants at least 2 train rows and 1 column, got shape {X.shape}: "
                "give it more rows"
            )
            raise DetectorError(msg)
        self._columns = obtain_columns(X, workspace=self._workspace).values
        self._standard = Standard.of(X)
        Z = self._standard.apply(X)
        if Z is not X:
            self._columns = np.sort(np.ascontiguousarray(Z.T), axis=1)
        super().fit(Z)
        self.views = Views(Z, self._columns, self.train_graph().rows)
        self.tails = self._calibrate()
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
            In nats, from 0; higher is more anomalous.
        """
        scores = np.empty(len(X))
        for start, at in self.placed(X):
            square = np.zeros(len(at.z))
            for surprise in self.surprises(at).values():
                square += surprise * surprise
            scores[start : start + len(square)] = np.sqrt(square)
        return scores

    def surprises(self, at: Placed) -> dict[str, FloatArray]:
        """Return each view's calibrated surprise of placed rows, in nats."""
        raw = self.views.raw(at)
        return {name: self.tails[name].surprise(raw[name]) for name in VIEWS}

    def placed(self, X: FloatArray) -> Iterator[tuple[int, Placed]]:
        """Yield rows on every scale, chunk by chunk, with each chunk's first row."""
        X = _float64(check_rows(X, self._train.shape[1]))
        Z = self._standard.apply(X)
        candidates = self.graph(Z).rows
        for start in range(0, len(Z), _CHUNK):
            part = slice(start, start + _CHUNK)
            yield start, self.views.place(Z[part], candidates[part])

    def _calibrate(self) -> dict[str, Tail]:
        rows = sample(len(self._train), CALIBRATION, _CALIBRATION_SEED)
        raw = self.views.raw(taken(self.views.train, rows))
        # The mixtures have seen the rows that they learned from.
        fresh = ~np.isin(rows, self.views.learners)
        unseen = {"density": fresh, "copula": fresh}
        everyone = np.ones(len(rows), dtype=bool)
        return {name: Tail.of(raw[name][unseen.get(name, everyone)]) for name in VIEWS}


def _float64(X: FloatArray) -> FloatArray:
    return np.asarray(X, dtype=np.float64)
