"""Folding: the newest row of each trial, sorted, with few rows in memory."""

import itertools
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odbench.errors import ResultsError
from odbench.results import RESULTS, read_results, schema
from odbench.sweep import fold as folding
from odbench.sweep.finished import finished
from odbench.sweep.fold import (
    fold,
    is_folded,
    read_batches,
    stored_generation,
)
from odbench.sweep.journal import (
    FOLDER,
    Journal,
    begin_generation,
    generation_of,
    journals,
)
from tests.reference.sweep import folded, row, write


@pytest.fixture
def folder(tmp_path):
    (tmp_path / FOLDER).mkdir()
    return tmp_path


def stored(folder):
    return pq.read_table(folder / RESULTS, partitioning=None)


def texts(folder):
    paths = (folder / FOLDER).glob("*.jsonl")
    return [
        (number, path.read_text())
        for number, _, path in sorted((generation_of(p), p.name, p) for p in paths)
    ]


def write_more(folder, *rows):
    """Write a journal of the generation that has begun."""
    with Journal(folder) as sink:
        for one in rows:
            sink.append(one)


def random_rows(rng, n, datasets):
    """Return rows, some of the same trial with different times."""
    return [
        row(
            rng.choice(datasets),
            suite=rng.choice(["oddbench", "ovrbench"]),
            detector=rng.choice(["knn", "lof", "ünï"]),
            config_id=f"{rng.randrange(4):012x}",
            seed=rng.randrange(3),
            started_at=f"2026-01-0{rng.randrange(1, 9)}T00:00:00",
            key=f"{rng.getrandbits(128):032x}",
            auroc=rng.random(),
            n_train=rng.randrange(1000),
        )
        for _ in range(n)
    ]


@pytest.mark.parametrize("pieces", [1, 7, 8192])
def test_folding_equals_reading_everything_at_once(folder, monkeypatch, pieces):
    monkeypatch.setattr(folding, "_ROWS", pieces)
    rng = random.Random(20260101)
    names = ["a", "ab", "Z", "ä", 'quo"ted', "back\\slash", "日本", "~"]
    kept = []

    for _ in range(3):
        for _ in range(3):
            rows = random_rows(rng, 60, names)
            write(folder, *rows, generation=rng.randrange(12))
        (folder / FOLDER / "cut.jsonl").write_text(json.dumps(row("cut"))[:-9])
        (folder / FOLDER / "odd.jsonl").write_text('{"key":\n[1]\n\0\0\n{"a": 1}\n')
        expected = folded(kept, texts(folder))
        fold(folder)
        kept = stored(folder).to_pylist()

        assert kept == expected
        assert is_folded(folder)
    assert stored(folder).schema.equals(schema())


def test_no_more_than_a_few_rows_are_held(folder, monkeypatch):
    """The rows in memory do not grow with the number of journals and folds."""
    monkeypatch.setattr(folding, "_ROWS", 40)
    written = []
    newest = folding._newest

    def watched(table):
        written.append(len(table))
        return newest(table)

    monkeypatch.setattr(folding, "_newest", watched)
    for half in range(2):
        for number in range(60):
            write(folder, *(row(f"{number:02d}", s, str(half)) for s in range(10)))
        fold(folder)

    assert max(written) <= 60
    assert len(stored(folder)) == 600
    assert set(stored(folder)["key"].to_pylist()) == {"1"}


def test_each_row_of_the_journals_is_shown_once(folder):
    write(folder, row("b", key="2"), row("a", key="1"))
    fold(folder)
    write(folder, row("b", key="3"), row("c", key="4"))
    shown = []

    fold(folder, each=lambda rows: shown.extend(rows["key"].to_pylist()))

    assert shown == ["3", "4"]


def test_folding_twice_after_a_crash_between_write_and_delete_changes_nothing(folder):
    write(folder, row("a", key="1"), row("b", key="2"))
    kept = {p: p.read_bytes() for p in (folder / FOLDER).glob("*.jsonl")}
    fold(folder)
    once = read_results(folder)
    for path, data in kept.items():
        path.write_bytes(data)

    fold(folder)

    assert read_results(folder).equals(once)


