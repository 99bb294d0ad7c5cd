"""Journals: whole lines only, the newest of each trial, one order."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odbench.results import read_results, schema
from odbench.sweep import journal


def row(dataset="a", seed=0, key="k", started_at="2026-01-01T00:00:00", **more):
    return {
        "suite": "oddbench",
        "partition": "public",
        "dataset": dataset,
        "detector": "knn",
        "config": "default",
        "config_id": "0" * 12,
        "content_sha256": "c",
        "detector_version": "1",
        "seed": seed,
        "protocol": "one-class",
        "status": "ok",
        "started_at": started_at,
        "key": key,
        **more,
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / journal.FOLDER).mkdir()
    return tmp_path


def write(folder, *rows):
    with journal.Journal(folder) as sink:
        for one in rows:
            sink.append(one)


def test_folding_keeps_every_trial_once_in_one_order(folder):
    write(folder, row("b", key="2"), row("a", seed=1, key="1"))
    write(folder, row("a", key="0"))

    table = journal.fold(folder)

    assert table["key"].to_pylist() == ["0", "1", "2"]
    assert not list((folder / journal.FOLDER).glob("*.jsonl"))
    assert table.schema.equals(schema())


def test_a_newer_row_of_the_same_trial_wins(folder):
    write(folder, row(key="old", auroc=0.1))
    journal.fold(folder)
    write(folder, row(key="new", auroc=0.2, started_at="2026-01-02T00:00:00"))

    journal.fold(folder)

    assert read_results(folder)["key"].tolist() == ["new"]


def test_folding_twice_after_a_crash_between_write_and_delete_changes_nothing(folder):
    write(folder, row("a", key="1"), row("b", key="2"))
    kept = {p: p.read_bytes() for p in (folder / journal.FOLDER).glob("*.jsonl")}
    journal.fold(folder)
    once = read_results(folder)
    for path, data in kept.items():
        path.write_bytes(data)

    journal.fold(folder)

    assert read_results(folder).equals(once)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_anywhere_is_ignored(folder, cut):
    write(folder, row("a", key="1"))
    line = json.dumps(row("b", key="2")).encode()
    (folder / journal.FOLDER / "cut.jsonl").write_bytes(line[:-cut])

    done, _ = journal.finished(folder)

    assert done == {"1": "ok"}


def test_finished_knows_results_and_journals(folder):
    write(folder, row("a", key="1"))
    journal.fold(folder)
    write(folder, row("b", key="2", status="timeout"))

    done, earlier = journal.finished(folder)

    assert done == {"1": "ok", "2": "timeout"}
    assert ("oddbench/public/b", "knn", "0" * 12, 0) in earlier


def test_an_empty_run_has_an_empty_results_file(folder):
    table = journal.fold(folder)

    assert isinstance(table, pa.Table)
    assert len(read_results(folder)) == 0


def test_results_of_an_older_version_are_folded_with_the_new_ones(folder):
    write(folder, row("a", key="0"))
    table = journal.fold(folder)
    pq.write_table(table.drop_columns(["ap_low", "ap_high"]), folder / journal.RESULTS)
    write(folder, row("b", key="1", ap_low=0.25))

    folded = journal.fold(folder)

    assert folded.schema.equals(schema())
    assert folded["ap_low"].to_pylist() == [None, 0.25]
