"""The log-density of rows by TabICL, factor by factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tabicl import TabICLClassifier, TabICLUnsupervised
from torch import nn

from odbench.arrays import FloatArray

# A column with at most so many values in training is a category, as in TabICL.
_CATEGORIES = 10
# Log-probability of a value that a category has never had, as in TabICL.
_UNSEEN = float(np.log(1e-10))


class Density(TabICLUnsupervised):
    """TabICL's density, whose scores do not depend on the rows beside a row.

    Parameters
    ----------
    models : mapping
        "checkpoint" and "regressor" -> network.
    n_estimators : int
        Members of the ensemble behind each factor.
    categorical : list of int
        Columns that hold codes 0, 1, ... instead of numbers.
    device : str
    seed : int
    """

    def __init__(
        self,
        models: Mapping[str, nn.Module],
        n_estimators: int,
        categorical: list[int],
        *,
        device: str,
        seed: int,
    ) -> None:
        super().__init__(
            n_estimators=n_estimators,
            categorical_features=categorical,
            random_state=seed,
            device=device,
        )
        self.models = models

    def log_density(
        self, rows: FloatArray, orders: Sequence[NDArray[np.int64]]
    ) -> FloatArray:
        """Return the mean over orders of the log-density, of shape (n_rows,).

        TabICL's own `score_samples` returns its exponential, which is 0 or infinite
        for most rows of a table with many columns.
        """
        rows = np.asarray(rows, dtype=np.float32)
        # The generator is not asked: see `_prepare_conditional_data`.
        found = [self._compute_log_density(rows, order, None) for order in orders]
        return np.asarray(np.mean(found, axis=0), dtype=np.float64)

    def _load_shared_model(self, estimator_cls: type) -> nn.Module:
        """Return the network that was read and checked, in place of a download."""
        is_classifier = issubclass(estimator_cls, TabICLClassifier)
        return self.models["checkpoint" if is_classifier else "regressor"]

    def _prepare_conditional_data(
        self,
        tgt_idx: int,
        cond_features: list[int],
        train_mask: Any,
        X_test: Any,
        rng: Any,  # noqa: ARG002 - not asked, so that rows do not depend on their place
    ) -> tuple[Any, Any, Any]:
        """Condition the first column of an order on noise that is the same for all."""
        if cond_features:
            train = self.X_[train_mask]
            return (
                train[:, cond_features],
                train[:, tgt_idx],
                X_test[:, cond_features],
            )
        noise = np.random.default_rng(self.random_state)
        train = noise.standard_normal((int(train_mask.sum()), 1)).astype(np.float32)
        return train, self.X_[train_mask, tgt_idx], np.zeros_like(X_test[:, :1])


class Codes:
    """Numbers of columns with few values replaced by codes, and constants left out.

    Parameters
    ----------
    train : float64 array of shape (n_rows, n_columns)
        Finite.

    Attributes
    ----------
    categorical : list of int
        Columns of `encode` that hold codes.
    """

    def __init__(self, train: FloatArray) -> None:
        values = [np.unique(column) for column in train.T]
        self._constant = np.array([len(found) == 1 for found in values])
        self._first = train[0]
        kept = np.flatnonzero(~self._constant)
        self._kept = kept
        self._known = {
            number: values[column]
            for number, column in enumerate(kept)
            if len(values[column]) <= _CATEGORIES
        }
        self.categorical = list(self._known)

    def encode(self, rows: FloatArray) -> FloatArray:
        """Return rows without constant columns; new values of a category get a code."""
        rows = rows[:, self._kept].copy()
        for number, known in self._known.items():
            code = np.searchsorted(known, rows[:, number]).clip(0, len(known) - 1)
            is_new = known[code] != rows[:, number]
            rows[:, number] = np.where(is_new, len(known), code)
        return rows

    def penalty(self, rows: FloatArray) -> FloatArray:
        """Return the log-probability of values in columns constant in training."""
        changed = rows[:, self._constant] != self._first[self._constant]
        return np.asarray(changed.sum(axis=1) * _UNSEEN, dtype=np.float64)
