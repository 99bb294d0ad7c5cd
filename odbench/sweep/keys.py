"""The keys of very many trials in little memory: 16 bytes each."""

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
    """A growing set of keys: one sorted array."""

    def __init__(self) -> None:
        self._sorted: KeyArray = np.empty(0, dtype=_DTYPE)

    def add(self, keys: Iterable[str]) -> BoolArray:
        """Enter keys.

        Parameters
        ----------
        keys : iterable of str
            32 hex digits each; anything else is known by its hash.

        Returns
        -------
        bool array of shape (n_keys,)
            Which of them are new; of two alike, the first.
        """
        given = key_array(map(_bytes_of, keys))
        is_new = ~self.contains(given)
        if is_new.any():
            fresh, first = np.unique(given[is_new], return_index=True)
            places = np.searchsorted(self._sorted, fresh)
            self._sorted = np.insert(self._sorted, places, fresh)
            among_new = np.zeros(np.count_nonzero(is_new), dtype=np.bool_)
            among_new[first] = True
            is_new[is_new] = among_new
        return is_new

    def contains(self, keys: KeyArray) -> BoolArray:
        """Say of each key whether it is here.

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
        places = np.searchsorted(self._sorted, keys)
        places[places == len(self._sorted)] = 0
        return np.asarray(self._sorted[places] == keys, dtype=np.bool_)

    def __contains__(self, key: str) -> bool:
        return bool(self.contains(key_array([_bytes_of(key)]))[0])

    def __len__(self) -> int:
        return len(self._sorted)


def key_array(digests: Iterable[bytes]) -> KeyArray:
    """Return keys of 16 bytes each as one array."""
    return np.frombuffer(b"".join(digests), dtype=_DTYPE)


def _bytes_of(key: str) -> bytes:
    try:
        raw = bytes.fromhex(key)
    except ValueError:
        raw = b""
    if len(raw) == WIDTH:
        return raw
    return hashlib.blake2b(key.encode(), digest_size=WIDTH).digest()
