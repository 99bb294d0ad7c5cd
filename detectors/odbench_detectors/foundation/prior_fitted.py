"""The base of FoMo-0D and OutFormer: contexts, passes and scores in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch

from odbench.arrays import FloatArray
from odbench_detectors.deep.scaling import Scaling
from odbench_detectors.deep.session import DEVICES, draw_seed, find_device, session
from odbench_detectors.foundation.filling import fill
from odbench_detectors.foundation.folds import score_by_folds
from odbench_detectors.foundation.hub import located
from odbench_detectors.foundation.network import (
    ContextNetwork,
    Memory,
    needed_tensors,
    shape_of,
)
from odbench_detectors.foundation.weights import (
    FileBytes,
    parse_checkpoint,
)
from odbench_detectors.shared.estimator import (
    SEED,
    Estimator,
    check_ranges,
    is_count,
    is_seed,
)

TRANSFORMS = ("quantile", "standard")
# Rows per pass through the network: always exactly so many, padded with zeros, so that
# a row's score has the same bits in any batch.
_BLOCK = 256
# Contexts are kept between calls if all of them together are smaller.
_KEPT_BYTES = 256 << 20
# Standardised values beyond this are clipped, as in training.
_LIMIT = 100.0


@dataclass(frozen=True)
class Pass:
    """The rows and columns of the training table that one pass uses as its context."""

    rows: np.ndarray[Any, np.dtype[np.int64]]
    columns: np.ndarray[Any, np.dtype[np.int64]]


class PriorFitted(Estimator):
    """Score rows by a network that reads the training rows as its context.

    A subclass sets `name`, `published` and `shuffles`, and has a constructor with the
    parameters below.

    Attributes
    ----------
    name : str
        The detector's registered name.
    published : str
        Its checkpoint's name in the manifest.
    shuffles : bool
        Whether each pass has its columns in another order.
    checkpoint : str
        Path of a checkpoint; empty for the published one.
    passes : int
        Contexts whose log-odds are averaged. A table that fits into one context needs
        one, unless columns are shuffled.
    context : int
        Maximum number of training rows per pass.
    transform : {"quantile", "standard"}
        Each column's quantiles mapped to a normal distribution, or standardised.
    device : {"auto", "cpu", "cuda"}
    random_state : int or None
    """

    name: ClassVar[str] = ""
    published: ClassVar[str] = ""
    shuffles: ClassVar[bool] = False

    checkpoint: str
    passes: int
    context: int
    transform: str
    device: str
    random_state: int | None

    def check_params(self) -> None:
        """Refuse impossible parameters; see `Estimator.check_params`."""
        check_ranges(
            self.name,
            ("passes", self.passes, is_count(self.passes, 1), "a whole number >= 1"),
            ("context", self.context, is_count(self.context, 2), "a number >= 2"),
            (
                "transform",
                self.transform,
                self.transform in TRANSFORMS,
                f"one of {TRANSFORMS}",
            ),
            ("device", self.device, self.device in DEVICES, f"one of {DEVICES}"),
            ("random_state", self.random_state, is_seed(self.random_state), SEED),
        )

    def fit(self, X: FloatArray) -> Self:
        """Read the checkpoint and choose the contexts; nothing is trained.

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
            If the checkpoint is not on this machine.
        DataError
            If it is damaged, hostile or of another model.
        """
        self.check_params()
        rows = self.train_rows(X)
        find_device(self.device)
        self._network = load_network(located(self.published, self.checkpoint))
        self._scaling = Scaling(rows)
        self._train = self._scaled(rows)
        rng = np.random.default_rng(draw_seed(self.random_state))
        self._passes = list(self._draw(rng))
        self._memories: dict[int, Memory] = {}
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64 of shape (n_rows,), higher is more anomalous.

        The score is the mean of the passes' log-odds of being an anomaly.

        Raises
        ------
        DetectorError
            If `fit` has not been called, the columns differ or a value is NaN or
            infinite.
        """
        rows = self._scaled(self.rows_to_score(X))
        scores = np.zeros(len(rows))
        device = find_device(self.device)
        with session(0, device), torch.inference_mode():
            network = self._network.to(device)
            for number, one in enumerate(self._passes):
                encode = self._encoder(one)
                memory = self._memory(number, encode, network, device)
                scores += _log_odds(network, memory, encode, rows, device)
            self._network.cpu()
        return scores / len(self._passes)

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Score the rows of a table, each by contexts without it.

        The rows are split into four parts at random; each is scored with the other
        three as the training rows.

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

    def _draw(self, rng: np.random.Generator) -> Iterator[Pass]:
        """Yield the passes: one where every row and column fits into it."""
        n, d = self._train.shape
        slots = self._network.shape.slots
        is_whole = n <= self.context and d <= slots and not self.shuffles
        for _ in range(1 if is_whole else self.passes):
            rows = np.arange(n)
            if n > self.context:
                rows = np.sort(rng.choice(n, self.context, replace=False))
            columns = np.arange(d)
            if d > slots or self.shuffles:
                columns = rng.choice(d, min(d, slots), replace=False)
            yield Pass(rows, columns)

    def _encoder(self, one: Pass) -> Encode:
        context = self._train[np.ix_(one.rows, one.columns)]
        slots = self._network.shape.slots
        return Encode(context, one.columns, slots, self.transform)

    def _memory(
        self,
        number: int,
        encode: Encode,
        network: ContextNetwork,
        device: torch.device,
    ) -> Memory:
        """Return a pass's context as the network remembers it."""
        known = self._memories.get(number)
        if known is not None:
            return [(k.to(device), v.to(device)) for k, v in known]
        memory = network.read(_tensor(encode.context).to(device))
        size = sum(k.nbytes + v.nbytes for k, v in memory)
        if size * len(self._passes) <= _KEPT_BYTES:
            self._memories[number] = [(k.cpu(), v.cpu()) for k, v in memory]
        return memory

    def _scaled(self, X: FloatArray) -> FloatArray:
        scaled = np.empty(X.shape, dtype=np.float32)
        self._scaling.into(X, scaled)
        return np.clip(scaled, -_LIMIT, _LIMIT).astype(np.float64)


