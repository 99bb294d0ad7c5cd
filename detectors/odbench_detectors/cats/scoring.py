"""Fit CATS and score rows, in each of the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.errors import DetectorError
from odbench_detectors.cats.batch import surprise_by_column, surprise_of_batch
from odbench_detectors.cats.candidates import Candidates, Shared
from odbench_detectors.cats.conformal import SplitConformal
from odbench_detectors.cats.explain import Part, amounts_of, explain_placed, score_of
from odbench_detectors.cats.order import content_order
from odbench_detectors.cats.robust import (
    DENSITY,
    MIDDLE,
    Middle,
    OwnRows,
    clipped,
    core,
    on_scale_of,
    robust_amounts,
    total_of,
)
from odbench_detectors.cats.scale import Standard, standardised
from odbench_detectors.cats.tail import Tail
from odbench_detectors.cats.views import VIEWS, Placed, Views
from odbench_detectors.shared.columns import KIND as COLUMNS
from odbench_detectors.shared.columns import obtain_columns
from odbench_detectors.shared.neighbours.sharing import NeighbourDetector

# Maximum number of train rows that calibrate a view.
CALIBRATION = 20_000
_NEIGHBOURS = 15
# Rows processed at once, which bounds the memory.
_CHUNK = 8_192


class Scores(NeighbourDetector):
    """CATS without p-values and explanations, see `odbench_detectors.cats.detector`."""

    def neighbours_needed(self) -> int:
        """Return how many neighbours a row needs: one more shows a tie."""
        return _NEIGHBOURS + 1

    def shared_needs(self) -> Mapping[str, int]:
        """Name the work that can be shared: neighbours and sorted columns."""
        return {**super().shared_needs(), COLUMNS: 1}

    def fit(self, X: FloatArray) -> Self:
        """Learn from inliers.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, at least two rows. Columns are standardised unless they already are.

        Returns
        -------
        CATS
            Itself.

        Raises
        ------
        DetectorError
            If there are fewer than two rows, no column, or a value is not finite.
        """
        self._learn(X)
        rows = self._calibrating()
        self._calibrate(rows, self.views.raw_of_train(rows))
        self.views.forget_columns()
        return self

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Fit on the most normal rows of a table, and score all of its rows.

        Anomalies of one kind hide each other from the views if CATS learns from them.
        Rows that look normal to `odbench_detectors.cats.robust.core` are therefore
        learned from, as by `fit`, and `robust_amounts` ranks all rows by three views,
        those of the core as if each were left out, and by the distance from its middle.
        The scores are those of all views, put in that order, so that they compare with
        those of `decision_function`. P-values would be those of the core's rows, not of
        all inliers.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            As for `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            In nats, from 0; higher is more anomalous.

        Raises
        ------
        DetectorError
            As `fit`.
        """
        return self.fit_own(X).scores

    def fit_own(self, X: FloatArray) -> OwnRows:
        """Fit and score as `fit_score`, and return what `explain_own` needs."""
        X = _wanted(self.train_rows(X))
        Z = standardised(X)
        places = content_order(Z)
        ordered = clipped(Z[places])
        inner = core(ordered)
        chosen = np.zeros(len(X), dtype=np.bool_)
        chosen[places[inner]] = True
        # Work that is shared belongs to the whole table.
        workspace, self._workspace = self._workspace, None
        try:
            learned, raw = self._raw_of_all(X, chosen)
        finally:
            self._workspace = workspace
        raw[MIDDLE] = np.empty(len(X))
        raw[MIDDLE][places] = Middle.of(ordered[inner]).distances(ordered)
        amounts = robust_amounts(raw)
        scale = score_of(amounts_of(self._surprises(raw)))
        scores = on_scale_of(total_of(amounts), scale)
        return OwnRows(scores, amounts, learned)

    def _raw_of_all(
        self, X: FloatArray, chosen: BoolArray
    ) -> tuple[IntArray, dict[str, FloatArray]]:
        """Learn from the chosen rows; view each without itself, and the others.

        Returns the places of the train rows in `X`, and the numbers of all rows.
        """
        raw = {name: np.empty(len(X)) for name in (*VIEWS, DENSITY)}

        def put(rows: IntArray, z: FloatArray, found: dict[str, FloatArray]) -> None:
            for name in VIEWS:
                raw[name][rows] = found[name]
            raw[DENSITY][rows] = self.views.density.surprise(z)

        learned, others = np.flatnonzero(chosen), np.flatnonzero(~chosen)
        places = learned[self._learn(np.ascontiguousarray(X[learned]))]
        for start in range(0, len(places), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(places)))
            z = self.views.train.z[rows]
            put(places[rows], z, self.views.raw_of_train(rows))
        self.views.forget_columns()
        rows = self._calibrating()
        self._calibrate(rows, {name: raw[name][places[rows]] for name in VIEWS})
        for start, at in self.placed(np.ascontiguousarray(X[others])):
            put(others[start : start + len(at.z)], at.z, self.views.raw(at))
        return places, raw

    def _learn(self, X: FloatArray) -> IntArray:
        """Prepare the views; return the places of the train rows in `X`."""
        X = _wanted(self.train_rows(X))
        columns = obtain_columns(X, workspace=self._workspace).values
        self._standard = Standard.of(columns)
        Z = self._standard.apply(X)
        if Z is not X:
            # Standardising does not change the order of a column's values.
            columns = np.ascontiguousarray(self._standard.apply(columns.T).T)
        order = content_order(Z)
        # Copied, because rows are read later and the table may be the caller's array.
        rows = Z[order]
        self._candidates = Candidates(rows, order, _NEIGHBOURS)
        # Only neighbours in the table itself can be shared.
        self._is_shared = Z is X and self._workspace is not None
        if self._is_shared:
            super().fit(X)
        near = self._candidates.of_train(self._shared())
        self.views = Views(rows, columns, near)
        self._conformal: SplitConformal | None = None
        return order

    def _shared(self) -> Shared | None:
        """Return the search that other detectors share, if there is one."""
        if not self._is_shared or self._workspace is None:
            return None
        return lambda Z: self.train_graph() if Z is None else self.graph(Z)

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

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not
            finite.
        """
        scores = np.empty(len(X))
        for start, at in self.placed(X):
            amounts = amounts_of(self.surprises(at))
            scores[start : start + len(at.z)] = score_of(amounts)
        return scores

    def score_batch(self, X: FloatArray) -> FloatArray:
        """Score the rows of a batch, which may be compared with each other.

        To the score of each row alone is added the surprise of how well trees tell it
        from train rows when they were grown on train rows and on the other rows of the
        batch, weighted by how clearly the two differ; see
        `odbench_detectors.cats.batch`. These scores have no p-values.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            In nats, from 0; higher is more anomalous.

        Raises
        ------
        DetectorError
            As `decision_function`.
        """
        scores = self.decision_function(X)
        Z = self._standard.apply(self.rows_to_score(X))
        return scores + surprise_of_batch(self.views.train.z, Z)

    def surprises(self, at: Placed) -> dict[str, FloatArray]:
        """Return the calibrated surprise of rows in each view, in nats."""
        return self._surprises(self.views.raw(at))

    def _surprises(self, raw: dict[str, FloatArray]) -> dict[str, FloatArray]:
        return {name: self.tails[name].surprise(raw[name]) for name in VIEWS}

    def placed(self, X: FloatArray) -> Iterator[tuple[int, Placed]]:
        """Yield chunks of rows on every scale, each with the index of its first row.

        Raises
        ------
        DetectorError
            As `decision_function`.
        """
        X = self.rows_to_score(X)
        Z = self._standard.apply(X)
        candidates = self._candidates.of(Z, self._shared())
        for start in range(0, len(Z), _CHUNK):
            part = slice(start, start + _CHUNK)
            yield start, self.views.place(Z[part], candidates[part])

    def parts(self, X: FloatArray) -> Iterator[Part]:
        """Yield the explained scores of consecutive rows, see `explain`."""
        for _, at in self.placed(X):
            amounts = amounts_of(self.surprises(at))
            yield explain_placed(self.views, at, score_of(amounts), amounts)

    def surprise_by_column(
        self, X: FloatArray, rows: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the trees' surprise of rows of a batch, and by column.

        See `odbench_detectors.cats.batch.surprise_by_column`.
        """
        return surprise_by_column(self.views.train.z, self._standard.apply(X), rows)

    def train_placed(self, rows: IntArray) -> Placed:
        """Return train rows on every scale, in places of their order of content."""
        train = self.views.train
        return self.views.place(train.z[rows], train.candidates[rows], own=1)

    def _calibrating(self) -> IntArray:
        """Return the train rows whose numbers calibrate the views."""
        return np.arange(self.views.n)[-CALIBRATION:]

    def _calibrate(self, rows: IntArray, raw: Mapping[str, FloatArray]) -> None:
        """Calibrate each view on its leave-one-out numbers of these train rows."""
        # The mixture, which cannot leave a row out, was fitted on the first rows.
        fresh = rows >= self.views.n_mixture
        used = dict(raw) | {"copula": raw["copula"][fresh]}
        self.tails = {name: Tail.of(used[name]) for name in VIEWS}


def _wanted(X: FloatArray) -> FloatArray:
    if len(X) < 2:
        msg = f"cats wants at least 2 train rows, got shape {X.shape}: give it more"
        raise DetectorError(msg)
    return X