def test_a_disk_that_fills_up_loses_neither_results_nor_journals(folder, monkeypatch):
    write(folder, row("a", key="1"))
    fold(folder)
    before = (folder / RESULTS).read_bytes()
    write(folder, row("b", key="2"))

    def full(self, table):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(OSError, match="No space left"):
            fold(folder)

    assert (folder / RESULTS).read_bytes() == before
    assert [path.name for path in folder.iterdir() if path.suffix == ".tmp"] == []
    fold(folder)
    assert stored(folder)["key"].to_pylist() == ["1", "2"]


def test_a_lack_of_memory_loses_neither_results_nor_journals(folder, monkeypatch):
    """Arrow's MemoryError is an ArrowException, as is the error of a damaged line."""

    class Full:
        def __getattr__(self, name):
            return getattr(table, name)

        def from_pylist(self, *_, **__):
            raise pa.ArrowMemoryError

    write(folder, row("a"), row("b"))
    before, table = texts(folder), pa.Table
    monkeypatch.setattr(pa, "Table", Full())

    with pytest.raises(MemoryError):
        fold(folder)
    monkeypatch.undo()

    assert texts(folder) == before
    assert not (folder / RESULTS).exists()
    fold(folder)
    assert len(stored(folder)) == 2


@pytest.mark.parametrize("read", [read_results, lambda _: list(read_batches(_))])
def test_a_lack_of_memory_is_no_damaged_file(folder, monkeypatch, read):
    write(folder, row("a"))
    fold(folder)

    def lack(*_, **__):
        raise pa.ArrowMemoryError

    monkeypatch.setattr(pq, "ParquetFile", lack)

    with pytest.raises(MemoryError):
        read(folder / RESULTS)


def test_results_in_another_order_are_sorted_first(folder, monkeypatch):
    monkeypatch.setattr(folding, "_ROWS", 2)
    rows = [row(name, key=name) for name in "dacb"]
    table = pa.Table.from_pylist(rows, schema=schema())
    pq.write_table(table, folder / RESULTS)
    write(folder, row("a", key="new"), generation=1)

    fold(folder)

    assert stored(folder)["key"].to_pylist() == ["new", "b", "c", "d"]


@pytest.mark.parametrize("measured", ["ok", "failed", "timeout"])
def test_a_fault_of_the_machine_replaces_no_measured_result(folder, measured):
    write(folder, row("a", key="1", status=measured), generation=1)
    fold(folder)
    write(folder, row("a", key="1", status="environment"), generation=2)
    write(folder, row("b", key="2", status="environment"), generation=2)

    fold(folder)

    assert stored(folder)["status"].to_pylist() == [measured, "environment"]
    assert stored(folder)["generation"].to_pylist() == [1, 2]


def test_a_measured_result_replaces_a_fault_of_the_machine(folder):
    """Also a result of an earlier generation, which was moved here later."""
    write(folder, row("a", status="environment"), row("b", status="environment"),
          generation=2)  # fmt: skip
    fold(folder)
    write(folder, row("a", status="ok"), generation=1)
    write(folder, row("b", status="failed"), generation=3)

    fold(folder)

    assert stored(folder)["status"].to_pylist() == ["ok", "failed"]


def test_a_clock_that_was_ahead_does_not_keep_an_old_row(folder):
    begin_generation(folder)
    write_more(folder, row("a", key="old", started_at="2999-01-01T00:00:00"))
    fold(folder)
    begin_generation(folder, stored=stored_generation(folder))
    write_more(folder, row("a", key="new", started_at="1970-01-01T00:00:00"))

    fold(folder)

    assert stored(folder)["key"].to_pylist() == ["new"]
    assert stored(folder)["generation"].to_pylist() == [2]


def test_a_row_of_an_older_version_is_older_whatever_its_time(folder):
    late = row("a", key="old", started_at="2999-01-01T00:00:00")
    table = pa.Table.from_pylist([late], schema=schema())
    pq.write_table(table.drop_columns(["generation"]), folder / RESULTS)
    (folder / FOLDER / "host-12-0123abcd.jsonl").write_text(
        json.dumps(row("b", key="older journal")) + "\n"
    )
    write(folder, row("a", key="new"), generation=1)

    fold(folder)

    assert stored(folder)["key"].to_pylist() == ["new", "older journal"]
    assert stored(folder)["generation"].to_pylist() == [1, 0]


