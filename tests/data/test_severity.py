"""Levels of severity are a column of the labels file, and nowhere else."""

import dataclasses

import numpy as np
import pytest

from odbench.data.content import content_sha256
from odbench.data.dataset import DatasetRecord, RawDataset
from odbench.data.store import Store
from odbench.errors import HashMismatchError


def stored(tmp_path, severity):
    rng = np.random.default_rng(0)
    raw = RawDataset(
        train=rng.normal(size=(6, 2)),
        test=rng.normal(size=(5, 2)),
        labels=np.array([0, 1, 0, 1, 1], dtype=np.int8),
        columns=("a", "b"),
        severity=severity,
    )
    record = DatasetRecord(
        name="one", suite="mine", n_train=6, n_test=5, n_columns=2, n_anomalies=3
    )
    return raw, Store(tmp_path).put(record, raw)


LEVELS = np.array([0, 2, 0, 1, 4], dtype=np.int8)


def test_levels_are_stored_with_the_labels_and_read_back(tmp_path):
    import pyarrow as pa

    raw, found = stored(tmp_path, LEVELS)

    assert found.severity().tolist() == LEVELS.tolist()
    assert found.labels().tolist() == raw.labels.tolist()
    found.check()
    with pa.memory_map(str(found.labels_path)) as source:
        assert pa.ipc.open_file(source).schema.names == ["label", "severity"]
    assert b"severity" not in found.features_path.read_bytes()


def test_data_without_levels_have_none_and_their_hash_as_before(tmp_path):
    raw, found = stored(tmp_path, None)

    assert found.severity() is None
    plain = content_sha256(raw.train, raw.test, raw.labels)
    assert found.record.content_sha256 == plain
    assert content_sha256(raw.train, raw.test, raw.labels, LEVELS) != plain


def test_another_level_is_another_content(tmp_path):
    raw, found = stored(tmp_path, LEVELS)
    other = dataclasses.replace(raw, severity=LEVELS[::-1].copy())

    with pytest.raises(HashMismatchError):
        Store(tmp_path / "again").put(found.record, other)
