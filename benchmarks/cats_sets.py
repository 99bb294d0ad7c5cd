"""Load the development sets of CATS, for the other scripts about CATS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from odbench.data.catalog import load_dataset, select
from odbench.data.protocol import choose_rows, standardise

SUITES = ("ovrbench", "adbench", "synbench")
# Only every eighth of SynBench's 800 sets is used.
_EVERY = {"synbench": 8}


@dataclass(frozen=True)
class Development:
    """One data set by the one-class protocol, with at most `limit` rows."""

    name: str
    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray


def development(suite: str, mirror: str | None, limit: int) -> Iterator[Development]:
    """Yield the public sets of a suite, standardised; OddBench is refused."""
    if suite not in SUITES:
        msg = f"{suite!r} is not a development suite of CATS; use {', '.join(SUITES)}"
        raise SystemExit(msg)
    for record in list(select(suite, mirror=mirror))[:: _EVERY.get(suite, 1)]:
        data = load_dataset(record.id, mirror=mirror)
        rows = choose_rows(
            len(data.X_train),
            data.y_test,
            len(data.X_test),
            dataset_id=record.id,
            limit=limit,
        )
        X_train, X_test = data.X_train[rows.train], data.X_test[rows.test]
        train, test = standardise(X_train, X_test)
        yield Development(record.id, train, test, data.y_test[rows.test])