def test_a_crash_between_two_deletes_changes_nothing(folder):
    """The journal that is left is folded again, whichever it is."""
    write(folder, row("a", key="1"), row("b", key="1"), generation=9)
    write(folder, row("a", key="2"), generation=10)
    kept = {p: p.read_bytes() for p in (folder / FOLDER).glob("*.jsonl")}
    fold(folder)
    once = read_results(folder)

    for left, data in kept.items():
        left.write_bytes(data)
        fold(folder)

        assert read_results(folder).equals(once)
    assert once["key"].tolist() == ["2", "1"]


def test_generations_are_counted_on_from_everything_that_is_known(folder):
    begin_generation(folder)
    write_more(folder, row("a"))
    (name,) = journals(folder)
    assert generation_of(name) == 1
    # A journal of another machine, moved here.
    name.rename(name.with_name("other-1-0123abcd.g41.jsonl"))
    begin_generation(folder)
    write_more(folder, row("b"))
    assert [generation_of(path) for path in journals(folder)] == [41, 42]
    fold(folder)
    (folder / FOLDER / "generation").unlink()

    begin_generation(folder, stored=stored_generation(folder))
    write_more(folder, row("c"))

    assert [generation_of(path) for path in journals(folder)] == [43]


def test_journals_of_several_machines_become_one_result(folder, tmp_path):
    """Two machines ran parts of one sweep; the journals of one are moved to the other.

    A trial that both ran counts once.
    """
    other = tmp_path / "other"
    (other / FOLDER).mkdir(parents=True)
    write(folder, row("a", key="a"), row("b", key="b"), generation=1)
    write(other, row("b", key="b"), row("c", key="c"), generation=1)
    for path in journals(other):
        path.rename(folder / FOLDER / path.name)

    fold(folder)

    assert stored(folder)["key"].to_pylist() == ["a", "b", "c"]


def test_files_of_an_earlier_version_are_read(folder):
    """One row group for the whole file, and journals with fields in any order."""
    rows = [row(name, key=name) for name in "ac"]
    pq.write_table(
        pa.Table.from_pylist(rows, schema=schema()),
        folder / RESULTS,
        compression="zstd",
    )
    later = row("b", key="b")
    turned = dict(itertools.chain(reversed(later.items())))
    (folder / FOLDER / "old.jsonl").write_text(json.dumps(turned) + "\n")

    fold(folder)

    assert stored(folder)["key"].to_pylist() == ["a", "b", "c"]


def test_results_without_newer_columns_are_folded_with_new_ones(folder):
    table = pa.Table.from_pylist([row("a", key="0")], schema=schema())
    pq.write_table(table.drop_columns(["ap_low", "ap_high"]), folder / RESULTS)
    write(folder, row("b", key="1", ap_low=0.25))

    fold(folder)

    assert stored(folder).schema.equals(schema())
    assert stored(folder)["ap_low"].to_pylist() == [None, 0.25]


def test_an_empty_run_has_an_empty_results_file(folder):
    fold(folder)

    assert len(read_results(folder)) == 0


def no_parquet(path):
    path.write_bytes(b"hello")


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def bytes_changed(path):
    data = bytearray(path.read_bytes())
    data[200:3000] = b"\xff" * 2800
    path.write_bytes(data)


def foreign(path):
    pq.write_table(pa.table({"a": [1]}), path)


def another_type(path):
    table = pq.read_table(path, partitioning=None)
    at = table.column_names.index("key")
    pairs = pa.array([{"a": 1}] * len(table))
    pq.write_table(table.set_column(at, "key", pairs), path)


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "harm", [no_parquet, cut_short, bytes_changed, foreign, another_type, a_folder]
)
def test_a_file_that_no_run_wrote_is_named_and_not_changed(folder, harm):
    write(folder, *(row("a", number, key=f"{number:032x}") for number in range(999)))
    fold(folder)
    harm(folder / RESULTS)

    with pytest.raises(ResultsError, match=r"results\.parquet.*move the file away"):
        finished(folder)
    with pytest.raises(ResultsError, match="name another folder"):
        fold(folder)
