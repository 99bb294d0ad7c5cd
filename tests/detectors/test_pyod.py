"""PyOD's detectors by name, with those that need the table's shape or take no seed."""

from __future__ import annotations

import numpy as np
import pytest

from odbench.plugins.find import find_detector
from odbench_detectors.pyod.detector import BuiltAtFit
from odbench_detectors.pyod.info import PYOD

pytest.importorskip("pyod")


class _Wide:
    """Shaped like PyOD's DeepSVDD: it asks for the number of columns."""

    def __init__(self, n_features, random_state=None):
        self.n_features, self.random_state = n_features, random_state

    def fit(self, X):
        assert X.shape[1] == self.n_features
        self.centre = X.mean(axis=0)

    def decision_function(self, X):
        return np.abs(X - self.centre).sum(axis=1)


def test_a_detector_that_asks_for_the_columns_is_told_them(rng):
    X = rng.normal(size=(30, 4))
    built = BuiltAtFit(_Wide, {"random_state": 3}).fit(X)
    expected = np.abs(X - X.mean(axis=0)).sum(axis=1)
    np.testing.assert_array_equal(built.decision_function(X), expected)


@pytest.mark.parametrize("member", ["SO_GAAL", "AnoGAN", "ALAD", "AE1SVM", "MO_GAAL"])
def test_detectors_of_the_global_generators_run_with_several_seeds(member):
    assert not PYOD.info(member).deterministic


@pytest.mark.parametrize("member", ["KNN", "ECOD", "HBOS"])
def test_detectors_without_a_generator_run_once(member):
    assert PYOD.info(member).deterministic


@pytest.mark.parametrize(
    ("member", "extra"), [("DeepSVDD", "deep"), ("KNN", "pyod"), ("SUOD", "")]
)
def test_the_extra_that_is_named_brings_what_is_needed(member, extra):
    assert PYOD.info(member).extra == extra


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec", ["pyod.DeepSVDD:epochs=2", "pyod.SO_GAAL:stop_epochs=2"]
)
def test_deep_detectors_repeat_themselves_under_one_seed(spec, rng):
    pytest.importorskip("torch")
    X = rng.normal(size=(200, 3))
    configuration = find_detector(spec)
    first, again, other = (
        configuration.build(seed).fit(X).decision_function(X) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
