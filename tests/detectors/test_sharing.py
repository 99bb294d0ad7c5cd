"""Detectors that share neighbours score as they do alone, to the last bit."""

import numpy as np
import pytest

from odbench.plugins.find import find_detector, grid_of

FAMILY = ("knn", "lof", "dte_np")


class Shelf:
    """A workspace that remembers, and counts what was made."""

    def __init__(self, sizes):
        self.sizes, self.kept, self.made = sizes, {}, []

    def obtain(self, kind, rows, make, *, sample=None):
        key = kind, tuple(map(id, rows))
        if key not in self.kept:
            self.made.append((kind, len(rows), self.sizes.get(kind, 0)))
            self.kept[key] = make(self.sizes.get(kind, 0))
        return self.kept[key]


def zoo():
    return [c for name in FAMILY for c in grid_of(find_detector(name))]


@pytest.mark.parametrize("kind", ["smooth", "tied", "few"])
def test_the_whole_grid_from_one_graph(rng, kind):
    train, test = rng.normal(size=(400, 5)), rng.normal(size=(150, 5))
    if kind == "tied":
        train, test = np.round(train), np.round(test)
    if kind == "few":
        train = train[:9]
    detectors = [configuration.build() for configuration in zoo()]
    needs = {}
    for detector in detectors:
        for name, size in detector.shared_needs().items():
            needs[name] = max(size, needs.get(name, 0))
    shelf = Shelf(needs)

    for configuration, detector in zip(zoo(), detectors, strict=True):
        detector.use_workspace(shelf)
        shared = detector.fit(train).decision_function(test)
        detector.use_workspace(None)
        alone = configuration.build().fit(train).decision_function(test)
        assert np.array_equal(shared, alone), configuration.label

    graphs = [made for made in shelf.made if made[0] == "odbench.neighbours"]
    assert graphs == [("odbench.neighbours", 2, 100), ("odbench.neighbours", 1, 100)]


def test_the_zoo_declares_what_it_shares():
    for configuration in zoo():
        needs = configuration.build().shared_needs()
        assert set(needs) == set(configuration.info.shares)