class Encode:
    """Turn scaled rows into the network's inputs, by the context alone.

    Parameters
    ----------
    context : float64 array of shape (n_context, n_used)
        Scaled rows of the context, columns chosen.
    columns : int64 array of shape (n_used,)
        Those columns.
    slots : int
        Number of inputs of the network.
    transform : {"quantile", "standard"}
        See `PriorFitted`.
    """

    def __init__(
        self, context: FloatArray, columns: Any, slots: int, transform: str
    ) -> None:
        self._columns, self._slots = columns, slots
        self._quantiles: Any = None
        if transform == "quantile":
            from sklearn.preprocessing import QuantileTransformer

            self._quantiles = QuantileTransformer(
                n_quantiles=min(1000, len(context)),
                output_distribution="normal",
                subsample=None,
            ).fit(context)
        self.context = self._padded(context)

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Return inputs of shape (n_rows, slots) for scaled rows of all columns."""
        return self._padded(rows[:, self._columns])

    def _padded(self, rows: FloatArray) -> FloatArray:
        """Transform, scale up what a narrow table puts in, and pad with zeros."""
        if self._quantiles is not None:
            rows = self._quantiles.transform(rows)
        used = rows.shape[1]
        inputs = np.zeros((len(rows), self._slots))
        inputs[:, :used] = rows * (self._slots / used)
        return inputs


def load_network(path: Path) -> ContextNetwork:
    """Return the network of a checkpoint; the last ones loaded are kept.

    Parameters
    ----------
    path : Path
        The file. It is read and hashed each time, so that a changed one is noticed.

    Raises
    ------
    DataError
        If it is damaged, hostile or of another model.
    """
    return _network_of(FileBytes.of(path))


def check_network(path: Path) -> None:
    """Refuse a file of which `load_network` cannot make a network; keep nothing."""
    _network_of.__wrapped__(FileBytes.of(path))


@lru_cache(maxsize=2)
def _network_of(file: FileBytes) -> ContextNetwork:
    tensors = needed_tensors(parse_checkpoint(file.data, file.name))
    with torch.device("meta"):
        network = ContextNetwork(shape_of(tensors, file.name))
    fill(network, tensors, file.name)
    return network


def _log_odds(
    network: ContextNetwork,
    memory: Memory,
    encode: Encode,
    rows: FloatArray,
    device: torch.device,
) -> FloatArray:
    """Return the log-odds of rows, in blocks of one size."""
    scores = np.empty(len(rows))
    block = torch.zeros((_BLOCK, network.shape.slots))
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        block.zero_()
        block[: len(part)] = _tensor(encode(part))
        found = network(block.to(device), memory)[: len(part)]
        scores[start : start + len(part)] = found.cpu().numpy()
    return scores


def _tensor(rows: FloatArray) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)
