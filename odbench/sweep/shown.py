"""The rows of a data set as a detector sees them: chosen by the seed, shuffled."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.sweep.trials import Protocol

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.data.store import StoredDataset


class ShownRows:
    """The rows of one data set that a seed's trials use, in the order they are shown.

    Files hold inliers first. The order in which a detector sees rows must say nothing,
    so rows are shuffled and scores are put back. The shuffle is drawn from the labels:
    it is the same on every machine, and cannot be undone without the labels.

    Parameters
    ----------
    record : DatasetRecord
        The data set.
    protocol : Protocol
        How its rows are chosen.
    labels : int8 array of shape (record.n_test,) or None
        1 = anomaly; None where labels are not public.

    Attributes
    ----------
    test : int64 array
        The scored rows of the test table, ascending.
    is_subset : bool
        True where not all rows of the data set are used.
    """

    def __init__(
        self, record: DatasetRecord, protocol: Protocol, labels: LabelArray | None
    ) -> None:
        self._record = record
        self._protocol = protocol
        self._labels = labels
        self._seed: int | None = None
        self._train: IntArray = np.empty(0, dtype=np.int64)
        self.test = self._moved = self._order = self._train
        self.is_subset = False

    def select(self, seed: int) -> bool:
        """Select the rows of a seed; return whether they differ from those before."""
        from odbench.data.protocol import choose_rows

        if self._seed is not None and (not self.is_subset or self._seed == seed):
            return False
        record = self._record
        rows = choose_rows(
            record.n_train,
            self._labels,
            record.n_test,
            dataset_id=record.id,
            seed=seed,
            contamination=self._protocol.contamination,
        )
        self._seed = seed
        self.is_subset = not rows.is_everything(record.n_train, record.n_test)
        self._train, self.test, self._moved = rows.train, rows.test, rows.moved
        self._order = self._rng().permutation(len(rows.test))
        return True

    @property
    def n_train(self) -> int:
        """Number of training rows, moved ones included."""
        return len(self._train) + len(self._moved)

    @property
    def labels(self) -> LabelArray | None:
        """Labels of the scored rows, in the order of the data set."""
        return None if self._labels is None else self._labels[self.test]

    def tables(self, stored: StoredDataset) -> tuple[FloatArray, FloatArray]:
        """Return train and test, scaled and shuffled, as a detector sees them."""
        from odbench.data.protocol import standardise

        train, test, _ = stored.features()
        kept = train if len(self._train) == len(train) else train[self._train]
        if len(self._moved):
            kept = np.vstack([kept, test[self._moved]])
            kept = kept[self._rng().permutation(len(kept))]
        return standardise(kept, test[self.test[self._order]])

    def restore_order(self, scores: FloatArray) -> FloatArray:
        """Return scores in the order of the data set instead of the shown one."""
        restored = np.empty_like(scores)
        restored[self._order] = scores
        return restored

    def _rng(self) -> np.random.Generator:
        labels = b"" if self._labels is None else self._labels.tobytes()
        digest = hashlib.sha256(b"shown-2" + labels).digest()
        return np.random.default_rng(int.from_bytes(digest, "little"))
