"""ECOD as a detector: training by shards, scores and explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench.detector import Workspace
from odbench.errors import DetectorError
from odbench_detectors.ecod import device
from odbench_detectors.ecod.batch import stacked_tails
from odbench_detectors.ecod.train import TrainColumns
from odbench_detectors.shared.columns import (
    Floats,
    SharesColumns,
    SortedColumns,
    as_table,
    check_rows,
    check_scores,
)

if TYPE_CHECKING:
    from odbench_detectors.ecod.explain import Explanation

Aggregate = Literal["sums", "columns", "copod"]
Reference = Literal["train", "batch"]
Device = Literal["auto", "cpu", "cuda"]


class ECOD(SharesColumns):
    """Outliers by empirical cumulative distribution functions.

    For column j of n train rows let ``L_j(x) = (1 + #{train <= x}) / (n + 1)``,
    ``R_j(x) = (1 + #{train >= x}) / (n + 1)`` and g_j the skewness. With the surprises
    ``l_j = -log L_j``, ``r_j = -log R_j`` and ``a_j = l_j where g_j < 0, else r_j``,
    the score of a row is

    * ``aggregate="sums"``: ``max(Σ l_j, Σ r_j, Σ a_j)`` [1]_, section 3.3;
    * ``aggregate="columns"``: ``Σ max(l_j, r_j)``.

    Parameters
    ----------
    aggregate : {"sums", "columns"}
        How the columns' tails are combined, as above.
    reference : {"train", "batch"}
        "train": counts are taken over the train rows, so a row's score does not
        depend on the other scored rows. "batch": over train rows and scored rows
        together, without adding 1, as PyOD 3.6.7 does; a row's score then depends on
        the rows scored with it, and anomalies among them count as normal.
    device : {"auto", "cpu", "cuda"}
        "auto" uses the GPU for large tables if one is available.
    quantiles : int
        0 keeps every value. Otherwise each column is kept as a `ColumnSketch` of this
        many quantiles, in bounded memory; ``rank_error_`` bounds every count's error.
    n_jobs : int
        Threads on the CPU; -1 for all cores. Scores do not depend on it.

    References
    ----------
    .. [1] Li, Zhao, Hu, Botta, Ionescu, Chen, "ECOD: Unsupervised Outlier Detection
       Using Empirical Cumulative Distribution Functions", TKDE 2022,
       https://doi.org/10.1109/TKDE.2022.3159580

    Examples
    --------
    >>> import numpy as np
    >>> train = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    >>> ECOD().fit(train).decision_function(np.array([[1.0, 2.0], [9.0, 9.0]])).round(3)
    array([0.575, 2.773])
    """

    _train: TrainColumns | None = None
    _aggregates: tuple[str, ...] = ("sums", "columns")

    def __init__(
        self,
        aggregate: Aggregate = "sums",
        reference: Reference = "train",
        device: Device = "auto",
        quantiles: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.aggregate = aggregate
        self.reference = reference
        self.device = device
        self.quantiles = quantiles
        self.n_jobs = n_jobs

    def fit(self, X: Floats, y: object = None) -> Self:  # noqa: ARG002
        """Sort the train columns.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            Finite, any layout.
        y : ignored

        Returns
        -------
        ECOD
            Itself.

        Raises
        ------
        DetectorError
            If a parameter is not one of its choices.
        DetectorError
            If the table is empty or not finite, or "cuda" is asked for and missing.
        """
        self._start()
        return self._add(as_table(X), self._workspace)

    def partial_fit(self, X: Floats, y: object = None) -> Self:  # noqa: ARG002
        """Add train rows; the same as `fit` on all rows at once.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            Finite.
        y : ignored

        Returns
        -------
        ECOD
            Itself.

        Raises
        ------
        DetectorError
            As `fit`.
        """
        if self._train is None:
            self._start()
        return self._add(as_table(X), None)

    def merge(self, other: ECOD) -> Self:
        """Add the train rows of another ECOD, fitted elsewhere (a shard).

        Parameters
        ----------
        other : ECOD
            Fitted with the same parameters. It is not changed.

        Returns
        -------
        ECOD
            Itself.

        Raises
        ------
        DetectorError
            If either has no train rows, or their references, columns or sketches
            differ.
        """
        self._fitted()
        other._fitted()
        if other.reference != self.reference:
            msg = (
                f"cannot merge reference {other.reference!r} into {self.reference!r}: "
                "fit both the same way"
            )
            raise DetectorError(msg)
        assert self._train is not None
        assert other._train is not None
        self._train.merge(other._train)
        self._rows += other._rows
        return self

    def decision_function(self, X: Floats) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.

        Returns
        -------
        float64 array of shape (n_rows,)
            Nats, 0 or more; higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not
            finite.
        """
        scores: FloatArray = self.tail_sums(X).max(axis=0)
        check_scores(scores)
        return scores

    def tail_sums(self, X: Floats) -> FloatArray:
        """Sum the surprises of rows, for shards of columns to exchange.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            The columns of `fit`.

        Returns
        -------
        float64 array of shape (3 or 1, n_rows)
            Left, right and by skewness ("sums"), or joined by column, in nats. The
            score is the maximum over the first axis, after the arrays of all shards
            have been added.

        Raises
        ------
        DetectorError
            If `fit` has not been called or the columns differ.
        """
        X = check_rows(X, self._fitted().n_columns)
        columns, tails, plus = self._reference(X)
        assert self._train is not None
        sums: FloatArray = self._train.kernels.tail_sums(
            columns, X, tails, plus=plus, aggregate=self.aggregate, n_jobs=self.n_jobs
        )
        return sums

    def explain(self, X: Floats, columns: Sequence[str] | None = None) -> Explanation:
        """Split the scores of rows by column.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`.
        columns : sequence of str or None
            Names of the columns; x0, x1, ... by default.

        Returns
        -------
        Explanation
            The surprise of every value in nats; they add up to the score.

        Raises
        ------
        DetectorError
            As `decision_function`, and if there are not as many names as columns.
        """
        from odbench_detectors.ecod.explain import explain_rows

        scores = self.decision_function(X)
        X = check_rows(X, self._fitted().n_columns)
        reference, tails, plus = self._reference(X)
        if self._train is not None and self._train.xp is not None:
            reference = device.columns_to_host(reference, self._train.xp)
        return explain_rows(reference, X, tails, plus, self.aggregate, scores, columns)

    @property
    def columns_(self) -> SortedColumns:
        """The sorted train columns."""
        return self._fitted()

    @property
    def rank_error_(self) -> int:
        """Largest error of any count, in train rows; 0 unless `quantiles` is set."""
        self._fitted()
        assert self._train is not None
        return self._train.rank_error

    @property
    def score_error_(self) -> float:
        """Largest error of a score in nats; 0 unless `quantiles` is set.

        With e the `rank_error_` of q quantiles, a count above ``q // 2`` is off by at
        most e, and the others are exact, so each of d columns contributes at most
        ``log(1 + e / (1 + q // 2))``. Columns whose skewness is 0 up to rounding are
        excepted: their tail may be the other one.
        """
        by_column = np.log1p(self.rank_error_ / (1 + self.quantiles // 2))
        return float(self.columns_.n_columns * by_column)

    def _start(self) -> None:
        self.check_params()
        self._train = TrainColumns(self.device, self.quantiles, self.n_jobs)
        self._rows: list[Floats] = []

    def _add(self, X: Floats, workspace: Workspace | None) -> Self:
        assert self._train is not None
        self._train.add(X, workspace)
        if self.reference == "batch":
            # A copy, because the caller may reuse its buffer for the next shard.
            self._rows.append(X.copy())
        return self

    def _fitted(self) -> SortedColumns:
        """Return the train columns."""
        if self._train is None or self._train.empty:
            msg = f"this {type(self).__name__} has no train rows yet: call fit first"
            raise DetectorError(msg)
        return self._train.columns()

    def _reference(self, X: Floats) -> tuple[SortedColumns, NDArray[np.int8], int]:
        """Return the reference columns, their tails, and the offset of the counts."""
        columns = self._fitted()
        if self.reference == "train":
            return columns, np.where(columns.skewness < 0, -1, 1).astype(np.int8), 1
        assert self._train is not None
        stack = np.concatenate((*self._rows, X))
        return self._train.sort(stack), stacked_tails(stack), 0

    def check_params(self) -> None:
        """Refuse parameters that are not one of their choices."""
        for name, choices in (
            ("aggregate", self._aggregates),
            ("reference", ("train", "batch")),
            ("device", ("auto", "cpu", "cuda")),
        ):
            if getattr(self, name) not in choices:
                msg = (
                    f"{type(self).__name__} parameter {name!r} must be one of "
                    f"{', '.join(choices)}, got {getattr(self, name)!r}"
                )
                raise DetectorError(msg)
        if self.quantiles and (self.quantiles < 8 or self.reference == "batch"):
            msg = (
                f"{type(self).__name__} parameter 'quantiles' must be 0 or from 8 up, "
                f"with reference 'train'; got {self.quantiles}, {self.reference!r}"
            )
            raise DetectorError(msg)
