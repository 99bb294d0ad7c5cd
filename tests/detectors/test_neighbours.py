"""Neighbours are exact, ties are unique, and fewer are the first of more."""

import numpy as np
import pytest

from odbench_detectors.shared.neighbours import (
    blocks,
    graph,
    kd_build,
    kd_tree,
    product_kernels,
    products,
)
from odbench_detectors.shared.neighbours.graph import NeighbourIndex, neighbour_graph
from tests.reference.neighbours import neighbours

METRICS = ("euclidean", "manhattan")
# Numbers of columns from which every table, or none, is searched by products.
ALWAYS, NEVER = 1, 10_000


def search_by_products_from(columns, monkeypatch):
    """Search tables of so many columns by products, and others by the tree."""
    monkeypatch.setattr(graph, "_SOME_COLUMNS", columns)
    monkeypatch.setattr(graph, "_MANY_COLUMNS", columns)


def check_against_all(index, train, queries, k):
    """Compare the k nearest, to the last bit, with what measuring all rows gives."""
    squared = [((query - train) ** 2).cumsum(axis=1)[:, -1] for query in queries]
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    nearest = np.sqrt(np.take_along_axis(np.array(squared), order, axis=1))
    found = index.search(queries, k)
    assert np.array_equal(found.rows, order)
    assert np.array_equal(found.distances, nearest)


def tables(rng):
    """Yield train and query tables: smooth, tied, duplicated, wide, tiny."""
    yield rng.normal(size=(150, 3)), rng.normal(size=(40, 3))
    yield np.round(rng.normal(size=(200, 2))), np.round(rng.normal(size=(40, 2)))
    grid = np.round(rng.normal(size=(120, 5)) * 2)
    yield grid[rng.integers(0, 20, 120)], grid[:40]
    yield rng.normal(size=(90, 40)), rng.normal(size=(30, 40))
    yield np.ones((50, 4)), np.concatenate([np.ones((3, 4)), rng.normal(size=(3, 4))])
    yield rng.normal(size=(1, 3)), rng.normal(size=(5, 3))
    yield rng.normal(size=(70, 1)), rng.normal(size=(20, 1))
    far = rng.normal(size=(60, 6))
    far[7] = 1e30
    yield far, np.concatenate([far[5:9], rng.normal(size=(9, 6)) * 1e25])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 7, 500])
def test_equal_to_measuring_everything(rng, metric, k):
    for train, queries in tables(rng):
        found = neighbour_graph(train, queries, k, metric=metric)
        distances, rows = neighbours(train, queries, k, manhattan=metric == "manhattan")

        assert found.rows.tolist() == rows
        assert found.distances.tolist() == distances


@pytest.mark.parametrize("metric", METRICS)
def test_a_row_is_no_neighbour_of_itself(rng, metric):
    for train, _ in tables(rng):
        if len(train) == 1:
            continue
        found = neighbour_graph(train, None, 9, metric=metric)
        distances, rows = neighbours(
            train, train, 9, manhattan=metric == "manhattan", leave_out_self=True
        )

        assert found.rows.tolist() == rows
        assert found.distances.tolist() == distances


def test_products_and_tree_agree_to_the_last_bit(rng, monkeypatch):
    for scale in (1.0, 1e-120, 1e130):
        train = np.round(rng.normal(size=(3000, 24)), 1) * scale
        queries = np.concatenate([train[:200], rng.normal(size=(400, 24)) * scale])
        search_by_products_from(NEVER, monkeypatch)
        by_tree = NeighbourIndex(train).search(queries, 20)
        search_by_products_from(ALWAYS, monkeypatch)
        by_products = NeighbourIndex(train).search(queries, 20)

        assert np.array_equal(by_tree.rows, by_products.rows)
        assert np.array_equal(by_tree.distances, by_products.distances)


def awkward_tables(rng):
    """Yield tables on which float32 cannot rank the neighbours."""
    yield rng.normal(size=(900, 12)) + 1e4, rng.normal(size=(300, 12)) + 1e4
    grid = rng.integers(0, 2, size=(2000, 10)).astype(float)
    yield grid, grid[:300]
    heavy = rng.standard_t(1, size=(1500, 8)) ** 3
    yield heavy, np.concatenate([heavy[:100], rng.standard_t(1, size=(200, 8)) ** 3])
    close = 1.0 + 1e-9 * rng.normal(size=(1500, 9))
    yield close, close[:300] + 1e-10
    yield rng.normal(size=(40, 70)), rng.normal(size=(300, 70))
    yield rng.normal(size=(700, 6)) * 1e16, rng.normal(size=(200, 6)) * 1e17


@pytest.mark.parametrize("k", [1, 5, 20, 90])
def test_products_are_exact_where_rounding_blurs_them(rng, monkeypatch, k):
    search_by_products_from(ALWAYS, monkeypatch)
    for train, queries in awkward_tables(rng):
        check_against_all(NeighbourIndex(train), train, queries, k)


