"""Reading all columns of results, or a few in a fraction of the memory."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odbench.errors import ResultsError, UsageError
from odbench.results import COLUMNS, read_results, schema, write_results
from tests.reference.trials import frame, place, random_trials, trial
from tests.reference.trials import table as made


@pytest.fixture
def run(tmp_path, rng):
    return place(frame(random_trials(rng)), tmp_path / "run")


def test_some_columns_are_those_of_the_whole(run):
    wanted = ["dataset", "config_id", "domain", "seed", "auroc", "deterministic"]

    some, whole = read_results(run, wanted), read_results(run)

    assert list(some.columns) == [name for name in COLUMNS if name in wanted]
    for name in wanted:
        words = isinstance(some[name].dtype, pd.CategoricalDtype)
        assert words == (name in {"dataset", "config_id", "domain"})
        pd.testing.assert_series_equal(
            some[name], whole[name].astype("category") if words else whole[name]
        )


def test_a_column_that_does_not_exist_is_named(run):
    with pytest.raises(UsageError, match="no column 'detecto'; the columns are suite"):
        read_results(run, ["detecto", "auroc"])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("seed", pa.array([0.5])),
        ("n_train", pa.array([2**63], pa.uint64())),
        ("auroc", pa.array(["high"])),
    ],
)
def test_a_column_whose_values_do_not_fit_is_named(run, column, values):
    table = pq.read_table(run / "results.parquet").slice(0, 1)
    at = table.column_names.index(column)
    pq.write_table(table.set_column(at, column, values), run / "results.parquet")

    with pytest.raises(ResultsError, match=rf"column {column} is \w+, wanted \w+: "):
        read_results(run)


@pytest.mark.parametrize("label", ["bogus", "contaminated", "contaminated=0.9"])
def test_a_protocol_that_no_run_has_is_refused(run, label):
    table = pq.read_table(run / "results.parquet").slice(0, 1)
    at = table.column_names.index("protocol")
    table = table.set_column(at, "protocol", pa.array([label]))
    pq.write_table(table, run / "results.parquet")

    with pytest.raises(ResultsError, match=f"protocol '{label}'; wanted one-class, "):
        read_results(run)


def test_a_word_that_the_file_lacks_is_null_also_as_a_category(run):
    table = pq.read_table(run / "results.parquet").drop_columns(["domain"])
    pq.write_table(table, run / "results.parquet")

    some = read_results(run, ["dataset", "domain"])

    assert some["domain"].isna().all()
    assert some["dataset"].nunique() == 12


def test_a_column_that_is_required_is_missed_also_where_it_is_not_wanted(run):
    table = pq.read_table(run / "results.parquet").drop_columns(["auroc"])
    pq.write_table(table, run / "results.parquet")

    with pytest.raises(ResultsError, match="without auroc"):
        read_results(run, ["dataset"])


def test_tables_are_written_one_by_one(tmp_path, rng):
    table = pa.Table.from_pandas(
        frame(random_trials(rng)), schema=schema(), preserve_index=False
    )
    pieces = (table.slice(start, 50) for start in range(0, len(table), 50))

    write_results(table, tmp_path / "whole.parquet")
    write_results(pieces, tmp_path / "pieces.parquet")

    whole, written = (
        pq.read_table(tmp_path / f"{name}.parquet") for name in ("whole", "pieces")
    )
    assert written.equals(whole)
    assert written.schema.metadata[b"odbench_results"] == b"1"


def test_a_bit_that_flips_on_the_disk_is_not_read_as_another_number(run, tmp_path):
    written = run / "results.parquet"
    write_results(pq.read_table(written), written)
    whole, content = read_results(run), written.read_bytes()
    group = pq.ParquetFile(written).metadata.row_group(0)
    at = next(
        chunk
        for chunk in map(group.column, range(group.num_columns))
        if chunk.path_in_schema == "auroc"
    )
    first = at.dictionary_page_offset or at.data_page_offset
    refused = 0
    for place_of in range(first, first + at.total_compressed_size, 3):
        damaged = bytearray(content)
        damaged[place_of] ^= 1
        (tmp_path / "one.parquet").write_bytes(damaged)
        try:
            found = read_results(tmp_path / "one.parquet")
        except ResultsError:
            refused += 1
        else:
            pd.testing.assert_frame_equal(found, whole)
    assert refused > at.total_compressed_size / 6


def test_a_file_that_is_not_finished_is_not_there(tmp_path):
    def broken():
        yield schema().empty_table()
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_results(broken(), tmp_path / "results.parquet")

    assert list(tmp_path.iterdir()) == []


def stored(folder, **columns):
    """Write one trial with some columns as a stranger would."""
    rows = made([trial("a", "knn", 0.5)])
    for name, values in columns.items():
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, pa.array(values))
    pq.write_table(rows, folder / "results.parquet")
    return folder


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        ("suite", "/abs", "wanted 1 to 40 of a-z"),
        ("suite", "../../x", "wanted 1 to 40 of a-z"),
        ("partition", "a/b", "wanted 1 to 40 of a-z"),
        ("suite", None, "wanted one in every row"),
        ("detector", "<img>\n\n# owned", "wanted one line"),
        ("config", "a\x1b[31mb", "wanted one line"),
        ("dataset", "a\u202eb", "wanted one line"),
        ("status", "fine", "wanted ok, failed"),
        ("auroc", 7.5, "auroc 7.5; wanted 0 to 1"),
        ("ap", -3.0, "ap -3.0; wanted 0 to 1"),
        ("f1", float("inf"), "f1 inf; wanted 0 to 1"),
        ("ap_adjusted", float("-inf"), "ap_adjusted -inf; wanted"),
        ("fit_seconds", float("inf"), "fit_seconds inf; wanted 0 to"),
        ("n_anomalies", -5, "n_anomalies -5; wanted 0 to"),
        ("n_anomalies", 100, "wanted fewer than the 100 test rows"),
        ("n_anomalies", 0, "n_anomalies 0; wanted 1 or more wherever there is an au"),
        ("detector", "", "detector ''; wanted one line"),
        ("dataset", " ", "dataset ' '; wanted one line"),
        ("dataset", 3, "column dataset is int64, wanted string"),
        ("ceiling_ap", 0.0, "ceiling_ap 0.0; wanted 1e-08 to 1"),
        ("ap", None, "ap None; wanted one wherever"),
        ("auroc", [0.5], "column auroc is of type list"),
        ("reason", [["x"]], "column reason is of type list"),
        ("reason", b"x", "column reason is of type binary"),
    ],
)
def test_what_no_trial_can_be_is_refused_in_one_line(tmp_path, column, value, wanted):
    with pytest.raises(ResultsError, match=wanted) as caught:
        read_results(stored(tmp_path, **{column: [value]}))

    assert column in str(caught.value)
    assert str(caught.value).isprintable()


def test_seconds_that_are_not_a_number_are_unknown(tmp_path):
    results = read_results(stored(tmp_path, fit_seconds=[float("nan")]))

    assert results["fit_seconds"].isna().all()


def test_a_long_text_that_all_rows_share_is_refused(tmp_path):
    rows = pa.concat_tables([made([trial("a", "knn", 0.5)])] * 400)
    reason = pa.DictionaryArray.from_arrays([0] * 400, ["x" * (1 << 20)])
    rows = rows.set_column(rows.schema.get_field_index("reason"), "reason", reason)
    pq.write_table(rows, tmp_path / "results.parquet", compression="zstd")
    assert (tmp_path / "results.parquet").stat().st_size < 1 << 16

    with pytest.raises(ResultsError, match="a reason of 1048576 bytes; wanted at most"):
        read_results(tmp_path)


def test_texts_are_bounded_in_all(tmp_path, monkeypatch):
    monkeypatch.setattr("odbench.results.checks._TEXT_ANYWAY", 100)

    with pytest.raises(ResultsError, match="bytes of text in 1 trials; at most 1124"):
        read_results(stored(tmp_path, reason=["x" * 2000]))


def test_more_trials_than_bytes_are_not_read(tmp_path):
    rows = pa.concat_tables([made([trial("a", "knn", 0.5)])] * 40_000)
    pq.write_table(rows.combine_chunks(), tmp_path / "results.parquet")

    with pytest.raises(ResultsError, match=r"40000 trials in .* bytes; at most"):
        read_results(tmp_path)


def test_a_column_that_stands_twice_is_refused(tmp_path):
    rows = made([trial("a", "knn", 0.5)]).append_column("suite", pa.array(["x"]))
    pq.write_table(rows, tmp_path / "results.parquet")

    with pytest.raises(ResultsError, match="suite is given twice"):
        read_results(tmp_path)


def test_a_text_that_is_no_text_is_refused(tmp_path):
    ends = pa.array([0, 3], pa.int32()).buffers()[1]
    broken = pa.StringArray.from_buffers(1, ends, pa.py_buffer(b"a\xffb"))

    with pytest.raises(ResultsError, match="not a readable Parquet file"):
        read_results(stored(tmp_path, domain=broken))
