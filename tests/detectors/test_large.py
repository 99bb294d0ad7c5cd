"""Detectors fitted and applied in parts equal those that see the table in one piece."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from odbench.errors import DataError, DetectorError, UsageError
from odbench_detectors import CATS, COPOD, ECOD, HBOS, large
from odbench_detectors.large import sample as large_sample
from odbench_detectors.large import tables as large_tables
from odbench_detectors.large.sample import sample_rows
from odbench_detectors.large.tables import as_parts


def table(rng, n_rows):
    return np.column_stack(
        (
            rng.standard_normal((n_rows, 2)),
            rng.integers(-2, 4, n_rows),
            np.exp(2 * rng.standard_normal(n_rows)),
            np.where(rng.random(n_rows) < 0.7, 0.0, rng.standard_normal(n_rows)),
            np.full(n_rows, 3.0),
        )
    )


def cut(X, sizes):
    """Cut a table into blocks of the given sizes, over and over."""
    blocks, start = [], 0
    while start < len(X):
        size = sizes[len(blocks) % len(sizes)]
        blocks.append(X[start : start + size])
        start += size
    return blocks


def write_folder(folder, X, sizes):
    for number, block in enumerate(cut(X, sizes)):
        columns = {f"x{j}": block[:, j] for j in range(X.shape[1])}
        path = folder / f"part.{number}.parquet"
        pq.write_table(pa.table(columns), path, row_group_size=97)
    return folder


SIZES = {
    "one part": [10**6],
    "many parts": [50],
    "uneven parts": [1, 300, 0, 7, 120],
    "one row each": [1],
}
in_parts = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())


def scores_of(detector, parts):
    return np.concatenate(list(large.score(detector, parts)))


@in_parts
def test_hbos_in_parts_equals_hbos_in_one_piece(rng, sizes):
    X, rows = table(rng, 900), 1.3 * table(rng, 400)
    whole = HBOS(n_bins=7).fit(X)

    fitted = large.fit(HBOS(n_bins=7), cut(X, sizes))

    assert_array_equal(fitted.edges_, whole.edges_)
    assert_array_equal(
        scores_of(fitted, cut(rows, sizes)), whole.decision_function(rows)
    )


@in_parts
@pytest.mark.parametrize("make", [ECOD, lambda **q: ECOD("columns", **q), COPOD])
def test_quantiles_in_parts_stay_within_the_stated_error(rng, sizes, make):
    X, rows = table(rng, 3000), 1.3 * table(rng, 400)
    whole = make().fit(X).decision_function(rows)

    fitted = large.fit(make(quantiles=256), cut(X, sizes))

    error = abs(scores_of(fitted, cut(rows, sizes)) - whole).max()
    assert 0 < error <= fitted.score_error_
    assert fitted.score_error_ == pytest.approx(
        6 * np.log(1 + fitted.rank_error_ / 129), rel=1e-12
    )


def test_quantiles_are_exact_for_a_table_that_fits_into_them(rng):
    X = table(rng, 500)

    fitted = large.fit(ECOD(quantiles=512), cut(X, [70]))

    assert fitted.score_error_ == 0
    assert_array_equal(scores_of(fitted, [X]), ECOD().fit(X).decision_function(X))


@in_parts
@pytest.mark.parametrize("make", [ECOD, lambda: ECOD("columns"), COPOD])
@pytest.mark.parametrize("memory", [2**30, 300_000], ids=["at once", "two columns"])
def test_columns_apart_give_exact_scores(rng, sizes, make, memory):
    X, rows = table(rng, 3000), 1.3 * table(rng, 1000)
    whole = make().fit(X)

    own = large.score_by_columns(make(), cut(X, sizes), memory=memory)
    others = large.score_by_columns(make(), cut(X, sizes), rows, memory=memory)

    assert_allclose(own, whole.decision_function(X), rtol=1e-12)
    assert_allclose(others, whole.decision_function(rows), rtol=1e-12)


def test_cats_is_fitted_on_a_sample_that_does_not_depend_on_the_parts(rng):
    X, rows = rng.normal(size=(2000, 3)), rng.normal(size=(100, 3))
    sample = sample_rows(X, 300, 0)
    whole = CATS().fit(sample).decision_function(rows)

    for sizes in SIZES.values():
        fitted = large.fit(CATS(), cut(X, sizes), rows=300)
        assert_array_equal(fitted.decision_function(rows), whole)


def test_a_sample_has_rows_of_the_table_in_order_and_each_once(rng):
    X = np.arange(5000.0)[:, None]

    first, second = sample_rows(X, 500, 0).ravel(), sample_rows(X, 500, 1).ravel()

    assert (np.diff(first) > 0).all()
    assert np.isin(first, X).all()
    assert len(np.intersect1d(first, second)) < 100
    assert_array_equal(sample_rows(X, 9000, 0), X)


def test_each_row_is_sampled_equally_often():
    places = np.arange(1000)
    times = np.zeros(1000)
    for seed in range(400):
        times[np.argsort(large_sample.keys_of(places, seed))[:100]] += 1

    # A binomial count has mean 40 and standard deviation 6.
    assert abs(times.std() - 6) < 0.6
    assert times.max() < 70


def test_a_folder_of_parquet_files_is_one_table(rng, tmp_path, monkeypatch):
    monkeypatch.setattr(large_tables, "_MOST_ROWS", 64)
    X = table(rng, 1500)
    folder = write_folder(tmp_path, X, [100, 1, 30])
    parts = as_parts(str(folder))

    assert parts.n_rows == 1500
    assert max(map(len, parts.blocks())) <= 64
    assert_array_equal(np.concatenate(list(parts.blocks())), X)
    assert_array_equal(
        scores_of(large.fit(HBOS(), folder), folder), HBOS().fit(X).decision_function(X)
    )
    assert_allclose(
        large.score_by_columns(ECOD(), folder, memory=2e5),
        ECOD().fit(X).decision_function(X),
        rtol=1e-12,
    )


def test_one_parquet_file_keeps_float32(rng, tmp_path):
    X = table(rng, 200).astype(np.float32)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({f"x{j}": X[:, j] for j in range(6)}), path)

    blocks = list(as_parts(path).blocks())

    assert blocks[0].dtype == np.float32
    assert_array_equal(np.concatenate(blocks), X)


def test_files_with_columns_in_another_order_are_one_table(tmp_path):
    pq.write_table(pa.table({"a": [1.0], "b": [2.0]}), tmp_path / "part.1.parquet")
    pq.write_table(pa.table({"b": [4.0], "a": [3.0]}), tmp_path / "part.2.parquet")

    parts = as_parts(tmp_path)

    assert np.concatenate(list(parts.blocks())).tolist() == [[1, 2], [3, 4]]


def test_a_later_file_of_float64_is_not_rounded(tmp_path):
    narrow = pa.array([0.5], pa.float32())
    pq.write_table(pa.table({"a": narrow}), tmp_path / "part.1.parquet")
    pq.write_table(pa.table({"a": [0.1]}), tmp_path / "part.2.parquet")

    parts = as_parts(tmp_path)

    assert np.concatenate(list(parts.blocks())).ravel().tolist() == [0.5, 0.1]


def test_booleans_of_parquet_are_numbers(tmp_path):
    pq.write_table(pa.table({"a": [True, None, False]}), tmp_path / "t.parquet")

    (block,) = as_parts(tmp_path / "t.parquet").blocks()

    assert_array_equal(block.ravel(), [1.0, np.nan, 0.0])


def test_a_mapped_array_and_a_function_are_read_in_parts(rng, tmp_path, monkeypatch):
    monkeypatch.setattr(large_tables, "_MOST_ROWS", 100)
    X = table(rng, 700)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    whole = HBOS().fit(X).decision_function(X)

    assert_array_equal(scores_of(large.fit(HBOS(), mapped), mapped), whole)
    again = lambda: iter(cut(X, [90]))  # noqa: E731 - a function of the user's
    assert_array_equal(scores_of(large.fit(HBOS(), again), again), whole)
    assert as_parts(again).n_rows == 700


def test_the_detector_that_is_given_is_not_changed(rng):
    X = table(rng, 200)
    given = [HBOS(), ECOD(quantiles=16), CATS()]

    for detector in given:
        large.fit(detector, [X])
        with pytest.raises(DetectorError, match="no train rows"):
            detector.decision_function(X)


def test_calls_that_cannot_work_are_refused(rng, tmp_path):
    X = table(rng, 100)
    bad = X.copy()
    bad[60, 2] = np.nan
    with pytest.raises(DetectorError, match=r"ECOD\(quantiles=4096\)"):
        large.fit(ECOD(), [X])
    with pytest.raises(DetectorError, match="column 2 holds NaN"):
        large.fit(ECOD(quantiles=16), cut(bad, [9]))
    with pytest.raises(DetectorError, match="column 2 holds NaN"):
        large.fit(HBOS(), cut(bad, [9]))
    with pytest.raises(DetectorError, match="column 0 holds NaN"):
        large.score_by_columns(ECOD(), bad[:, 2:3])
    with pytest.raises(DetectorError, match="row 60 holds NaN"):
        large.score_by_columns(ECOD(), X, bad)
    with pytest.raises(DetectorError, match="expected 6 columns as in fit, got 2"):
        large.fit(HBOS(), [X, X[:, :2]])
    with pytest.raises(DetectorError, match="without rows"):
        large.fit(HBOS(), [X[:0]])
    with pytest.raises(DetectorError, match="from 1 up; got rows=0"):
        large.fit(CATS(), [X], rows=0)
    with pytest.raises(DetectorError, match="needs all rows at once"):
        large.score(ECOD(reference="batch"), [X])
    with pytest.raises(DetectorError, match="takes ECOD or COPOD, got HBOS"):
        large.score_by_columns(HBOS(), X)
    with pytest.raises(DetectorError, match="exact scores"):
        large.score_by_columns(ECOD(quantiles=16), X)
    with pytest.raises(DetectorError, match=r"needs 0 MiB for 100 scores.*give more"):
        large.score_by_columns(ECOD(), X, memory=1000)
    with pytest.raises(UsageError, match="list_iterator: cannot be read again"):
        large.fit(HBOS(), iter([X]))
    with pytest.raises(DataError, match="has no block"):
        large.fit(HBOS(), [])


def test_files_that_are_not_a_table_of_numbers_are_refused(rng, tmp_path):
    write_folder(tmp_path, table(rng, 20), [10])
    with pytest.raises(UsageError, match="no such file or folder"):
        as_parts(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"has no \.parquet file"):
        as_parts(tmp_path / "empty")
    pq.write_table(pa.table({"y": [1.0]}), tmp_path / "part.2.parquet")
    with pytest.raises(
        DataError, match=r"part\.2\.parquet: has columns 'y', .* 'x0' is"
    ):
        as_parts(tmp_path)
    pq.write_table(pa.table({"y": ["a"]}), tmp_path / "part.2.parquet")
    with pytest.raises(DataError, match="column 'y' is of type string, wanted numbers"):
        as_parts(tmp_path / "part.2.parquet")
    (tmp_path / "part.2.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(DataError, match="is not a readable Parquet file"):
        as_parts(tmp_path / "part.2.parquet")


def test_a_data_frame_in_memory_is_a_table(rng):
    X = table(rng, 300)
    whole = HBOS().fit(X).decision_function(X)

    frame = pd.DataFrame(X)

    assert_array_equal(scores_of(large.fit(HBOS(), frame), frame), whole)
    assert_allclose(
        large.score_by_columns(ECOD(), frame), ECOD().fit(X).decision_function(X)
    )


def test_a_missing_value_of_pandas_is_nan(rng):
    frame = pd.DataFrame({"a": pd.array([1, None, 3], "Int64"), "b": [0.5, 1.0, 2.0]})

    with pytest.raises(DetectorError, match="column 0 holds NaN"):
        large.fit(HBOS(), [frame])


def test_text_in_a_list_of_blocks_is_one_line():
    with pytest.raises(DataError, match="wanted numbers, got other values"):
        large.fit(HBOS(), [[["a", "b"]]])


def test_an_iterator_that_is_returned_twice_is_refused(rng):
    # Its first block was read to count columns, and was missing in the fit.
    blocks = iter(cut(table(rng, 90), [30]))

    with pytest.raises(UsageError, match="returns the same iterator again"):
        large.fit(ECOD(quantiles=16), lambda: blocks)


def test_files_that_are_being_written_are_left_out(rng, tmp_path):
    X = table(rng, 200)
    write_folder(tmp_path, X, [150])
    (tmp_path / "_temporary").mkdir()
    write_folder(tmp_path / "_temporary", X, [150])
    (tmp_path / ".part.parquet").write_bytes(b"PAR1")

    assert as_parts(tmp_path).n_rows == 200


def test_a_column_in_the_names_of_folders_is_not_left_out(rng, tmp_path):
    (tmp_path / "year=2024").mkdir()
    write_folder(tmp_path / "year=2024", table(rng, 50), [50])

    with pytest.raises(DataError, match="'year=2024' stands for a column 'year'"):
        as_parts(tmp_path)


def test_repeated_columns_are_refused(tmp_path):
    values = pa.array([1.0, 2.0])
    pq.write_table(
        pa.Table.from_arrays([values, values], names=["a", "a"]), tmp_path / "t.parquet"
    )

    with pytest.raises(DataError, match="has several columns 'a'"):
        as_parts(tmp_path / "t.parquet")
