"""ECOD: the detector."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench.errors import DetectorError, UsageError
from odbench_detectors.columns import (
    Floats,
    SharesColumns,
    SortedColumns,
    as_table,
    check_rows,
    obtain_columns,
    sorted_columns,
)
from odbench_detectors.ecod import cpu
from odbench_detectors.ecod.batch import stacked_tails

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
        Which of the two.
    reference : {"train", "batch"}
        "train": counts are taken over the train rows, so a row's score depends on
        nothing but that row. "batch": over train rows and scored rows together,
        without the ones, as PyOD 3.6.7 does; a row's score then depends on the rows
        scored with it, and anomalies among them count as normal.
    device : {"auto", "cpu", "cuda"}
        "auto" takes the GPU for large tables where there is one.
    n_jobs : int
        Threads on the CPU; -1 for every core. Scores do not depend on it.

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

    _aggregates: tuple[str, ...] = ("sums", "columns")

    def __init__(
        self,
        aggregate: Aggregate = "sums",
        reference: Reference = "train",
        device: Device = "auto",
        n_jobs: int = 1,
    ) -> None:
        self.aggregate = aggregate
        self.reference = reference
        self.device = device
        self.n_jobs = n_jobs

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the parameters, as scikit-learn asks for them."""
        return {
            "aggregate": self.aggregate,
            "reference": self.reference,
            "device": self.device,
            "n_jobs": self.n_jobs,
        }

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
        UsageError
            If a parameter is not one of its choices.
        DetectorError
            If the table is empty or not finite.
        """
        self._check_params()
        X = as_table(X)
        self.columns_: SortedColumns = obtain_columns(
            X, n_jobs=self.n_jobs, workspace=self._workspace
        )
        self._train = X if self.reference == "batch" else None
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
            If `fit` has not been called, the columns differ or a value is NaN.
        """
        sums = self.tail_sums(X)
        scores: FloatArray = sums.max(axis=0)
        if np.isnan(scores).any():
            row = int(np.flatnonzero(np.isnan(scores))[0])
            msg = f"row {row} holds NaN, wanted finite values: impute or drop it first"
            raise DetectorError(msg)
        return scores

    def tail_sums(self, X: Floats) -> FloatArray:
        """Sum the surprises of rows: what column shards add up.

        Parameters
        ----------
        X : float64 or float32 array of shape (n_rows, n_columns)
            The columns of `fit`.

        Returns
        -------
        float64 array of shape (3 or 1, n_rows)
            Left, right and by skewness ("sums"), or the largest ("columns"), in nats.
            The score is the maximum over the first axis, after the arrays of all
            column shards have been added.

        Raises
        ------
        DetectorError
            If `fit` has not been called or the columns differ.
        """
        columns = self._fitted()
        X = check_rows(X, columns.n_columns)
        if self._train is None:
            return self._sums(columns, X, right_unless_left(columns.skewness), plus=1)
        stack = np.concatenate((self._train, X))
        return self._sums(
            sorted_columns(stack, n_jobs=self.n_jobs), X, stacked_tails(stack), plus=0
        )

    def _sums(
        self, columns: SortedColumns, X: Floats, tails: NDArray[np.int8], *, plus: int
    ) -> FloatArray:
        return cpu.tail_sums(
            columns, X, tails, plus=plus, aggregate=self.aggregate, n_jobs=self.n_jobs
        )

    def _fitted(self) -> SortedColumns:
        columns = getattr(self, "columns_", None)
        if columns is None:
            msg = f"this {type(self).__name__} has no train rows yet: call fit first"
            raise DetectorError(msg)
        assert isinstance(columns, SortedColumns)
        return columns

    def _check_params(self) -> None:
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
                raise UsageError(msg)


def right_unless_left(skewness: FloatArray) -> NDArray[np.int8]:
    """Name each column's tail: left where the skewness is negative, else right.

    Parameters
    ----------
    skewness : float64 array of shape (n_columns,)

    Returns
    -------
    int8 array of shape (n_columns,)
        -1 left, 1 right.
    """
    return np.where(skewness < 0, -1, 1).astype(np.int8)