def wide_tables(rng, d=100):
    """Yield wide tables on which float32 overflows, underflows, cancels or ties."""
    rows, asked = rng.normal(size=(700, d)), rng.normal(size=(60, d))
    yield rows + 1e8, asked + 1e8
    for scale in (1e-40, 1e-170, 1e-310, 1e16, 1e30, 1e139):
        yield rows * scale, asked * scale
    few = rng.integers(0, 2, size=(700, d)) * (np.arange(d) < 4)
    yield few.astype(float), few[:60].astype(float)
    flat = rows.copy()
    flat[:, 5:] = 1e6
    yield flat, np.concatenate([flat[:20], asked])
    yield rows[rng.integers(0, 30, 700)], np.concatenate([rows[:30], asked])
    yield rows * 10.0 ** rng.uniform(-14, 14, d), asked
    yield rows[:3], asked


@pytest.mark.parametrize("begin", [ALWAYS, NEVER])
@pytest.mark.parametrize("k", [1, 20, 650])
def test_wide_tables_get_what_measuring_everything_gets(rng, monkeypatch, k, begin):
    search_by_products_from(begin, monkeypatch)
    for train, queries in wide_tables(rng):
        check_against_all(NeighbourIndex(train), train, queries, k)


def grouped_tables(rng):
    """Yield tables with blocks that can be skipped, and queries between them."""
    centres = 3.0 * rng.normal(size=(9, 30))
    rows = centres[rng.integers(0, 9, 2500)] + rng.normal(size=(2500, 30))
    asked = np.concatenate(
        [centres[:5] + rng.normal(size=(5, 30)), rows[:20], rng.normal(size=(9, 30))]
    )
    yield rows, asked
    yield rows + 1e7, asked + 1e7
    yield rows * 1e-30, asked * 1e-30
    yield rows * 1e15, asked * 1e15
    yield np.round(rows), np.round(asked)
    few_axes = rng.normal(size=(2000, 3)) @ rng.normal(size=(3, 60))
    yield few_axes, few_axes[::50] + 0.01
    steps = rng.integers(0, 60, size=(2000, 1)) * np.ones(12)
    yield steps, steps[::40] + 0.5
    far = rows.copy()
    far[::500] *= 1e14
    yield far, np.concatenate([asked, far[:3]])


@pytest.mark.parametrize("k", [1, 20, 140])
def test_grouped_tables_get_what_measuring_everything_gets(rng, k):
    for train, queries in grouped_tables(rng):
        check_against_all(NeighbourIndex(train), train, queries, k)


def test_a_block_is_never_nearer_than_its_gap_says(rng):
    for train, queries in [*grouped_tables(rng), *wide_tables(rng, d=20)]:
        norms = (train * train).sum(axis=1)
        if not products.fits(norms):
            continue
        made = blocks.Blocks.of(train, norms)
        gaps = made.gaps(queries, (queries * queries).sum(axis=1))
        for block, (start, stop) in enumerate(made.ends):
            away = queries[:, None] - train[made.order[start:stop]]
            assert (gaps[:, block] <= (away * away).sum(axis=2).min(axis=1)).all()


