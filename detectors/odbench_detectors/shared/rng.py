"""Random numbers of trees, compiled: SplitMix64, one stream per tree.

Integer arithmetic gives the same numbers on every platform, and no tree depends on
another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import IntArray
from odbench_detectors.shared.kernels import helper, kernel

Int32Array = NDArray[np.int32]
WordArray = NDArray[np.uint64]

STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mixed(state: WordArray) -> WordArray:
    """Return SplitMix64's outputs of an array of states; not compiled."""
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


@helper()
def scrambled(word: np.uint64) -> np.uint64:
    """Return SplitMix64's output of a state."""
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    return word ^ (word >> np.uint64(31))


@helper()
def first_state(seed: np.uint64, tree: int) -> np.uint64:
    """Return where the stream of a tree starts."""
    return scrambled(seed + np.uint64(tree + 1) * STEP)


@kernel()
def draw(stream: WordArray) -> float:
    """Return the next number of a stream: in [0, 1), a multiple of 2**-53."""
    stream[0] += STEP
    return float(scrambled(stream[0]) >> np.uint64(11)) * 2.0**-53


@kernel()
def choose_rows(
    stream: WordArray, order: Int32Array, sample: Int32Array, picked: IntArray
) -> None:
    """Draw rows without replacement.

    Parameters
    ----------
    stream : uint64 array of shape (1,)
        Random numbers.
    order : int32 array of shape (n,)
        All rows, ascending; restored on return.
    sample : int32 array of shape (samples,)
        Filled; samples <= n.
    picked : int64 array of shape (samples,)
        Work array.
    """
    n, samples = len(order), len(sample)
    for i in range(samples):
        j = i + int(draw(stream) * (n - i))
        picked[i] = j
        order[i], order[j] = order[j], order[i]
    for i in range(samples):
        sample[i] = order[i]
    # Undo the swaps, so that the next tree does not depend on this one.
    for i in range(samples - 1, -1, -1):
        j = picked[i]
        order[i], order[j] = order[j], order[i]
