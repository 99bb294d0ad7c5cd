"""TabICL as a detector: a density, or a classifier with made-up anomalies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tabicl import TabICLClassifier
from torch import nn

from odbench.arrays import FloatArray
from odbench_detectors.deep.scaling import Scaling
from odbench_detectors.deep.session import DEVICES, draw_seed, find_device, session
from odbench_detectors.foundation.folds import score_by_folds
from odbench_detectors.foundation.hub import located
from odbench_detectors.foundation.tabicl.density import Codes, Density
from odbench_detectors.foundation.tabicl.info import FILES
from odbench_detectors.foundation.tabicl.model import load_model
from odbench_detectors.foundation.tabicl.pseudo import KINDS
from odbench_detectors.shared.estimator import (
    SEED,
    Estimator,
    check_ranges,
    is_count,
    is_seed,
)

TASKS = ("density", "random")
# Rows per call of the network: always exactly so many, filled up with a training row,
# so that a row's score has the same bits in any batch.
_BLOCK = 256
# Columns per order of columns, or per task.
_COLUMNS = 100
# Scores are log-odds; a classifier that is sure says at most this.
_SURE = 1e-6
_LARGEST = float(np.finfo(np.float32).max)


class TabICL(Estimator):
    """Density by TabICL, or its classification against pseudo-anomalies.

    With ``tasks="density"``, the score is the negative mean over random orders of the
    columns of ``log p(x_1) + log p(x_2 | x_1) + ...``; each factor is predicted by
    TabICL in the context of the training rows [1]_. Columns with at most ten values are
    categories. With ``tasks="random"``, the score is the mean log-odds over tasks in
    which TabICL tells training rows from pseudo-anomalies: uniform, shuffled, perturbed
    and stretched rows in turn [2]_.

    Parameters
    ----------
    tasks : {"density", "random"}, default="density"
    n_estimators : int, default=8
        Members of TabICL's ensemble.
    n_permutations : int, default=4
        Orders of the columns; at most 100 random columns each.
    n_tasks : int, default=4
        Tasks of ``tasks="random"``; at most 100 random columns each.
    context : int, default=1000
        Maximum number of training rows in the context, drawn once per order or task.
    checkpoint, regressor : str, default=""
        Paths of the classifier's and the regressor's checkpoint; the published ones by
        default. ``tasks="random"`` needs no regressor.
    device : {"auto", "cpu", "cuda"}, default="auto"
    random_state : int or None, default=None

    References
    ----------
    .. [1] Qu, Holzmüller, Varoquaux, Le Morvan, "TabICLv2: A better, faster, scalable,
       and open tabular foundation model", 2026, arXiv 2602.11139.
    .. [2] "TaskBridge", 2026, arXiv 2609.36968: its variant without selection.
    """

    def __init__(
        self,
        tasks: str = "density",
        *,
        n_estimators: int = 8,
        n_permutations: int = 4,
        n_tasks: int = 4,
        context: int = 1000,
        checkpoint: str = "",
        regressor: str = "",
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.tasks = tasks
        self.n_estimators = n_estimators
        self.n_permutations = n_permutations
        self.n_tasks = n_tasks
        self.context = context
        self.checkpoint = checkpoint
        self.regressor = regressor
        self.device = device
        self.random_state = random_state

    def check_params(self) -> None:
        """Refuse impossible parameters; see `Estimator.check_params`."""
        counts = ("n_estimators", "n_permutations", "n_tasks", "context")
        check_ranges(
            "tabicl",
            ("tasks", self.tasks, self.tasks in TASKS, f"one of {TASKS}"),
            ("device", self.device, self.device in DEVICES, f"one of {DEVICES}"),
            ("random_state", self.random_state, is_seed(self.random_state), SEED),
            *(
                (name, getattr(self, name), is_count(getattr(self, name), 1), ">= 1")
                for name in counts
            ),
        )

    def fit(self, X: FloatArray) -> Self:
        """Read the checkpoints and choose the contexts; nothing is trained.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite.

        Raises
        ------
        DetectorError
            If a parameter is out of range, the table is empty or not finite, or the
            device is missing.
        MissingWeightsError
            If a checkpoint is not on this machine.
        DataError
            If it is damaged, hostile or of another model.
        """
        self.check_params()
        rows = self.train_rows(X)
        self._seed = draw_seed(self.random_state) % 2**31
        self._read(rows)
        return self

    def _read(self, rows: FloatArray) -> None:
        """Make everything that scoring needs, from the rows and the seed."""
        self._device = find_device(self.device)
        self._models = {name: self._model(name) for name in self._needed()}
        self._rows = rows
        self._scaling = Scaling(rows)
        train = self._scaled(rows)
        rng = np.random.default_rng(self._seed)
        make = self._densities if self.tasks == "density" else self._classifiers
        with session(self._seed, self._device):
            self._parts = list(make(train, rng))
        self._filling = train[:1]

    def __getstate__(self) -> dict[str, Any]:
        """Keep the rows and the seed; networks are read again from their files."""
        kept = (*self.get_params(), "_rows", "_seed", "_n_columns")
        return {name: vars(self)[name] for name in kept if name in vars(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if "_rows" in state:
            self._read(state["_rows"])

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64 of shape (n_rows,), higher is more anomalous.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is NaN or
            infinite.
        """
        rows = self._scaled(self.rows_to_score(X))
        scores = np.zeros(len(rows))
        with session(self._seed, self._device), torch.inference_mode():
            for start in range(0, len(rows), _BLOCK):
                part = rows[start : start + _BLOCK]
                filled = np.repeat(self._filling, _BLOCK, axis=0)
                filled[: len(part)] = part
                found = np.mean([one(filled) for one in self._parts], axis=0)
                scores[start : start + _BLOCK] = found[: len(part)]
        scores[np.isnan(scores)] = _LARGEST
        return scores.clip(-_LARGEST, _LARGEST)

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Score the rows of a table, each by contexts without it.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite; may hold anomalies.

        Returns
        -------
        float64 array of shape (n_rows,)
            Higher is more anomalous.
        """
        self.check_params()
        return score_by_folds(
            self.train_rows(X),
            lambda train, left_out: self.fit(train).decision_function(left_out),
            self.random_state,
        )

    def _needed(self) -> list[str]:
        return ["checkpoint"] if self.tasks == "random" else list(FILES)

    def _model(self, parameter: str) -> nn.Module:
        path = located(FILES[parameter], getattr(self, parameter))
        return load_model(path).to(self._device)

    def _densities(
        self, train: FloatArray, rng: np.random.Generator
    ) -> Iterator[Callable[[FloatArray], FloatArray]]:
        """Yield a function per order of the columns that scores rows."""
        for _ in range(self.n_permutations):
            yield _Order(self, *self._drawn(train, rng))

    def _classifiers(
        self, train: FloatArray, rng: np.random.Generator
    ) -> Iterator[Callable[[FloatArray], FloatArray]]:
        """Yield a function per task that scores rows."""
        for number in range(self.n_tasks):
            rows, columns = self._drawn(train, rng, self.context // 2)
            made = KINDS[number % len(KINDS)](rows, rng)
            yield _Task(self, np.concatenate([rows, made]), len(rows), columns)

    def _drawn(
        self, train: FloatArray, rng: np.random.Generator, most: int = 0
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """Draw the rows and columns of a context, columns in random order."""
        n, d = train.shape
        most = max(2, most or self.context)
        rows = train if n <= most else train[rng.choice(n, most, replace=False)]
        columns = rng.permutation(d)[:_COLUMNS]
        return rows[:, columns], columns

    def _scaled(self, X: FloatArray) -> FloatArray:
        scaled = np.empty(X.shape, dtype=np.float32)
        self._scaling.into(X, scaled)
        return scaled.astype(np.float64)

    @property
    def device_name(self) -> str:
        """The device that is used, by its name."""
        return str(self._device)


class _Order:
    """The density of rows in one order of the columns."""

    def __init__(self, owner: TabICL, context: FloatArray, columns: Any) -> None:
        self._columns = columns
        self._codes = Codes(context)
        context = self._codes.encode(context)
        self._width = context.shape[1]
        if self._width:
            self._density = Density(
                owner._models,  # noqa: SLF001 - a part of the detector
                owner.n_estimators,
                self._codes.categorical,
                device=owner.device_name,
                seed=owner._seed,  # noqa: SLF001
            ).fit(context)

    def __call__(self, rows: FloatArray) -> FloatArray:
        rows = rows[:, self._columns]
        known = self._codes.penalty(rows)
        if self._width:
            order = np.arange(self._width)
            known = known + self._density.log_density(self._codes.encode(rows), [order])
        return np.asarray(-known, dtype=np.float64)


class _Task:
    """The log-odds of rows in one task of classification."""

    def __init__(
        self, owner: TabICL, context: FloatArray, n_normal: int, columns: Any
    ) -> None:
        self._columns = columns
        self._classifier = TabICLClassifier(
            n_estimators=owner.n_estimators,
            device=owner.device_name,
            random_state=owner._seed,  # noqa: SLF001
        )
        self._classifier.model_ = owner._models["checkpoint"]  # noqa: SLF001
        # The network was read and checked already.
        self._classifier._load_model = _nothing  # noqa: SLF001
        labels = np.arange(len(context)) >= n_normal
        self._classifier.fit(context.astype(np.float32), labels.astype(np.int64))

    def __call__(self, rows: FloatArray) -> FloatArray:
        rows = rows[:, self._columns].astype(np.float32)
        chance = np.asarray(self._classifier.predict_proba(rows)[:, 1], dtype=float)
        chance = chance.clip(_SURE, 1 - _SURE)
        return np.asarray(np.log(chance / (1 - chance)), dtype=np.float64)


def _nothing() -> None:
    """Load nothing."""
