"""The rows that a reason compares with do not depend on ties or on their order."""

from __future__ import annotations

import numpy as np

from odbench.tables.reasons import _Similar


def test_similar_rows_are_those_that_no_fifth_row_is_nearer_than() -> None:
    rng = np.random.default_rng(3)
    others = rng.integers(0, 3, (60, 3)).astype(float)
    row = np.array([0.0, 9.0, 1.0])
    for aside in ([0], [1], [1, 2]):
        kept = [j for j in range(3) if j not in aside]
        far = [
            sum(min(abs(other[j] - row[j]), 3.0) ** 2 for j in kept) for other in others
        ]
        nearer = [sum(f < own for f in far) for own in far]
        wanted = [i for i, n in enumerate(nearer) if n < 5]
        assert len(wanted) > 5
        near = _Similar(others, row)
        assert near.places(np.array(aside), 5).tolist() == wanted


def test_all_rows_are_similar_where_there_are_few() -> None:
    near = _Similar(np.eye(4), np.zeros(4))
    assert near.places(np.array([0]), 50).tolist() == [0, 1, 2, 3]
