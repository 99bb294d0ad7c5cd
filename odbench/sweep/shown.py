"""The rows of a data set as a detector sees them: chosen by the seed, shuffled."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.scoring.settings import Protocol

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.data.distinct import DistinctRows
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
    severity : int8 array of shape (record.n_test,) or None
        Levels of anomalies; None where they have none.

    Attributes
    ----------
    rows : int64 array
        The scored rows, ascending: of the test table or, in the unsupervised setting,
        of the training table followed by the test table.
    is_subset : bool
        True where not all rows of the data set are used.
    distinct : DistinctRows or None
        The distinct rows among the scored ones, known after `tables`; None where
        labels are not public.
    """

    def __init__(
        self,
        record: DatasetRecord,
        protocol: Protocol,
        labels: LabelArray | None,
        *,
        severity: LabelArray | None = None,
    ) -> None:
        self._record = record
        self._protocol = protocol
        self._labels = labels
        self._severity = severity
        if protocol.is_one_table and labels is not None:
            inliers = np.zeros(record.n_train, dtype=labels.dtype)
            self._labels = np.concatenate([inliers, labels])
            if severity is not None:
                self._severity = np.concatenate([inliers, severity])
        self._seed: int | None = None
        self._train: IntArray = np.empty(0, dtype=np.int64)
        self.rows = self._moved = self._test = self._order = self._train
        self.is_subset = False
        self.distinct: DistinctRows | None = None

    def select(self, seed: int) -> bool:
        """Select the rows of a seed; return whether they differ from those before."""
        from odbench.data.protocol import choose_rows

        if self._seed is not None and (not self.is_subset or self._seed == seed):
            return False
        record, one_table = self._record, self._protocol.is_one_table
        labels = self._labels
        if one_table and labels is not None:
            labels = labels[record.n_train :]
        chosen = choose_rows(
            record.n_train,
            labels,
            record.n_test,
            dataset_id=record.id,
            seed=seed,
            contamination=self._protocol.contamination,
        )
        self._seed = seed
        self.is_subset = not chosen.is_everything(record.n_train, record.n_test)
        self._train, self._test, self._moved = chosen.train, chosen.test, chosen.moved
        self.rows = chosen.test
        if one_table:
            self.rows = np.concatenate([chosen.train, record.n_train + chosen.test])
        self._order = self._rng().permutation(len(self.rows))
        return True

    @property
    def n_train(self) -> int:
        """Number of rows that a detector is fitted on."""
        if self._protocol.is_one_table:
            return len(self.rows)
        return len(self._train) + len(self._moved)

    @property
    def contamination(self) -> float | None:
        """The share of anomalies among training rows; None in other settings."""
        if self._protocol.contamination is None:
            return None
        return len(self._moved) / self.n_train

    @property
    def labels(self) -> LabelArray | None:
        """Labels of the scored rows, in the order of the data set."""
        return None if self._labels is None else self._labels[self.rows]

    @property
    def severity(self) -> LabelArray | None:
        """Levels of severity of the scored rows, in the order of the data set."""
        return None if self._severity is None else self._severity[self.rows]

    def tables(self, stored: StoredDataset) -> tuple[FloatArray, FloatArray | None]:
        """Return train and test, scaled and shuffled, as a detector sees them.

        In the unsupervised setting there is one table, and no test.
        """
        from odbench.data.protocol import standardise

        train, test, _ = stored.features()
        self.distinct = self._distinct_rows(train, test)
        kept = train if len(self._train) == len(train) else train[self._train]
        if self._protocol.is_one_table:
            kept = np.vstack([kept, test[self._test]])[self._order]
            return standardise(kept, kept[:0])[0], None
        if len(self._moved):
            kept = np.vstack([kept, test[self._moved]])
            kept = kept[self._rng().permutation(len(kept))]
        return standardise(kept, test[self.rows[self._order]])

    def _distinct_rows(
        self, train: FloatArray, test: FloatArray
    ) -> DistinctRows | None:
        from odbench.data.distinct import distinct_rows

        if self.labels is None:
            return None
        table = np.vstack([train, test]) if self._protocol.is_one_table else test
        scored = table if len(self.rows) == len(table) else table[self.rows]
        return distinct_rows(scored, self.labels)

    def restore_order(self, scores: FloatArray) -> FloatArray:
        """Return scores in the order of the data set instead of the shown one."""
        restored = np.empty_like(scores)
        restored[self._order] = scores
        return restored

    def _rng(self) -> np.random.Generator:
        labels = b"" if self._labels is None else self._labels.tobytes()
        digest = hashlib.sha256(b"shown-2" + labels).digest()
        return np.random.default_rng(int.from_bytes(digest, "little"))
