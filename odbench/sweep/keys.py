"""A set of trial keys that takes 16 bytes per key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import BoolArray

KeyArray: TypeAlias = NDArray[np.bytes_]
WIDTH = 16
_DTYPE = np.dtype(f"S{WIDTH}")


class Keys:
    """A growing set of keys, kept as one sorted array."""

    def __init__(self) -> None:
        self._sorted: KeyArray = np.empty(0, dtype=_DTYPE)

    def add(self, keys: Iterable[str]) -> BoolArray:
        """Add keys.

        Parameters
        ----------
        keys : iterable of str
            32 hex digits each; any other text is stored as its hash.

        Returns
        -------
        bool array of shape (n_keys,)
            True where a key is new; of equal ones, only the first is.
        """
        given = key_array(map(_bytes_of, keys))
        is_new = ~self.contains(given)
        if is_new.any():
            fresh, first = np.unique(given[is_new], return_index=True)
            positions = np.searchsorted(self._sorted, fresh)
            self._sorted = np.insert(self._sorted, positions, fresh)
            among_new = np.zeros(np.count_nonzero(is_new), dtype=np.bool_)
            among_new[first] = True
            is_new[is_new] = among_new
        return is_new

    def contains(self, keys: KeyArray) -> BoolArray:
        """Say for each key whether it is in the set.

        Parameters
        ----------
        keys : array of shape (n_keys,)
            From `key_array`.

        Returns
        -------
        bool array of shape (n_keys,)
        """
        if not len(self._sorted):
            return np.zeros(len(keys), dtype=np.bool_)
        positions = np.searchsorted(self._sorted, keys)
        positions[positions == len(self._sorted)] = 0
        return np.asarray(self._sorted[positions] == keys, dtype=np.bool_)

    def without(self, others: Keys) -> Keys:
        """Return the keys that are not among others."""
        left = Keys()
        left._sorted = self._sorted[~others.contains(self._sorted)]
        return left

    def __contains__(self, key: str) -> bool:
        return bool(self.contains(key_array([_bytes_of(key)]))[0])

    def __len__(self) -> int:
        return len(self._sorted)


def key_array(digests: Iterable[bytes]) -> KeyArray:
    """Return keys of 16 bytes each as one array."""
    return np.frombuffer(b"".join(digests), dtype=_DTYPE)


def key_texts(keys: KeyArray) -> list[str]:
    """Return keys as texts of 32 hex digits."""
    # NumPy drops the zero bytes at the end of each key.
    return [key.ljust(WIDTH, b"\0").hex() for key in keys.tolist()]


def _bytes_of(key: str) -> bytes:
    try:
        raw = bytes.fromhex(key)
    except ValueError:
        raw = b""
    if len(raw) == WIDTH:
        return raw
    return hashlib.blake2b(key.encode(), digest_size=WIDTH).digest()
