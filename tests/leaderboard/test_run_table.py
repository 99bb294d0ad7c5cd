"""The table at the end of a run is cached until its inputs change."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from odbench.leaderboard import run_table
from odbench.leaderboard.run_table import BOARD, Asked, table_of_run
from odbench.leaderboard.tables import build_leaderboard
from odbench.leaderboard.terminal import render_table
from odbench.results import read_results
from odbench.text import counted
from tests.reference.trials import frame, place, random_trials, trial


@pytest.fixture
def run(tmp_path, rng):
    return place(frame(random_trials(rng)), tmp_path / "run")


@pytest.fixture
def builds(monkeypatch):
    """Count how often a leaderboard is computed."""
    calls = []

    def build(results):
        calls.append(len(results))
        return build_leaderboard(results)

    monkeypatch.setattr(run_table, "build_leaderboard", build)
    return calls


def test_the_table_is_that_of_the_whole_results(run):
    board = build_leaderboard(read_results(run))

    assert table_of_run(run).text == render_table(board)
    assert (run / BOARD).read_text() == board.to_csv(index=False)


def test_nothing_is_computed_twice(run, builds):
    first = table_of_run(run)
    written = (run / BOARD).stat().st_mtime_ns

    assert table_of_run(run) == first
    assert len(builds) == 1
    assert (run / BOARD).stat().st_mtime_ns == written


def test_the_text_is_kept_for_the_width_of_the_terminal(run, monkeypatch):
    wide, narrow = table_of_run(run, width=200), table_of_run(run, width=40)
    assert narrow.text != wide.text
    with monkeypatch.context() as patch:
        patch.setattr(run_table, "_rendered", lambda *_: pytest.fail("rendered again"))
        assert table_of_run(run, width=40) == narrow
    assert table_of_run(run, width=200) == wide


def other_results(run):
    results = read_results(run)
    results.loc[results["status"] == "ok", "auroc"] = 0.5
    place(results, run)


def same_size_and_time(run):
    path = run / "results.parquet"
    before = path.stat()
    data = bytearray(path.read_bytes())
    other_results(run)
    assert bytes(data) != path.read_bytes()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def edited_board(run):
    (run / BOARD).write_text("mine\n")


def lost_board(run):
    (run / BOARD).unlink()


def broken_memory(run):
    (run / ".leaderboard.json").write_text('{"of": 1, "board": [')


def memory_of_something_else(run):
    (run / ".leaderboard.json").write_text("[1]")


@pytest.mark.parametrize(
    "change",
    [
        other_results,
        same_size_and_time,
        edited_board,
        lost_board,
        broken_memory,
        memory_of_something_else,
    ],
)
def test_what_changed_is_computed_anew(run, builds, change):
    table_of_run(run)
    change(run)

    table = table_of_run(run)

    assert len(builds) == 2
    assert table.text == render_table(build_leaderboard(read_results(run)))
    board = pd.read_csv(run / BOARD)
    assert np.isfinite(board["mean_auroc"]).all()


def test_a_remark_is_made_each_time(tmp_path):
    results = frame(random_trials(np.random.default_rng(1)))
    results.loc[results["dataset"] == "set 03", ["n_anomalies", "auroc"]] = None
    run = place(results, tmp_path / "run")

    (first,) = table_of_run(run).remarks

    assert "1 data set has no public labels" in first
    assert table_of_run(run).remarks == [first]


def test_labels_are_not_blamed_for_the_machines_faults(tmp_path):
    trials = [trial("a", "knn", status="environment", reason="no memory")]
    machine = table_of_run(place(frame(trials), tmp_path / "machine"))
    hidden = {"status": "ok", "n_anomalies": None}
    private = table_of_run(
        place(frame([trial("a", "knn", **hidden)]), tmp_path / "private")
    )

    assert "labels" not in machine.text
    assert (machine.is_unlabelled, private.is_unlabelled) == (False, True)


def changed(results, **change):
    """Results in which a changed thing was tried once more on the first set."""
    again = results[results["dataset"] == "set 00"].assign(generation=2, **change)
    same = ["dataset", "detector", "config", "config_id", "seed"]
    # As a fold leaves them: the newest of each trial.
    return pd.concat([results, again]).drop_duplicates(same, keep="last")


@pytest.mark.parametrize(
    ("change", "old"),
    [
        ({"detector_version": "2.0"}, 22),
        # Other parameters make another configuration: its old trials are not replaced.
        ({"detector_version": "2.0", "config_id": "new"}, 24),
    ],
)
def test_trials_of_earlier_versions_are_left_out(tmp_path, change, old):
    results = frame(random_trials(np.random.default_rng(1), missing=0, methods=2))
    results["generation"] = 1
    one = results["detector"] == "method 0"
    mixed = pd.concat([changed(results[one], **change), results[~one]])

    (remark,) = table_of_run(place(mixed, tmp_path / "run")).remarks

    assert f"{old} rows of an earlier version of method 0 are ignored" in remark
    drop = f"odbench runs drop {tmp_path / 'run'} --detector 'method 0' --old"
    assert f"`{drop}` removes them" in remark
    board = pd.read_csv(tmp_path / "run" / BOARD).set_index("detector")
    assert board["n_datasets"].to_dict() == {"method 0": 1, "method 1": 12}


def test_trials_on_earlier_contents_are_left_out_and_told(tmp_path):
    results = frame(random_trials(np.random.default_rng(1), missing=0, methods=2))
    results["generation"] = 1
    again = (results["dataset"] == "set 00") & (results["detector"] == "method 0")
    results.loc[again, "content_sha256"] = "new"
    results.loc[again, "generation"] = 2

    (remark,) = table_of_run(place(results, tmp_path / "run")).remarks

    assert "2 rows of an earlier content of set 00 are ignored" in remark
    assert "--dataset 'set 00' --old` removes them" in remark


def asking(results, *, detectors=None, datasets=None, protocol="one-class"):
    """Everything in the results, or only these detectors or data sets of it."""
    rows = results
    rows = rows if detectors is None else rows[rows["detector"].isin(detectors)]
    rows = rows if datasets is None else rows[rows["dataset"].isin(datasets)]
    places = rows[["suite", "partition", "dataset"]]
    return Asked(
        datasets=frozenset(places.itertuples(index=False, name=None)),
        configurations=frozenset(
            rows[["detector", "config_id"]].itertuples(index=False, name=None)
        ),
        protocol=protocol,
    )


def test_asking_for_everything_changes_nothing(run):
    results = read_results(run)

    assert table_of_run(run, asking(results)) == table_of_run(run)


def test_only_what_was_asked_is_shown_and_judged(run):
    results = read_results(run)
    names, sets = ["method 1", "method 2"], [f"set {d:02d}" for d in range(8)]
    wanted = results["detector"].isin(names) & results["dataset"].isin(sets)

    table = table_of_run(run, asking(results, detectors=names, datasets=sets))

    assert table.text == render_table(build_leaderboard(results[wanted]))
    (remark,) = table.remarks
    assert remark.startswith(f"{(~wanted).sum()} results that this call did not ask")
    assert "(of method 0, method 3, method 4; on 4 other data sets)" in remark
    assert f"`odbench leaderboard show {run}` shows all" in remark


def test_the_file_has_everything_in_the_folder(run):
    results = read_results(run)

    table_of_run(run, asking(results, detectors=["method 1"]))

    board = build_leaderboard(results)
    assert (run / BOARD).read_text() == board.to_csv(index=False)


def test_another_question_makes_another_table(run):
    results = read_results(run)
    first = table_of_run(run, asking(results, detectors=["method 1"]))
    second = table_of_run(run, asking(results, detectors=["method 2"]))

    assert first.text != second.text
    assert table_of_run(run, asking(results, detectors=["method 1"])) == first


def test_results_of_another_setting_are_told(tmp_path):
    rows = list(random_trials(np.random.default_rng(1)))
    other = [row | {"protocol": "unsupervised"} for row in rows]
    run = place(frame(rows + other), tmp_path / "run")

    table = table_of_run(run, asking(frame(rows)))

    assert table.text == render_table(build_leaderboard(frame(rows)))
    assert f"{len(rows)} results" in table.remarks[0]
    assert "(in the setting unsupervised)" in table.remarks[0]


def test_seeds_that_were_not_asked_for_are_told(tmp_path):
    rows = list(random_trials(np.random.default_rng(1)))
    n_seeds = 1 + max(row["seed"] for row in rows)
    other = [
        row | {"seed": n_seeds + row["seed"], "auroc": 0.111}
        for row in rows
        if row["detector"] == "method 1"
    ]
    run = place(frame(rows + other), tmp_path / "run")

    table = table_of_run(run, replace(asking(frame(rows)), seeds=n_seeds))

    assert table.text == render_table(build_leaderboard(frame(rows)))
    assert f"{len(other)} results" in table.remarks[0]
    assert f"(with {counted(n_seeds, 'other seed')})" in table.remarks[0]


def test_one_class_results_count_in_a_transductive_table(tmp_path):
    rows = list(random_trials(np.random.default_rng(1), failing=0, missing=0))
    own = [
        row
        | {"protocol": "transductive", "auroc": 0.111, "config_id": "method 1/default"}
        for row in rows
        if row["detector"] == "method 1"
    ]
    run = place(frame(rows + own), tmp_path / "run")

    table = table_of_run(run, asking(frame(rows + own), protocol="transductive"))

    expected = [row for row in rows if row["detector"] != "method 1"] + own
    expected = frame(row | {"protocol": "transductive"} for row in expected)
    assert table.text == render_table(build_leaderboard(expected))


def test_one_class_results_stand_in_where_the_machine_was_at_fault(tmp_path):
    rows = list(random_trials(np.random.default_rng(1), failing=0, missing=0))
    own = [
        row | {"protocol": "transductive", "status": "environment", "auroc": None}
        for row in rows
        if row["detector"] == "method 1"
    ]
    run = place(frame(rows + own), tmp_path / "run")

    table = table_of_run(run, asking(frame(rows + own), protocol="transductive"))

    expected = frame(row | {"protocol": "transductive"} for row in rows)
    assert table.text == render_table(build_leaderboard(expected))
