"""CATS as a detector: the calibrated surprises of eight views, combined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import numpy as np

from odbench.arrays import BoolArray, FloatArray, IntArray
from odbench.errors import DetectorError
from odbench_detectors.cats.batch import surprise_of_batch, with_batch
from odbench_detectors.cats.candidates import Candidates, Shared
from odbench_detectors.cats.conformal import SplitConformal, benjamini_hochberg
from odbench_detectors.cats.explain import Explanations, explain_placed, score_of
from odbench_detectors.cats.order import content_order
from odbench_detectors.cats.robust import core, on_scale_of, robust_surprise
from odbench_detectors.cats.scale import Standard
from odbench_detectors.cats.tail import Tail
from odbench_detectors.cats.views import VIEWS, Placed, Views
from odbench_detectors.shared.columns import KIND as COLUMNS
from odbench_detectors.shared.columns import obtain_columns
from odbench_detectors.shared.estimator import column_names
from odbench_detectors.shared.neighbours.sharing import NeighbourDetector
from odbench_detectors.shared.sort import sorted_rows

# Maximum number of train rows that calibrate a view.
CALIBRATION = 20_000
_NEIGHBOURS = 15
# Rows processed at once, which bounds the memory.
_CHUNK = 8_192


class CATS(NeighbourDetector):
    """CAlibrated Tail Sum: several inexpensive views of a table, calibrated and added.

    Each of eight views scores a row by a simple rule. A view's score x becomes a
    surprise s = -log P(X >= x), with P estimated from *leave-one-out* scores of train
    rows, so that views of any scale can be added. The detector's score is the length
    of the vector of surprises, ``sqrt(sum(s**2))``.

    All views share one search for the 15 nearest train rows (Euclidean, standardised
    columns): distances on other scales are computed to these candidates only. There
    are no parameters, a row's score does not depend on the rows scored with it, and the
    train rows may come in any order.

    See Also
    --------
    odbench_detectors.cats.conformal : p-values and false discovery rate.
    odbench_detectors.cats.explain : the views and columns that made a score.
    """

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
        self.views.forget_columns()
        return self

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Fit on the most normal rows of a table, and score all of its rows.

        Anomalies of one kind hide each other from the views if CATS learns from them.
        Rows that look normal to `odbench_detectors.cats.robust.core` are therefore
        learned from, as by `fit`, and `robust_surprise` ranks all rows by three views,
        those of the core as if each were left out. The scores are those of all views,
        put in that order, so that they compare with those of `decision_function`.
        P-values would be those of the core's rows, not of all inliers.

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
        X = _wanted(self.train_rows(X))
        Z = Standard.of(sorted_rows(X.T)).apply(X)
        places = content_order(Z)
        chosen = np.zeros(len(X), dtype=np.bool_)
        chosen[places[core(Z[places])]] = True
        # Work that is shared belongs to the whole table.
        workspace, self._workspace = self._workspace, None
        try:
            raw = self._raw_of_all(X, chosen)
        finally:
            self._workspace = workspace
        return on_scale_of(robust_surprise(raw), score_of(self._surprises(raw)))

    def _raw_of_all(self, X: FloatArray, chosen: BoolArray) -> dict[str, FloatArray]:
        """Learn from the chosen rows; view each without itself, and the others."""
        raw = {name: np.empty(len(X)) for name in VIEWS}
        learned, others = np.flatnonzero(chosen), np.flatnonzero(~chosen)
        places = learned[self._learn(np.ascontiguousarray(X[learned]))]
        for start in range(0, len(places), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(places)))
            found = self.views.raw_of_train(rows)
            for name in VIEWS:
                raw[name][places[rows]] = found[name]
        self.views.forget_columns()
        for start, at in self.placed(np.ascontiguousarray(X[others])):
            found = self.views.raw(at)
            for name in VIEWS:
                raw[name][others[start : start + len(at.z)]] = found[name]
        return raw

    def _learn(self, X: FloatArray) -> IntArray:
        """Prepare everything; return the places of the train rows in `X`."""
        X = _wanted(self.train_rows(X))
        columns = obtain_columns(X, workspace=self._workspace).values
        self._standard = Standard.of(columns)
        Z = self._standard.apply(X)
        if Z is not X:
            columns = sorted_rows(Z.T)
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
        self.tails = self._calibrate()
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
            scores[start : start + len(at.z)] = score_of(self.surprises(at))
        return scores

    def score_batch(self, X: FloatArray) -> FloatArray:
        """Score the rows of a batch, which may be compared with each other.

        To the score of each row alone is added the surprise of how well trees tell it
        from train rows when they were grown on train rows and on the other rows of the
        batch; see `odbench_detectors.cats.batch`. These scores have no p-values.

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
        return with_batch(scores, surprise_of_batch(self.views.train.z, Z))

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

    def p_values(self, X: FloatArray) -> FloatArray:
        """Return the probability that an inlier scores at least as high as each row.

        The first call fits a second CATS on half of the train rows and holds the other
        half out to calibrate it; `decision_function` keeps using all rows. See
        `odbench_detectors.cats.conformal.SplitConformal.p_values`.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)

        Returns
        -------
        float64 array of shape (n_rows,)
            Valid for a row that is exchangeable with the train rows; lower is more
            anomalous.

        Raises
        ------
        DetectorError
            As `decision_function`, and if there are fewer than four train rows.
        """
        X = self.rows_to_score(X)
        if self._conformal is None:
            self._conformal = SplitConformal.of(
                self.views.train.z, lambda rows: type(self)().fit(rows)
            )
        return self._conformal.p_values(self._standard.apply(X))

    def flag(self, X: FloatArray, fdr: float = 0.05) -> BoolArray:
        """Select anomalies with an expected share of inliers of at most `fdr`.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            The rows to select from; the selection depends on all of them.
        fdr : float, default=0.05
            The false discovery rate.

        Returns
        -------
        bool array of shape (n_rows,)

        Raises
        ------
        DetectorError
            As `p_values`, and if `fdr` is not between 0 and 1.
        """
        return benjamini_hochberg(self.p_values(X), fdr)

    def explain(
        self, X: FloatArray, columns: Sequence[str] | None = None
    ) -> Explanations:
        """Explain each row's score by views and columns.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
        columns : sequence of str, optional
            The columns' names; "column 0", "column 1", ... by default.

        Returns
        -------
        Explanations
            A sequence of one `Explanation` per row: ``str`` describes it in words,
            `odbench_detectors.cats.plot` draws it. Also ``scores``, and ``table(row)``
            as for every detector that explains.

        Raises
        ------
        DetectorError
            As `decision_function`, and if there are not as many names as columns.
        """
        X = self.rows_to_score(X)
        names = column_names(columns, X.shape[1], prefix="column ")
        parts = (
            explain_placed(self.views, at, self.surprises(at))
            for _, at in self.placed(X)
        )
        return Explanations(X, names, parts)

    def _calibrate(self) -> dict[str, Tail]:
        # The mixtures, which cannot leave a row out, were fitted on the first rows.
        rows = np.arange(self.views.n)[-CALIBRATION:]
        raw = self.views.raw_of_train(rows)
        fresh = rows >= self.views.n_mixture
        held_out = {name: raw[name][fresh] for name in ("density", "copula")}
        return {name: Tail.of(held_out.get(name, raw[name])) for name in VIEWS}


def _wanted(X: FloatArray) -> FloatArray:
    if len(X) < 2:
        msg = f"cats wants at least 2 train rows, got shape {X.shape}: give it more"
        raise DetectorError(msg)
    return X
