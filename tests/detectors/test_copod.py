"""COPOD scores as defined."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from odbench_detectors.copod.detector import COPOD
from tests.reference import ecod as slow


def test_equals_counting(rng):
    train = np.hstack((rng.standard_normal((90, 3)), rng.integers(0, 3, (90, 2))))
    rows = np.hstack((rng.standard_normal((50, 3)), rng.integers(-1, 4, (50, 2))))

    scores = COPOD().fit(train).decision_function(rows)

    assert_allclose(scores, slow.copod(train.tolist(), rows.tolist()), rtol=1e-12)


def test_batch_reference_equals_pyod(rng):
    pyod = pytest.importorskip("pyod.models.copod")
    train, rows = rng.standard_normal((200, 4)), 2 * rng.standard_normal((100, 4))

    ours = COPOD(reference="batch").fit(train).decision_function(rows)

    theirs = pyod.COPOD().fit(train).decision_function(rows)
    assert_allclose(ours, theirs, rtol=1e-12)
