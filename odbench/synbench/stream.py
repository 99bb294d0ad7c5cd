"""Random draws that depend only on a key, not on NumPy's version or the machine.

Only the 64-bit words of a bit generator are used, whose stream NumPy guarantees
(NEP 19); they are converted to distributions here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench.synbench import portable

Words: TypeAlias = NDArray[np.uint64]
_UNIT = 2.0**-52


class Stream:
    """A stream of draws.

    Parameters
    ----------
    words : callable
        ``words(n)`` returns the next n 64-bit words.
    """

    def __init__(self, words: Callable[[int], Words]) -> None:
        self._words = words

    def uniform(self, *shape: int) -> FloatArray:
        """Draw from the open unit interval: (k + 1/2) / 2**52, k of 52 bits."""
        words = self._words(_count(shape))
        words >>= np.uint64(12)
        out = words.astype(np.float64)
        out += 0.5
        out *= _UNIT
        return out.reshape(shape)

    def between(self, low: float, high: float, *shape: int) -> FloatArray:
        """Draw uniformly from (low, high)."""
        return low + (high - low) * self.uniform(*shape)

    def normal(self, *shape: int) -> FloatArray:
        """Draw from the standard normal law, one word per value."""
        return portable.normal_quantile(self.uniform(*shape))

    def integers(self, low: int, high: int, *shape: int) -> IntArray:
        """Draw whole numbers from low to high, both included.

        The bias is below (high - low) / 2**52.
        """
        span = high - low + 1
        return low + np.floor(self.uniform(*shape) * span).astype(np.int64)

    def integer(self, low: int, high: int) -> int:
        """Draw one whole number from low to high, both included."""
        return int(self.integers(low, high, 1)[0])

    def number(self, low: float, high: float) -> float:
        """Draw one number from (low, high)."""
        return float(self.between(low, high, 1)[0])

    def lognormal(self, mu: float, sigma: float) -> float:
        """Draw one value of exp(mu + sigma Z)."""
        return float(portable.exp(mu + sigma * self.normal(1))[0])

    def permutation(self, n: int) -> IntArray:
        """Draw a permutation of 0..n-1."""
        return np.argsort(self._words(n), kind="stable").astype(np.int64)

    def subset(self, n: int, size: int) -> IntArray:
        """Draw `size` of 0..n-1 without replacement; sorted."""
        return np.sort(self.permutation(n)[:size])

    def subsets(self, n: int, sizes: IntArray) -> NDArray[np.bool_]:
        """Draw one subset of 0..n-1 per size.

        Returns
        -------
        bool array of shape (n, len(sizes))
            Column i has sizes[i] entries that are True.
        """
        keys = self._words(n * len(sizes)).reshape(len(sizes), n)
        ranks = np.argsort(np.argsort(keys, axis=1, kind="stable"), axis=1)
        return np.ascontiguousarray((ranks < sizes[:, None]).T)


def seeded(root: int, key: tuple[int, ...]) -> Stream:
    """Return the stream of a public root seed and a spawn key.

    Parameters
    ----------
    root : int
        Entropy of the `numpy.random.SeedSequence`.
    key : tuple of int
        Its spawn key.
    """
    generator = np.random.PCG64(np.random.SeedSequence(root, spawn_key=key))

    def words(n: int) -> Words:
        return generator.random_raw(n)

    return Stream(words)


def secret(root: bytes, key: tuple[int, ...]) -> Stream:
    """Return the stream of a secret root seed and a spawn key.

    Published features reveal most bits of the words behind them, and the state of a
    PCG64 can be reconstructed from its words, which would reveal the labels too. So
    secret words come from SHAKE-256 in counter mode, which cannot be inverted.

    Parameters
    ----------
    root : bytes
        The secret, 32 bytes.
    key : tuple of int
        Identifies the stream of that secret.
    """
    prefix = b"odbench-synbench:" + root + b":" + ",".join(map(str, key)).encode()
    counter = 0

    def words(n: int) -> Words:
        nonlocal counter
        block = hashlib.shake_256(prefix + b":" + str(counter).encode()).digest(8 * n)
        counter += 1
        return np.frombuffer(block, dtype="<u8").astype(np.uint64)

    return Stream(words)


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total
