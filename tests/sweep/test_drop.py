"""Removing results: only those that match, in one step, with their scores."""

import itertools

import numpy as np
import pyarrow.parquet as pq
import pytest

from odbench.errors import RunLockedError, UsageError
from odbench.results import read_results, scores_file
from odbench.sweep.drop import Filters, drop_results, find_results
from odbench.sweep.finished import finished
from odbench.sweep.fold import fold
from odbench.sweep.folder import locked
from odbench.sweep.inventory import find_runs, inventory
from odbench.sweep.journal import FOLDER, journals
from tests.reference.sweep import row, write


def rows():
    """Return one trial per data set, detector and status, with a key of its own."""
    names = itertools.product(["a", "ab", "c"], ["knn", "lof"])
    return [
        row(
            name,
            detector=detector,
            key=f"{number:032x}",
            status="failed" if (name, detector) == ("c", "lof") else "ok",
            suite="ovrbench" if name == "c" else "oddbench",
        )
        for number, (name, detector) in enumerate(names)
    ]


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    (folder / FOLDER).mkdir(parents=True)
    write(folder, *rows(), generation=1)
    fold(folder)
    for one in rows():
        if one["status"] == "ok":
            file = scores_file(folder, one)
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, np.zeros(3))
            np.save(file.with_name("test-rows-one-class-c-0.npy"), np.arange(3))
    return folder


def left(run):
    results = read_results(run)
    return list(zip(results["dataset"], results["detector"], strict=True))


def scores(run):
    return sorted(
        path.name.split("-")[0] + " " + path.parent.name
        for path in (run / "scores").rglob("*.npy")
        if not path.name.startswith("test-rows")
    )


def lists_of_rows(run):
    return sorted(path.parent.name for path in run.rglob("test-rows-*"))


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        ({"detector": "knn"}, lambda r: r["detector"] == "knn"),
        ({"dataset": "a*"}, lambda r: r["dataset"] in ("a", "ab")),
        ({"suite": "ovrbench"}, lambda r: r["suite"] == "ovrbench"),
        ({"status": "failed"}, lambda r: r["status"] == "failed"),
        (
            {"detector": "lof", "dataset": "?"},
            lambda r: r["detector"] == "lof" and len(r["dataset"]) == 1,
        ),
    ],
)
def test_the_results_that_match_all_filters_go_with_their_scores(run, filters, matches):
    stay = [one for one in rows() if not matches(one)]
    before = find_results(run, Filters(**filters))

    dropped = drop_results(run, Filters(**filters))

    assert dropped == before
    assert (dropped.total, dropped.rest) == (6 - len(stay), len(stay))
    expected = [(one["dataset"], one["detector"]) for one in stay]
    assert sorted(left(run)) == sorted(expected)
    kept = [one for one in stay if one["status"] == "ok"]
    assert scores(run) == sorted(f"{o['detector']} {o['dataset']}" for o in kept)
    assert lists_of_rows(run) == sorted({one["dataset"] for one in kept})
    assert set(finished(run)._sorted) == {
        bytes.fromhex(one["key"]).rstrip(b"\0") for one in stay
    }


def test_only_earlier_versions_go(run):
    write(run, row("a", detector_version="2", key="f" * 32), generation=2)
    fold(run)

    dropped = drop_results(run, Filters(old=True))

    # The row on "a" was replaced by the fold, and the one on "c" is of another suite.
    assert dropped.lines() == ["knn: 1 result (1 ok)"]
    assert ("ab", "knn") not in left(run)
    assert len(left(run)) == 5
    assert drop_results(run, Filters(old=True)).total == 0


def test_without_a_filter_nothing_is_removed():
    with pytest.raises(UsageError, match="give --detector, --dataset, --suite, --stat"):
        Filters()


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"detector": "kn"}, "--detector 'kn'.*wanted one of knn, lof"),
        ({"suite": "adbench"}, "--suite 'adbench'.*oddbench, ovrbench"),
        ({"status": "bad"}, "status 'bad': wanted one of ok, failed"),
    ],
)
def test_a_name_that_is_not_there_is_refused_and_nothing_changes(run, filters, named):
    before = (run / "results.parquet").read_bytes()

    with pytest.raises(UsageError, match=named):
        drop_results(run, Filters(**filters))

    assert (run / "results.parquet").read_bytes() == before


def test_a_folder_without_a_run_is_named_and_not_made_one(tmp_path):
    with pytest.raises(UsageError, match="holds no run"):
        drop_results(tmp_path, Filters(old=True))

    assert not list(tmp_path.iterdir())


def test_a_run_that_is_being_written_to_is_left_alone(run):
    with locked(run), pytest.raises(RunLockedError, match="is writing to it"):
        drop_results(run, Filters(detector="knn"))

    assert len(left(run)) == 6


def test_results_of_an_interrupted_run_are_removed_too(run):
    write(run, row("d", detector="late", key="9" * 32), row("d", key="8" * 32))

    dropped = drop_results(run, Filters(detector="late"))

    assert dropped.total == 1
    assert journals(run) == []
    assert ("d", "knn") in left(run)


def test_a_full_disk_changes_neither_results_nor_scores(run, monkeypatch):
    before, files = (run / "results.parquet").read_bytes(), scores(run)

    def full(self, table):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        drop_results(run, Filters(detector="knn"))

    assert (run / "results.parquet").read_bytes() == before
    assert scores(run) == files


def test_an_inventory_counts_results_versions_and_leftovers(run):
    write(run, row("a", detector_version="2", key="f" * 32), generation=2)
    fold(run)
    write(run, row("z"), row("y"), generation=3)

    found = inventory(run)

    assert (found.trials, found.failed, found.earlier) == (6, 1, 1)
    assert (found.journals, found.journaled) == (1, 1)
    assert found.suites == ["oddbench", "ovrbench"]
    versions = {
        (v["suite"], v["detector"], v["detector_version"], v["present"]): v["trials"]
        for v in found.versions
    }
    assert versions == {
        ("oddbench", "knn", "1", False): 1,
        ("oddbench", "knn", "2", True): 1,
        ("oddbench", "lof", "1", True): 2,
        ("ovrbench", "knn", "1", True): 1,
        ("ovrbench", "lof", "1", True): 1,
    }


def test_runs_are_found_below_a_folder_or_in_it(run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "begun/journal").mkdir(parents=True)
    write(tmp_path / "begun", row("a"))

    assert find_runs(tmp_path) == [tmp_path / "begun", run]
    assert find_runs(run) == [run]
    with pytest.raises(UsageError, match="no such folder"):
        find_runs(tmp_path / "nowhere")
