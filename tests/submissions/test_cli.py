"""The submission commands, from drawing a private partition to evaluating a method."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odbench.cli import main
from odbench.data.catalog import select
from odbench.results import read_results
from odbench.submissions.checking import open_submission
from odbench.submissions.dataset_list import DatasetList, read_dataset_list
from tests.reference.trials import place
from tests.submissions.submission_world import World, make_world

ABOUT = ["--method", "Mine", "--author", "A. Person", "--training-data", "none"]


@pytest.fixture
def world(tmp_path, rng):
    world = make_world(tmp_path, rng)
    world.sets.write(tmp_path / "sets.json")
    return world


@pytest.fixture
def odbench(capsys):
    """Run the command line; return exit code, standard output, standard error."""

    def run(*arguments) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run


def evaluate(odbench, world, archive, *more):
    return odbench(
        "submission", "evaluate", archive, "--labels", world.labels,
        "--leaderboard", world.leaderboard, "--submitter", "person",
        "--sets", world.folder / "sets.json", *more,
    )  # fmt: skip


def test_pack_check_evaluate(odbench, world, rng, tmp_path):
    run = world.run(world.scores(rng, 1.0))
    sets = ["--sets", tmp_path / "sets.json"]

    packed = odbench(
        "submission", "pack", run, "--out", tmp_path / "m.zip", *ABOUT, *sets
    )
    checked = odbench("submission", "check", tmp_path / "m.zip", *sets)
    code, out, err = evaluate(odbench, world, tmp_path / "m.zip", "--format", "json")

    assert packed[0] == checked[0] == code == 0, err
    assert "24 of 24 data sets" in packed[1]
    assert "can be evaluated" in checked[1]
    row = json.loads(out)
    assert (row["method"], row["tier"], row["submitter"]) == (
        "Mine",
        "re-scored",
        "person",
    )
    code, out, _ = odbench("submission", "log", "--leaderboard", world.leaderboard)
    assert (code, out.split(",")[0]) == (0, "evaluations: 1")


def test_scores_of_an_earlier_version_are_not_packed_and_that_is_told(
    odbench, world, rng, tmp_path
):
    run = world.run(world.scores(rng, 1.0))
    results = read_results(run).assign(generation=2)
    old = results["dataset"] < "hidden_06"
    results.loc[old, ["detector_version", "generation"]] = ["1.1", 1]
    place(results, run)
    out = tmp_path / "m.zip"

    code, text, err = odbench(
        "submission", "pack", run, "--out", out, *ABOUT, "--sets",
        tmp_path / "sets.json",
    )  # fmt: skip

    assert code == 0
    assert "18 of 24 data sets" in text
    drop = f"`odbench runs drop {run} --detector mine --old` removes them"
    told = f"odbench: 6 rows of an earlier version of mine are ignored; {drop}"
    assert told in err.splitlines()
    assert "cannot be evaluated: 18 scored data sets; wanted at least 20" in err
    with open_submission(out, world.sets) as submission:
        assert submission.statement.version == "1.2"


def test_a_run_without_finished_trials_is_to_be_continued(
    odbench, world, rng, tmp_path
):
    run = world.run(world.scores(rng, 1.0))
    place(read_results(run).head(0), run)

    code, _, err = odbench("submission", "pack", run, "--out", tmp_path / "m.zip")

    assert code == 2
    assert "has no finished trials; repeat its `odbench run`" in err
    assert not (tmp_path / "m.zip").exists()


def test_data_sets_that_were_never_measured_are_told(odbench, tmp_path, monkeypatch):
    listed = select("synbench-mini", partition="public", offline=True)
    unknown = [replace(record, n_test=0) for record in listed[:2]]
    monkeypatch.setattr(
        "odbench.data.catalog.select", lambda *_, **__: [*unknown, *listed[2:]]
    )

    code, text, err = odbench(
        "submission", "sets", "--suite", "synbench-mini", "--partition", "public",
        "--out", tmp_path / "sets.json",
    )  # fmt: skip

    assert code == 0
    assert f"{len(listed) - 2} data sets" in text
    assert err.startswith("odbench: suite 'synbench-mini': 2 data sets of its manifest")
    assert err.count("\n") == 1


def test_a_run_can_be_packed_without_options(
    odbench, world, rng, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    sets = ["--sets", "sets.json"]

    code, out, err = odbench(
        "submission", "pack", world.run(world.scores(rng, 1.0)), *sets
    )
    assert code == 0, err
    code, out, err = odbench(
        "submission", "evaluate", "submission.zip", "--labels", world.labels,
        "--leaderboard", world.leaderboard, *sets, "--format", "json",
    )  # fmt: skip

    assert code == 0, err
    row = json.loads(out)
    assert (row["method"], row["authors"]) == ("mine", "unnamed")
    assert (row["training_data"], row["submitter"]) == ("not stated", "unverified")


def test_missing_data_sets_are_reported(odbench, world, rng, tmp_path):
    scores = {**world.scores(rng, 1.0), "hidden_07": None}

    code, out, err = odbench(
        "submission", "pack", world.run(scores), "--out", tmp_path / "m.zip", *ABOUT,
        "--sets", tmp_path / "sets.json",
    )  # fmt: skip

    assert code == 0
    assert "23 of 24" in out
    assert "count as AUROC 0 and AP 0: hidden_07" in err


def test_the_second_evaluation_in_a_week_is_refused(odbench, world, rng):
    assert evaluate(odbench, world, world.submit(world.scores(rng, 1.0)))[0] == 0

    code, out, err = evaluate(odbench, world, world.submit(world.scores(rng, 2.0)))

    assert (code, out) == (2, "")
    assert err.startswith("odbench: method 'Mine': too many evaluations")


def test_commit_reveal_verify(odbench, world, tmp_path):
    sets = ["--sets", tmp_path / "sets.json", "--labels", world.labels]
    salt = ["--salt-file", tmp_path / "salt"]
    promises, keys = tmp_path / "commitments.json", tmp_path / "keys.json"

    assert odbench("submission", "commit", *sets, *salt, "--out", promises)[0] == 0
    assert odbench("submission", "reveal", *sets[:2], *salt, "--out", keys)[0] == 0
    check = ["submission", "verify", *sets, "--commitments", promises, "--keys", keys]
    assert odbench(*check)[0] == 0

    file = world.labels / "synbench" / "hidden_00.npy"
    np.save(file, np.load(file)[::-1])
    code, out, _ = odbench(*check)
    assert code == 3
    assert out == "data set 'hidden_00': labels or key do not match\n"


def test_labels_are_checked_against_commitments_before_scoring(
    odbench, world, rng, tmp_path
):
    sets = ["--sets", tmp_path / "sets.json", "--labels", world.labels]
    promise = ["--commitments", tmp_path / "c.json", "--salt-file", tmp_path / "salt"]
    odbench("submission", "commit", *sets, *promise[2:], "--out", tmp_path / "c.json")
    archive = world.submit(world.scores(rng, 1.0))
    for half in (promise[:2], promise[2:]):
        code, _, err = evaluate(odbench, world, archive, *half)
        assert (code, "is missing" in err) == (2, True)

    file = world.labels / "synbench" / "hidden_00.npy"
    right = file.read_bytes()
    np.save(file, np.load(file)[::-1])
    code, _, err = evaluate(odbench, world, archive, *promise)
    assert code == 2
    assert "differ from the commitments" in err

    file.write_bytes(right)
    assert evaluate(odbench, world, archive, *promise)[0] == 0


def test_without_a_list_the_manifest_decides(odbench, tmp_path):
    out = tmp_path / "sets.json"

    code, _, err = odbench(
        "submission",
        "sets",
        "--suite",
        "oddbench",
        "--partition",
        "private",
        "--out",
        out,
    )

    assert code == 0, err
    sets = read_dataset_list(out)
    assert (sets.suite, sets.partition) == ("oddbench", "private")
    assert all(expected.content_sha256 for expected in sets.sets)


def test_without_a_list_and_a_manifest_the_next_step_is_told(odbench, world, rng):
    archive = world.submit(world.scores(rng, 1.0))
    none = "its manifest has no measured data set of the partition 'private'"

    code, _, err = odbench("submission", "check", archive)
    assert (code, none in err, "list with --sets" in err) == (2, True, True)
    out = world.folder / "none.json"
    code, _, err = odbench("submission", "sets", "--suite", "synbench", "--out", out)
    assert (code, none in err, "features with --from" in err) == (2, True, True)


def test_rows_over_the_limit_are_counted_as_the_protocol_counts(odbench, tmp_path):
    out = tmp_path / "sets.json"
    odbench(
        "submission",
        "sets",
        "--suite",
        "oddbench",
        "--partition",
        "public",
        "--out",
        out,
    )
    sets = read_dataset_list(out).sets

    large = [s for s in sets if s.n_train + s.n_test > 100_000]

    assert large
    for expected in large:
        total = expected.n_train + expected.n_test
        kept = round(100_000 * expected.n_train / total)
        assert expected.n_scored == 100_000 - kept
    assert all(s.n_scored == s.n_test for s in sets if s not in large)


@pytest.mark.parametrize("command", ["check", "evaluate"])
@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_a_file_that_is_not_an_archive_is_one_line(
    odbench, world, tmp_path, command, content
):
    file = tmp_path / "x.zip"
    file.write_bytes(content)

    if command == "check":
        code, out, err = odbench("submission", "check", file)
    else:
        code, out, err = evaluate(odbench, world, file)

    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "x.zip" in err


@pytest.mark.parametrize("suite", ["\x1b[31m", "../x", "a\nb", "nonsense", 3])
def test_an_archive_for_an_unknown_suite_is_one_plain_line(odbench, world, rng, suite):
    archive = world.submit(world.scores(rng, 1.0), suite=suite)

    code, out, err = odbench("submission", "check", archive)

    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err


def test_a_private_partition_can_be_scored_with_numpy_alone(odbench, rng, tmp_path):
    """Features come from the generator; the scores are made with numpy only."""
    made = tmp_path / "partition"
    code, _, err = odbench(
        "synbench", "private", "--seed-file", tmp_path / "seed", "--count", 20,
        "--out", made,
    )  # fmt: skip
    assert code == 0, err
    sets_file = tmp_path / "sets.json"
    odbench(
        "submission", "sets", "--suite", "synbench", "--from", made / "features",
        "--out", sets_file,
    )  # fmt: skip
    sets: DatasetList = read_dataset_list(sets_file)
    world = World(folder=tmp_path, sets=sets, truth={})
    scores = {}
    for file in sorted((made / "features" / "private").glob("*.npz")):
        with np.load(file) as members:
            train, test = members["train"], members["test"]
        spread = train.std(axis=0) + 1e-9
        away = np.abs((test - np.median(train, axis=0)) / spread).mean(axis=1)
        scores[file.stem] = away.astype(np.float32)

    code, out, err = odbench(
        "submission", "evaluate", world.submit(scores), "--sets", sets_file,
        "--labels", made / "labels", "--leaderboard", world.leaderboard,
        "--submitter", "person", "--format", "csv",
    )  # fmt: skip

    assert code == 0, err
    header, values = out.splitlines()
    row = dict(zip(header.split(","), values.split(","), strict=True))
    assert row["n_datasets"] == "20"
    assert 0.5 < float(row["mean_auroc"]) < 1


def test_help_loads_no_heavy_packages():
    import subprocess

    code = (
        "import sys\nfrom odbench.cli import _run\n_run(['submission', '--help'])\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'sklearn', 'huggingface_hub'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)


def test_the_log_of_a_missing_folder_is_an_error(odbench, tmp_path):
    code, out, err = odbench("submission", "log", "--leaderboard", tmp_path / "nope")

    assert (code, out) == (2, "")
    assert "nope': no such folder" in err
    assert odbench("submission", "log", "--leaderboard", tmp_path)[1].startswith(
        "evaluations: 0"
    )
