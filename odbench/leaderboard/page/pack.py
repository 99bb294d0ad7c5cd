"""Packing numbers as short text: integers of 8 or 16 bits in base64.

A packed column is a dict of ``b64``, ``bits``, ``kind`` and the scale that turns its
codes back into values. The largest code means a missing value.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from odbench.arrays import BoolArray

Packed = dict[str, Any]

# Steps of 0.00002, so that four decimals are correct after rounding.
UNIT_SCALE = 50_000
# Logarithmic steps of 0.23 %, from a nanosecond to 10^55 seconds.
LOG_SCALE, LOG_SHIFT = 1_000, 9


def pack_unit(values: ArrayLike) -> Packed:
    """Pack values in [0, 1], each within 0.00001.

    Parameters
    ----------
    values : float64 array
        NaN where missing; flattened in C order.

    Returns
    -------
    dict
        A packed column of 16 bits.
    """
    return _packed(np.asarray(values, dtype=np.float64) * UNIT_SCALE, 16, UNIT_SCALE)


def pack_halves(values: ArrayLike) -> Packed:
    """Pack ranks, which are whole or half numbers, without loss.

    Parameters
    ----------
    values : float64 array
        From 0 to 32,767; NaN where missing; flattened in C order.

    Returns
    -------
    dict
        A packed column of 8 bits if they suffice, otherwise of 16.
    """
    halves = np.asarray(values, dtype=np.float64) * 2
    bits = 8 if not (halves > 254).any() else 16
    return _packed(halves, bits, 2)


def pack_seconds(values: ArrayLike) -> Packed:
    """Pack times by their logarithm, each within 0.12 per cent.

    Parameters
    ----------
    values : float64 array
        Seconds; below a nanosecond counts as a nanosecond; NaN where missing;
        flattened in C order.

    Returns
    -------
    dict
        A packed column of 16 bits.
    """
    seconds = np.maximum(np.asarray(values, dtype=np.float64), 10.0**-LOG_SHIFT)
    codes = (np.log10(seconds) + LOG_SHIFT) * LOG_SCALE
    return {**_packed(codes, 16, LOG_SCALE), "kind": "log", "shift": LOG_SHIFT}


def pack_members(rows: BoolArray) -> str:
    """Pack a mask as base64, one bit per row, lowest bit first.

    Parameters
    ----------
    rows : bool array of shape (n,)
        Whether each row belongs to the set.

    Returns
    -------
    str
    """
    return _base64(np.packbits(np.asarray(rows, dtype=bool), bitorder="little"))


def pack_words(values: Sequence[object]) -> dict[str, list[Any]]:
    """Pack repeated words: a list of distinct words, and the number of each entry.

    Parameters
    ----------
    values : sequence
        Strings; anything else counts as missing.

    Returns
    -------
    dict
        ``words``, sorted, and ``codes``, -1 for a missing word.
    """
    words = sorted({value for value in values if isinstance(value, str) and value})
    number = {word: k for k, word in enumerate(words)}
    codes = [number.get(v, -1) if isinstance(v, str) else -1 for v in values]
    return {"words": words, "codes": codes}


def _packed(codes: np.ndarray, bits: int, scale: int) -> Packed:
    largest = 2**bits - 1
    flat = np.ravel(codes)
    known = np.isfinite(flat)
    whole = np.full(flat.shape, largest, dtype=np.int64)
    whole[known] = np.clip(np.rint(flat[known]), 0, largest - 1).astype(np.int64)
    dtype = "<u1" if bits == 8 else "<u2"
    return {
        "b64": _base64(whole.astype(dtype)),
        "bits": bits,
        "kind": "linear",
        "scale": scale,
    }


def _base64(codes: np.ndarray) -> str:
    return base64.b64encode(codes.tobytes()).decode("ascii")
