"""The network's forward pass in NumPy, so that scoring needs no torch.

Columns are tokens: each row's columns are embedded one by one and pooled, twice; the
second time each knows of the first pool. Rows are tokens too: a query looks at a sample
of context rows, which look at each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.errors import ArchiveError
from odbench_detectors.foundation.odbench_pfn.views import COLUMN_NUMBERS, ROW_NUMBERS

Array: TypeAlias = NDArray[np.float64]
WIDTH, COLUMN_WIDTH, HEADS, LAYERS = 64, 32, 4, 2
_EPSILON = 1e-5


class Network:
    """A trained network.

    Parameters
    ----------
    tensors : mapping of str to float32 or float64 array
        The weights by name, matrices of shape (n_outputs, n_inputs).

    Raises
    ------
    ArchiveError
        If a tensor is missing, unknown or of another shape.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        _check(tensors)
        # In double precision, the place of a row in its batch does not change its score
        # by more than 1e-12.
        self._tensors = {k: v.astype(np.float64) for k, v in tensors.items()}

    def embed(self, rows: Array, columns: Array) -> Array:
        """Return one vector per row.

        Parameters
        ----------
        rows : float64 array of shape (n_rows, ROW_NUMBERS)
        columns : float64 array of shape (n_rows, d, COLUMN_NUMBERS)

        Returns
        -------
        float64 array of shape (n_rows, width)
        """
        e = _relu(self._linear("column2", _relu(self._linear("column1", columns))))
        h = self._linear("row", rows) + self._pool("pool1", e)
        h = h + self._two_layers("mix_norm", "mix_up", "mix_down", h)
        e = _relu(self._linear("column3", e) + self._linear("hint", h)[:, None])
        return h + self._pool("pool2", e)

    def remember(self, embedded: Array) -> list[tuple[Array, Array]]:
        """Return what queries look at: keys and values of context rows, per block.

        Parameters
        ----------
        embedded : float64 array of shape (n_seen, width)
            From `embed`.
        """
        h, memory = embedded + self._tensors["role"], []
        for i in range(LAYERS):
            found = self._linear(
                f"blocks.{i}.key_value", self._norm(f"blocks.{i}.norm1", h)
            )
            keys, values = np.split(found, 2, axis=-1)
            memory.append((_by_head(keys), _by_head(values)))
            h = self._block(i, h, memory[-1])
        return memory

    def score(
        self, rows: Array, embedded: Array, memory: list[tuple[Array, Array]]
    ) -> Array:
        """Return one score per query, float64 of shape (n_rows,); higher is odder.

        Parameters
        ----------
        rows : float64 array of shape (n_rows, ROW_NUMBERS)
        embedded : float64 array of shape (n_rows, width)
            From `embed`.
        memory : list of pairs of arrays
            From `remember`.
        """
        h = embedded
        for i, seen in enumerate(memory):
            h = self._block(i, h, seen)
        total = self._linear("score", self._norm("norm", h)) + self._linear(
            "skip", rows
        )
        result: Array = total[:, 0]
        return result

    def _block(self, i: int, h: Array, seen: tuple[Array, Array]) -> Array:
        queries = self._linear(f"blocks.{i}.query", self._norm(f"blocks.{i}.norm1", h))
        h = h + self._linear(f"blocks.{i}.out", _attend(queries, *seen))
        name = f"blocks.{i}."
        return h + self._two_layers(name + "norm2", name + "up", name + "down", h)

    def _two_layers(self, norm: str, up: str, down: str, h: Array) -> Array:
        return self._linear(down, _relu(self._linear(up, self._norm(norm, h))))

    def _pool(self, name: str, e: Array) -> Array:
        """Pool columns: mean, maximum, and a mean with learned weights."""
        share = _softmax(self._linear(f"{name}.weight", e), axis=1)
        n, d, width = e.shape
        parts = e.reshape(n, d, HEADS, width // HEADS)
        learned = np.einsum("ndhk,ndh->nhk", parts, share).reshape(n, width)
        pooled = np.concatenate([e.mean(axis=1), e.max(axis=1), learned], axis=1)
        return self._linear(f"{name}.out", pooled)

    def _linear(self, name: str, x: Array) -> Array:
        # One product of all columns is faster than one per row.
        flat: Array = x.reshape(-1, x.shape[-1]) @ self._tensors[f"{name}.weight"].T
        flat += self._tensors[f"{name}.bias"]
        return flat.reshape(*x.shape[:-1], -1)

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(variance + _EPSILON)
        result: Array = (
            scaled * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]
        )
        return result


def shapes() -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by name."""
    w, c = WIDTH, COLUMN_WIDTH
    layers = {
        "column1": (c, COLUMN_NUMBERS), "column2": (c, c), "column3": (c, c),
        "hint": (c, w), "row": (w, ROW_NUMBERS), "mix_norm": (w,),
        "mix_up": (2 * w, w), "mix_down": (w, 2 * w), "norm": (w,), "score": (1, w),
        "skip": (1, ROW_NUMBERS),
    }  # fmt: skip
    for name in ("pool1", "pool2"):
        layers |= {f"{name}.weight": (HEADS, c), f"{name}.out": (w, 3 * c)}
    for i in range(LAYERS):
        block = {
            "norm1": (w,), "norm2": (w,), "query": (w, w), "key_value": (2 * w, w),
            "out": (w, w), "up": (2 * w, w), "down": (w, 2 * w),
        }  # fmt: skip
        layers |= {f"blocks.{i}.{name}": shape for name, shape in block.items()}
    found: dict[str, tuple[int, ...]] = {"role": (w,)}
    for name, shape in layers.items():
        found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return found


def _check(tensors: Mapping[str, NDArray[Any]]) -> None:
    wanted = shapes()
    for name in sorted(wanted.keys() | tensors.keys()):
        found = tensors[name].shape if name in tensors else None
        if found != wanted.get(name):
            msg = (
                f"weights: tensor {name!r} has shape {found}, wanted "
                f"{wanted.get(name)}; these are the weights of another network"
            )
            raise ArchiveError(msg)


def _relu(x: Array) -> Array:
    """Replace negative values by 0, in place."""
    return np.maximum(x, 0.0, out=x)


def _softmax(x: Array, axis: int) -> Array:
    found: Array = np.exp(x - x.max(axis=axis, keepdims=True))
    found /= found.sum(axis=axis, keepdims=True)
    return found


def _by_head(x: Array) -> Array:
    """Return (HEADS, n, width / HEADS)."""
    return np.ascontiguousarray(x.reshape(len(x), HEADS, -1).transpose(1, 0, 2))


def _attend(queries: Array, keys: Array, values: Array) -> Array:
    """Return each query's mean of values, weighted by its keys."""
    parts = _by_head(queries) / math.sqrt(queries.shape[1] // HEADS)
    found = np.empty_like(parts)
    # One head at a time, and in place, because its weights then stay in the cache.
    for i, part in enumerate(parts):
        weight = part @ keys[i].T
        weight -= weight.max(axis=1, keepdims=True)
        np.exp(weight, out=weight)
        found[i] = weight @ values[i] / weight.sum(axis=1, keepdims=True)
    return found.transpose(1, 0, 2).reshape(queries.shape)
