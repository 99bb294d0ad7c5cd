"""Random permutations that are the same on every machine and NumPy version.

NumPy promises that a bit generator's stream never changes, but not that
``Generator.permutation`` returns the same one in the next release. Rows are therefore
ordered by raw 64-bit words, because content hashes of split data sets depend on it.
"""

from __future__ import annotations

import hashlib

import numpy as np

from odbench.arrays import IntArray


def stream(purpose: str, dataset_id: str, seed: int = 0) -> np.random.PCG64:
    """Return a generator of random 64-bit words for one purpose and data set.

    Parameters
    ----------
    purpose : str
        The purpose with a version, such as ``"split-1"``. Streams of different
        purposes are independent.
    dataset_id : str
        ``suite/name``.
    seed : int
        The trial's seed.
    """
    text = f"odbench:{purpose}:{dataset_id}:{seed}"
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.PCG64(int.from_bytes(digest[:16], "little"))


def shuffled(n: int, words: np.random.PCG64) -> IntArray:
    """Return the numbers 0 to n - 1 in random order.

    Parameters
    ----------
    n : int
        The length of the permutation.
    words : PCG64
        The generator; advanced by n words.

    Returns
    -------
    int64 array of shape (n,)
        A permutation.
    """
    keys = np.asarray(words.random_raw(n), dtype=np.uint64)
    return np.argsort(keys, kind="stable").astype(np.int64, copy=False)
