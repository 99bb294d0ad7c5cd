"""AUTO: choose a detector of the core zoo for a table, without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError
from odbench_detectors.auto.pool import CANDIDATES
from odbench_detectors.auto.search import Search, search
from odbench_detectors.auto.trimmed import fit_trimmed
from odbench_detectors.shared.estimator import (
    Estimator,
    check_ranges,
    is_count,
    is_seed,
    within_limit,
)
from odbench_detectors.shared.units import units

_SEED = "a whole number from 0 to 2^63 - 1"


class AUTO(Estimator):
    """A detector that is searched for each table, without labels.

    ``fit`` takes inliers. It starts from CATS, the best fixed detector of that setting,
    and leaves it only if another detector of the core zoo is clearly better at telling
    held-out rows from made-up anomalies of several kinds. ``fit_score`` takes rows that
    may hold anomalies: a consensus of detectors that many anomalies do not mislead
    picks the most normal rows, and the distance from these is the score.

    Parameters
    ----------
    budget : int, default=20_000
        Rows that the search may fit, all fits together; 0 is CATS without a search. It
        is a number of rows, so that the outcome does not depend on the machine.
    random_state : int, default=0
        Seed of the search and of the isolation forest.

    Attributes
    ----------
    chosen_ : str
        The detector that was chosen, as `odbench run --detectors` takes it; after
        ``fit_score``, "knn of the core".
    search_ : odbench_detectors.auto.search.Search or None
        The course of the search; None after ``fit_score``.

    Notes
    -----
    After ``fit``, ``explain`` exists if the chosen detector has it.
    """

    def __init__(self, budget: int = 20_000, random_state: int = 0) -> None:
        self.budget = budget
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters."""
        seed = self.random_state
        check_ranges(
            "auto",
            ("budget", self.budget, is_count(self.budget, 0), "a whole number >= 0"),
            ("random_state", seed, seed is not None and is_seed(seed), _SEED),
        )

    def fit(self, X: FloatArray) -> Self:
        """Choose a detector and fit it.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Inliers, finite, at least two rows.

        Returns
        -------
        AUTO
            Itself.

        Raises
        ------
        DetectorError
            If a parameter or the table is wrong.
        """
        self.check_params()
        rows = self._rows(X)
        found = search(Scale.of(rows).apply(rows), self.budget, self.random_state)
        self.search_: Search | None = found
        self.chosen_ = found.chosen
        self._model: Any = CANDIDATES[found.chosen]().fit(rows)
        return self

    def refit(self, X: FloatArray) -> Self:
        """Fit the detector that `fit` chose on other rows, without another search.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, at least two rows.

        Returns
        -------
        AUTO
            Itself.

        Raises
        ------
        DetectorError
            If `fit` was not the last to choose, or the table is wrong.
        """
        self.rows_to_score(X)
        if self.chosen_ not in CANDIDATES:
            msg = f"auto: refit keeps what fit chose, got {self.chosen_}: call fit"
            raise DetectorError(msg)
        self._model = CANDIDATES[self.chosen_]().fit(self._rows(X))
        return self

    def _rows(self, X: FloatArray) -> FloatArray:
        rows = self.train_rows(X)
        if len(rows) < 2:
            msg = f"auto wants at least 2 train rows, got shape {rows.shape}: give more"
            raise DetectorError(msg)
        return rows

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Score the rows of a table that may hold anomalies.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite.

        Returns
        -------
        float64 array of shape (n_rows,)
            Distance to the fifth-nearest row of the core, in standard deviations;
            higher is more anomalous. ``decision_function`` then scores other rows.

        Raises
        ------
        DetectorError
            As `fit`.
        """
        self.check_params()
        rows = self._rows(X)
        scale = Scale.of(rows)
        trimmed = fit_trimmed(scale.apply(rows), self.random_state)
        self.search_ = None
        self.chosen_ = "knn of the core"
        self._model = _Scaled(scale, trimmed.detector)
        return trimmed.own

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows with the chosen detector.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous, in the chosen detector's unit.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is not finite.
        """
        rows = self.rows_to_score(X)
        return np.asarray(self._model.decision_function(rows), dtype=np.float64)

    @property
    def explain(self) -> Callable[..., Any]:
        """The chosen detector's ``explain``; none before `fit` or where it has none."""
        model: Any = vars(self).get("_model")
        if not hasattr(model, "explain"):
            msg = f"auto: {vars(self).get('chosen_', 'nothing yet')} has no explain"
            raise AttributeError(msg)
        explain: Callable[..., Any] = model.explain
        return explain


@dataclass(frozen=True)
class Scale:
    """Means and standard deviations of train columns, 1 for constant ones.

    Attributes
    ----------
    unit : float64 array of shape (d,)
        From `units`; means and deviations are those of values divided by it.
    mean, deviation : float64 array of shape (d,)
    """

    unit: FloatArray
    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def of(cls, X: FloatArray) -> Scale:
        """Learn from rows, float64 of shape (n, d)."""
        unit = units(X)
        scaled = X / unit
        # The deviation of equal values may be above 0 by rounding.
        varies = scaled.max(axis=0) > scaled.min(axis=0)
        deviation = np.where(varies, scaled.std(axis=0), 1.0)
        return cls(unit, scaled.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    def apply(self, X: FloatArray) -> FloatArray:
        """Return rows in standard deviations from the mean, within ±1e140."""
        with np.errstate(over="ignore"):
            return within_limit((X / self.unit - self.mean) / self.deviation)


@dataclass(frozen=True)
class _Scaled:
    """A detector of rows in standard deviations, for rows in the units of train."""

    scale: Scale
    detector: Any

    def decision_function(self, X: FloatArray) -> FloatArray:
        scores: FloatArray = self.detector.decision_function(self.scale.apply(X))
        return scores
