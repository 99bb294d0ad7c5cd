"""Reading results: whole, or a few columns in a fraction of the memory."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odbench.errors import ResultsError
from odbench.results import COLUMNS, read_results, schema, write_results
from tests.reference.trials import frame, place, random_trials


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


def test_a_word_that_the_file_lacks_is_null_also_as_a_category(run):
    table = pq.read_table(run / "results.parquet").drop_columns(["domain"])
    pq.write_table(table, run / "results.parquet")

    some = read_results(run, ["dataset", "domain"])

    assert some["domain"].isna().all()
    assert some["dataset"].nunique() == 12


def test_a_column_that_is_required_is_missed_also_where_it_is_not_wanted(run):
    table = pq.read_table(run / "results.parquet").drop_columns(["auroc"])
    pq.write_table(table, run / "results.parquet")

    with pytest.raises(ResultsError, match="lacks auroc"):
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


def test_a_file_that_is_not_finished_is_not_there(tmp_path):
    def broken():
        yield schema().empty_table()
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_results(broken(), tmp_path / "results.parquet")

    assert list(tmp_path.iterdir()) == []
