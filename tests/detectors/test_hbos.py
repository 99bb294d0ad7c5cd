"""HBOS scores what its definition says, and what PyOD scores."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from odbench.errors import DetectorError, UsageError
from odbench_detectors.histogram import HBOS
from tests.reference import ecod as slow


def table(rng, n_rows, spread):
    return np.column_stack(
        (
            spread * rng.standard_normal(n_rows),
            spread * rng.integers(0, 5, n_rows),
            np.exp(spread * rng.standard_normal(n_rows)),
            np.full(n_rows, spread),
        )
    )


def test_equals_counting(rng):
    train, rows = table(rng, 150, 1.0), table(rng, 80, 1.7)

    scores = HBOS().fit(train).decision_function(rows)

    assert_allclose(scores, slow.hbos(train.tolist(), rows.tolist()), rtol=1e-10)


@pytest.mark.parametrize("n_bins", [3, 10, 37])
def test_equals_pyod(rng, n_bins):
    pyod = pytest.importorskip("pyod.models.hbos")
    train, rows = table(rng, 500, 1.0), table(rng, 300, 1.7)
    rows[:100] = train[:100]

    ours = HBOS(n_bins=n_bins).fit(train).decision_function(rows)

    theirs = pyod.HBOS(n_bins=n_bins).fit(train).decision_function(rows)
    assert_allclose(ours, theirs, rtol=1e-12)


def test_says_what_is_wrong():
    with pytest.raises(UsageError, match=r"n_bins.*2 or more, got 1"):
        HBOS(n_bins=1).fit(np.ones((3, 1)))
    with pytest.raises(DetectorError, match="call fit first"):
        HBOS().decision_function(np.ones((3, 1)))
