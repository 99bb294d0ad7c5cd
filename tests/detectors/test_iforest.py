"""The isolation forest against a slow one and against scikit-learn's."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest as Theirs

from odbench.errors import DetectorError
from odbench.plugins.find import find_detector
from odbench_detectors.iforest.detector import IForest
from odbench_detectors.iforest.kernels import grow, search_depth, total_lengths
from odbench_detectors.shared.rng import choose_rows, draw
from tests.reference import forest as slow


def score(train, test, seed=0, **params):
    forest = IForest(random_state=seed, **params)
    return forest.fit(train).decision_function(test)


def normal(rng):
    return rng.normal(size=(400, 5))


def half_constant(rng):
    rows = rng.normal(size=(300, 6))
    rows[:, ::2] = [0.0, 7.0, -1e-300]
    return rows


def coarse(rng):
    return rng.integers(0, 3, size=(500, 8)).astype(float)


def mostly_one_row(rng):
    return np.concatenate([np.ones((280, 3)), rng.normal(size=(20, 3))])


def lognormal(rng):
    return np.exp(3 * rng.normal(size=(350, 4)))


def wide(rng):
    return rng.normal(size=(60, 150)) * (rng.uniform(size=150) < 0.1)


def huge(rng):
    return rng.normal(size=(100, 3)) * [1.0, 8e36, 1e300]


def largest(rng):
    extreme = np.finfo(float).max
    return rng.choice([-extreme, extreme, 1.0, 5e-324], size=(90, 2))


def neighbours_in_float(rng):
    return np.nextafter(1.0, 2.0) * np.ones((64, 2)) - np.spacing(1.0) * rng.integers(
        0, 2, size=(64, 2)
    )


TABLES = [
    normal, half_constant, coarse, mostly_one_row, lognormal, wide, huge, largest,
    neighbours_in_float,
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("samples", [1, 2, 37, 256])
def test_scores_are_those_of_the_slow_forest(rng, table, samples):
    train = table(rng)
    test = np.concatenate([train[:40], train[:20] / 4 * 3, np.zeros_like(train[:1])])

    for seed in (0, 20260101, 2**64 - 1):
        ours = score(train, test, seed, trees=7, samples=samples)
        expected = slow.scores(train, test, 7, samples, seed)
        assert ours == pytest.approx(expected, rel=1e-14)


def test_lengths_are_those_of_the_slow_trees(rng):
    train = coarse(rng)
    nodes, roots, _ = grow(train, 5, 256, np.uint64(9))

    for number, root in enumerate(roots):
        theirs = slow.tree(train.tolist(), 256, 9, number)
        for row in train[:100]:
            at = root
            while nodes.child[at] != at:
                at = nodes.child[at] + (row[nodes.column[at]] > nodes.cut[at])
            assert nodes.length[at] == pytest.approx(slow.length(theirs, row), 1e-15)


@pytest.mark.parametrize("table", [normal, coarse])
def test_rows_that_are_equally_isolated_tie_on_every_processor(rng, table):
    train = table(rng)
    totals = total_lengths(train, grow(train, 100, 256, np.uint64(9)))
    scores = score(train, train, 9, trees=100)

    # Sums of multiples of 2**-32 are exact in any order ...
    assert (totals * 2**32 % 1 == 0).all()
    # ... and different lengths stay different if exp2 errs in its last bits.
    apart = np.diff(np.unique(scores))
    assert len(apart) == len(np.unique(totals)) - 1
    assert (apart > 16 * np.spacing(scores.max())).all()


@pytest.mark.parametrize("table", [normal, coarse, lognormal, mostly_one_row])
def test_scores_are_distributed_as_scikit_learns(rng, table):
    train = table(rng)
    test = np.concatenate([train[:50], train[50:90] * 2.5])
    seeds = range(30)
    ours = np.array([score(train, test, seed, trees=30) for seed in seeds])
    forests = [Theirs(n_estimators=30, random_state=seed) for seed in seeds]
    theirs = np.array([-forest.fit(train).score_samples(test) for forest in forests])

    # Standard errors of a mean over seeds; 90 rows are compared at once.
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / len(seeds))
    gap = ours.mean(axis=0) - theirs.mean(axis=0)
    assert (np.abs(gap) <= 5 * error + 1e-6).all()
    assert ours.std(axis=0).mean() == pytest.approx(theirs.std(axis=0).mean(), rel=0.2)
    ranks = [
        mean.argsort().argsort() for mean in (ours.mean(axis=0), theirs.mean(axis=0))
    ]
    assert np.corrcoef(*ranks)[0, 1] > 0.98


def test_a_tree_sees_no_row_twice_and_every_row_equally_often():
    stream, order = np.array([5], dtype=np.uint64), np.arange(20, dtype=np.int32)
    sample, counts = np.empty(7, dtype=np.int32), np.zeros(20)
    picked = np.empty(7, dtype=np.int64)
    for _ in range(20_000):
        choose_rows(stream, order, sample, picked)
        assert len(set(sample.tolist())) == 7
        counts[sample] += 1

    assert order.tolist() == list(range(20))
    # Each count is binomial: 7000 on average, standard deviation 67.
    assert np.abs(counts - 7000).max() < 4.5 * 67


def test_numbers_are_splitmix64s():
    # The first words from the state 1234567, as the generator's authors list them.
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    stream = np.array([1234567], dtype=np.uint64)

    assert [draw(stream) for _ in words] == [(word >> 11) / 2**53 for word in words]


def test_a_tree_does_not_depend_on_how_many_there_are(rng):
    train = normal(rng)
    few, many = (grow(train, trees, 64, np.uint64(3)) for trees in (3, 11))

    for a, b in zip(few.nodes, many.nodes, strict=True):
        assert np.array_equal(a, b[: len(a)])
    assert np.array_equal(few.heights, many.heights[:3])


def test_the_seed_decides(rng):
    train, test = normal(rng), normal(rng)
    once, again, other = (score(train, test, seed) for seed in (4, 4, 5))

    assert np.array_equal(once, again)
    assert not np.isclose(once, other, rtol=1e-9).any()
    assert not np.array_equal(score(train, test, None), score(train, test, None))


def test_a_row_scores_the_same_in_any_batch_and_layout(rng):
    train, test = normal(rng), normal(rng)
    forest = IForest(random_state=1).fit(train)
    together = forest.decision_function(test)

    alone = [forest.decision_function(test[i : i + 1])[0] for i in range(len(test))]
    assert together.tolist() == alone
    fortran = IForest(random_state=1).fit(np.asfortranarray(train))
    assert np.array_equal(fortran.decision_function(np.asfortranarray(test)), together)
    assert np.array_equal(forest.decision_function(test[::-1])[::-1], together)
    assert len(forest.decision_function(test[:0])) == 0


def test_one_row_knows_nothing(rng):
    assert score(np.zeros((1, 3)), rng.normal(size=(4, 3))).tolist() == [0.5] * 4
    assert score(normal(rng), normal(rng)[:4], samples=1).tolist() == [0.5] * 4


def test_two_rows_are_cut_between():
    # Both are isolated at depth 1, the expectation c(2).
    assert score([[0.0], [1.0]], np.array([[0.0], [1.0], [9.0]])).tolist() == [0.5] * 3


def test_a_constant_table_scores_all_rows_alike(rng):
    train = np.full((300, 4), 7.0)
    scores = score(train, rng.normal(size=(5, 4)))
    assert len(set(scores)) == 1
    # One leaf of 256 rows at depth 0 has the expected length c(256).
    assert scores[0] == pytest.approx(0.5)


def test_one_column_is_enough(rng):
    scores = score(rng.normal(size=(500, 1)), np.array([[0.0], [2.5], [6.0]]))
    assert (np.diff(scores) > 0).all()


@pytest.mark.parametrize("far", [8e36, 1e300, np.finfo(float).max, -1e300])
def test_a_huge_value_stands_out(rng, far):
    train, test = normal(rng), normal(rng)
    test[3, 2] = far
    scores = score(train, test)
    assert np.isfinite(scores).all()

    # Beyond all training rows, distance no longer matters.
    test[3, 2] = np.copysign(100.0, far)
    assert np.array_equal(score(train, test), scores)


def test_a_huge_training_value_is_cut_off_at_once(rng):
    train = normal(rng)
    train[0, 0], train[1, 0] = 1e308, -1e308
    scores = score(train, train, samples=400)
    assert set(scores.argsort()[-2:]) == {0, 1}


def test_more_samples_than_rows_are_all_rows(rng):
    train, test = normal(rng)[:90], normal(rng)
    assert np.array_equal(
        score(train, test, samples=5000), score(train, test, samples=90)
    )


def test_search_depth_is_the_estimate_of_the_harmonic_number():
    assert [search_depth(n) for n in (0, 1, 2)] == [0, 0, 1]
    assert search_depth(256) == pytest.approx(10.244770920116851)


@pytest.mark.parametrize("params", [{"trees": 0}, {"samples": 0}])
def test_impossible_parameters_are_named(rng, params):
    with pytest.raises(DetectorError, match=r"wants .*; got trees=.*, samples="):
        score(normal(rng), normal(rng), **params)


def test_it_is_registered_with_its_grid():
    info = find_detector("iforest").info

    assert info.params == {"trees": 100, "samples": 256}
    assert not info.deterministic
    assert len(list(info.configurations())) == 6
