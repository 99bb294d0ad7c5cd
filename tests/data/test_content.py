"""The content hash."""

import numpy as np
import pytest

from odbench.data.content import content_sha256
from tests.reference import data as reference


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_digest_is_the_definition_byte_for_byte(rng, labelled, order):
    train = np.asarray(rng.normal(size=(57, 5)), order=order)
    test = np.asarray(rng.normal(size=(31, 5)), order=order)
    labels = rng.integers(0, 2, 31).astype(np.int8) if labelled else None
    expected = reference.content_sha256(train, test, labels)
    assert content_sha256(train, test, labels) == expected


def test_blocks_do_not_show(rng, monkeypatch):
    train, test = rng.normal(size=(50, 3)), rng.normal(size=(20, 3))
    whole = content_sha256(train, test, None)
    monkeypatch.setattr("odbench.data.content._BLOCK_BYTES", 100)
    assert content_sha256(train, test, None) == whole


def test_everything_that_matters_changes_the_digest(rng):
    train, test = rng.normal(size=(6, 2)), rng.normal(size=(4, 2))
    labels = np.array([0, 0, 1, 1], dtype=np.int8)
    other_value = test.copy()
    other_value[0, 0] = np.nextafter(other_value[0, 0], 9)
    negative_zero = np.zeros_like(test)
    variants = [
        content_sha256(train, test, labels),
        content_sha256(train, test, None),
        content_sha256(train, test, labels[::-1]),
        content_sha256(train, other_value, labels),
        content_sha256(test, train, None),
        content_sha256(train.reshape(3, 4), test.reshape(2, 4), labels),
        content_sha256(train, negative_zero, labels),
        content_sha256(train, -negative_zero, labels),
    ]
    assert len(set(variants)) == len(variants)
