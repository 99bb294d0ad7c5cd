"""A leaderboard has the mean C-index where anomalies have levels of severity."""

import pytest

from odbench.leaderboard.tables import build_leaderboard
from tests.reference.trials import frame, trial


def graded(dataset, detector, auroc, c_index):
    return trial(dataset, detector, auroc) | {"c_index": c_index}


def test_the_mean_is_over_sets_with_levels_and_a_failure_counts_zero():
    rows = [
        graded("a", "knn", 0.9, 0.8),
        graded("b", "knn", 0.9, 0.6),
        graded("c", "knn", 0.9, None),
        graded("a", "lof", 0.7, 0.5),
        graded("b", "lof", None, None),
        graded("c", "lof", 0.7, None),
    ]

    table = build_leaderboard(frame(rows)).set_index("detector")

    assert table.loc["knn", "mean_c_index"] == pytest.approx(0.7)
    assert table.loc["lof", "mean_c_index"] == pytest.approx(0.25)


def test_it_is_empty_without_levels():
    table = build_leaderboard(frame([trial("a", "knn", 0.9), trial("a", "lof", 0.7)]))

    assert table["mean_c_index"].isna().all()
