"""An explanation sums to the score and ranks the responsible column first."""

import builtins
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from odbench.errors import DetectorError, MissingExtraError
from odbench_detectors.copod.detector import COPOD
from odbench_detectors.ecod.detector import ECOD

MAKERS = [
    ECOD,
    lambda: ECOD("columns"),
    lambda: ECOD("columns", "batch"),
    lambda: ECOD(quantiles=32),
    COPOD,
]


# With two columns, the larger surprise is often too coarse for the difference.
@pytest.mark.parametrize("n_columns", [1, 2, 3, 9])
@pytest.mark.parametrize("make", MAKERS)
def test_surprises_add_up_to_the_score_exactly(rng, make, n_columns):
    train = rng.standard_normal((400, n_columns))
    train[:, n_columns // 2] = rng.integers(0, 3, 400)
    rows = 1.5 * rng.standard_normal((300, n_columns))
    detector = make().fit(train)

    explanation = detector.explain(rows)

    assert_allclose(explanation.scores, detector.decision_function(rows), rtol=0)
    assert [math.fsum(terms) for terms in explanation.surprise] == list(
        explanation.scores
    )
    assert (explanation.surprise >= -1e-12).all()


def test_table_ranks_columns_and_names_tails(rng):
    train = rng.standard_normal((500, 3))
    row = np.array([[0.0, -9.0, 0.1]])

    table = ECOD("columns").fit(train).explain(row, ["age", "debt", "income"]).table()

    assert table["column"][0] == "debt"
    assert table["tail"][0] == "low"
    assert_allclose(table["surprise"][0], math.log(501))
    assert table["surprise"].is_monotonic_decreasing
    assert_allclose(table["share"].sum(), 1)


def test_plot_shows_values_and_tails(rng):
    pytest.importorskip("matplotlib")
    row = np.array([[0.0, -9.0, 0.1]])
    explanation = ECOD("columns").fit(rng.standard_normal((500, 3))).explain(row)

    axes = explanation.plot(limit=2).axes[0]

    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "x1 = -9 (low)"
    assert "nats; 1 more columns not shown" in axes.get_title()


def test_plot_says_that_matplotlib_is_missing(rng, monkeypatch):
    explanation = ECOD().fit(rng.standard_normal((50, 2))).explain(np.zeros((1, 2)))
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"odbench\[plot\]"):
        explanation.plot()


def test_wrong_number_of_names_is_refused(rng):
    train = rng.standard_normal((50, 3))
    with pytest.raises(DetectorError, match="expected 3 column names, got 2"):
        ECOD().fit(train).explain(train[:1], ["a", "b"])