def test_distant_blocks_are_skipped(rng, monkeypatch):
    compared = []
    sift = products.sift

    def counting(values, *args):
        compared.append(values.size)
        return sift(values, *args)

    monkeypatch.setattr(products, "sift", counting)
    centres = 9.0 * rng.normal(size=(16, 30))
    train = centres[np.arange(8000) // 500] + rng.normal(size=(8000, 30))
    NeighbourIndex(train).search_self(5)

    assert sum(compared) < 8000 * 8000 / 4


def hopeless_tables(rng):
    """Yield tables with no block to skip: smooth, blurred, tied, with copies."""
    rows, asked = rng.normal(size=(2100, 24)), rng.normal(size=(40, 24))
    yield rows, asked
    yield rows + 1e6, asked + 1e6
    grid = rng.integers(0, 2, size=(2100, 40)).astype(float)
    yield grid, grid[:40]
    yield np.concatenate([rows, rows[:30]]), np.concatenate([rows[:20], asked, asked])


@pytest.mark.parametrize("k", [1, 20, 140])
def test_hopeless_tables_get_what_measuring_everything_gets(rng, k):
    for train, queries in hopeless_tables(rng):
        index = NeighbourIndex(train)
        assert index._blocks is None
        check_against_all(index, train, queries, k)


def test_a_table_of_clusters_is_not_hopeless(rng):
    centres = 9.0 * rng.normal(size=(20, 30))
    index = NeighbourIndex(centres[rng.integers(0, 20, 3000)] + rng.random((3000, 30)))

    assert index._blocks is not None


@pytest.mark.parametrize("n_axes", [3, 10])
def test_ten_columns_are_searched_by_the_tree_if_few_blocks_are_near(rng, n_axes):
    rows = rng.normal(size=(8050, n_axes)) @ rng.normal(size=(n_axes, 10))
    train, queries = rows[:8000], rows[8000:]
    index = NeighbourIndex(train)

    assert index._by_products == (n_axes == 10)
    check_against_all(index, train, queries, 20)


def test_a_wide_table_searched_by_manhattan_gets_a_tree(rng):
    train, queries = rng.normal(size=(2100, 20)), rng.normal(size=(3, 20))
    found = neighbour_graph(train, queries, 5, metric="manhattan")
    distances, rows = neighbours(train, queries, 5, manhattan=True)

    assert found.rows.tolist() == rows
    assert found.distances.tolist() == distances


def test_boxes_of_a_tree_hold_their_rows_and_nothing_else(rng):
    rows = rng.normal(size=(1500, 7))
    rows[3] = 1e9
    order, starts, low, high, cuts, leaves = kd_build.build(rows, kd_build.LEAF)

    assert sorted(order) == list(range(1500))
    for node, (start, stop) in enumerate(starts):
        inside = rows[order[start:stop]]
        assert np.array_equal(low[node], inside.min(axis=0))
        assert np.array_equal(high[node], inside.max(axis=0))
        if node >= len(cuts):
            leaf = leaves[node - len(cuts)]
            assert np.array_equal(leaf[:, : stop - start].T, inside)
            assert np.isinf(leaf[:, stop - start :]).all()


def test_an_index_keeps_its_rows_when_the_table_changes(rng):
    train, queries = rng.normal(size=(300, 9)), rng.normal(size=(30, 9))
    index = NeighbourIndex(train)
    before = index.search(queries, 5)
    train[:] = 0.0

    assert np.array_equal(index.search(queries, 5).distances, before.distances)


def test_read_only_queries_compile_nothing_more(rng):
    train, queries = rng.normal(size=(600, 60)), rng.normal(size=(200, 60))
    kernels = (kd_tree._search, product_kernels.sift, product_kernels.settle)
    neighbour_graph(train, queries, 5)
    before = [len(kernel.signatures) for kernel in kernels]
    train.flags.writeable = queries.flags.writeable = False
    neighbour_graph(train, queries, 5)
    neighbour_graph(train, np.concatenate([queries, queries]), 5)
    neighbour_graph(train, None, 5)

    assert [len(kernel.signatures) for kernel in kernels] == before


def test_fewer_neighbours_are_the_first_of_more(rng):
    train = np.round(rng.normal(size=(2000, 7)))
    index = NeighbourIndex(train)
    many = index.search(train[:300] + 0.5, 100)
    few = index.search(train[:300] + 0.5, 5)

    assert np.array_equal(many.nearest(5).rows, few.rows)
    assert np.array_equal(many.nearest(5).distances, few.distances)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 20, 300])
def test_ties_and_far_rows_get_what_measuring_everything_gets(rng, metric, k):
    # Whole numbers at the same distances; rows that are far from all others, so that a
    # range of distances is halved often; and squares that are rounded to zero.
    grid = np.stack(np.meshgrid(*[np.arange(6.0)] * 4), axis=-1).reshape(-1, 4)
    far = 10.0 ** rng.uniform(3, 100, size=(200, 1)) * rng.normal(size=(200, 4))
    train = rng.permutation(np.concatenate([grid, grid[::5], far, 1e-170 * grid[:200]]))
    queries = np.concatenate([grid[::97], grid[:5] + 0.5, far[:5], 1e-170 * grid[:3]])
    found = neighbour_graph(train, queries, k, metric=metric)
    distances, rows = neighbours(train, queries, k, manhattan=metric == "manhattan")

    assert found.rows.tolist() == rows
    assert found.distances.tolist() == distances


def test_threads_change_nothing(rng):
    train = rng.normal(size=(2000, 6))
    alone = neighbour_graph(train, None, 10)
    together = neighbour_graph(train, None, 10, n_threads=3)

    assert np.array_equal(alone.rows, together.rows)
    assert np.array_equal(alone.distances, together.distances)


def test_a_query_alone_gets_what_it_gets_in_a_batch(rng):
    train = rng.normal(size=(3000, 30))
    queries = rng.normal(size=(500, 30))
    index = NeighbourIndex(train)
    batch = index.search(queries, 10)
    for i in (0, 17, 499):
        alone = index.search(queries[i : i + 1], 10)
        assert np.array_equal(alone.rows[0], batch.rows[i])
        assert np.array_equal(alone.distances[0], batch.distances[i])


def test_huge_values_do_not_overflow():
    train = np.array([[1e200, 0.0], [0.0, 0.0], [-1e300, 1.0]])
    found = neighbour_graph(train, train, 3)

    assert np.isfinite(found.distances).all()
    assert found.rows[:, 0].tolist() == [0, 1, 2]


def test_many_copies_of_one_row_are_cheap(rng):
    train = np.concatenate([np.zeros((20_000, 8)), rng.normal(size=(2000, 8))])
    found = neighbour_graph(train, None, 20)

    assert (found.distances[:20_000] == 0).all()
    assert found.rows[0].tolist() == list(range(1, 21))
    assert found.rows[19_999].tolist() == list(range(20))


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_layout_changes_nothing(rng, order):
    train = rng.normal(size=(500, 6))
    found = neighbour_graph(np.asarray(train, order=order), None, 5)

    assert np.array_equal(found.rows, neighbour_graph(train, None, 5).rows)
