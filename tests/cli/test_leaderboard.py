"""`odbench leaderboard` from the outside: output, files and exit codes."""

import io
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from odbench.cli import main
from odbench.leaderboard.tables import COLUMNS
from tests.reference.trials import frame, place, random_trials, trial
from tests.submissions.submission_world import make_world

FAST = ["--permutations", "20"]


@pytest.fixture
def run(rng, tmp_path):
    return str(place(frame(random_trials(rng, datasets=25)), tmp_path / "run"))


@pytest.fixture
def call(capsys):
    def called(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["leaderboard", *map(str, arguments)])
        streams = capsys.readouterr()
        return stopped.value.code, streams.out, streams.err

    return called


def test_build_writes_shows_and_checks(call, run, tmp_path):
    out = tmp_path / "board"

    code, text, said = call("build", run, "--out", out, *FAST)

    assert code == 0
    assert "toy / public, one-class: 5 configurations on 25 data sets" in text
    assert "files written" in said
    assert (out / "toy" / "public.csv").is_file()
    assert call("build", run, "--out", out, "--check", *FAST)[0] == 0


def test_the_tables_of_a_run_do_not_go_into_its_folder(call, run):
    before = sorted(Path(run).rglob("*"))

    code, _, said = call("build", run, "--out", run, *FAST)

    assert code == 2
    assert "is the folder of a run; name another folder" in said
    assert sorted(Path(run).rglob("*")) == before


def test_check_names_the_first_file_that_differs_and_changes_nothing(
    call, run, tmp_path
):
    out = tmp_path / "board"
    call("build", run, "--out", out, *FAST)
    (out / "toy" / "slices.csv").write_text("edited")

    code, text, said = call("build", run, "--out", out, "--check", *FAST)

    assert (code, text) == (3, "")
    assert "slices.csv differs" in said
    assert (out / "toy" / "slices.csv").read_text() == "edited"


def test_check_of_other_settings_differs(call, run, tmp_path):
    out = tmp_path / "board"
    call("build", run, "--out", out, *FAST)

    assert call("build", run, "--out", out, "--check", "--permutations", "21")[0] == 3


def test_a_run_and_its_built_folder_show_the_same(call, run, tmp_path):
    out = tmp_path / "board"
    call("build", run, "--out", out, *FAST)

    from_run = call("show", run, *FAST)
    from_folder = call("show", out)

    assert from_run == from_folder


def test_show_gives_csv_and_json(call, run):
    _, text, _ = call("show", run, "--format", "csv", *FAST)
    _, data, _ = call("show", run, "--format", "json", *FAST)

    table = pd.read_csv(io.StringIO(text))
    assert list(table.columns) == list(COLUMNS)
    rows = json.loads(data)
    assert [row["detector"] for row in rows] == table["detector"].tolist()


@pytest.mark.slow
def test_show_one_slice_or_one_level(call, run, tmp_path):
    out = tmp_path / "board"
    call("build", run, "--out", out, *FAST)

    for source in (run, out):
        _, both, _ = call("show", source, "--slice", "domain", *FAST)
        _, one, _ = call("show", source, "--slice", "domain=Human", *FAST)
        assert "domain: Science" in both
        assert "domain: Human" in both
        assert "domain: Science" not in one


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "--out", "paper", "--format", "csv"),
        ("show", "--with-published"),
        ("eval-results", "--method", "knn"),
    ],
)
def test_a_suite_that_a_run_does_not_have_is_named(call, run, arguments):
    verb, *more = arguments

    code, _, said = call(verb, run, "--suite", "other", *more)

    assert code == 2
    assert "--suite 'other': not in these results; wanted toy" in said


def test_show_under_another_policy_says_so(call, run, tmp_path):
    _, text, _ = call("show", run, "--policy", "worst", *FAST)

    assert "Failures: worst (the worst that any method reached there" in text


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--slice", "colour"], "slice 'colour': not in these results"),
        (["--slice", "domain=Moon"], "slice 'domain=Moon'"),
        (["--suite", "other"], "nothing for suite 'other'; it has "),
        (["--sort", "beauty"], "sort column 'beauty'"),
        (["--policy", "kind"], "'kind' is not one of"),
        (["--permutations", "-1"], "-1 is not in the range"),
        (["--permutations", "1000001"], "1000001 is not in the range"),
        (["--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_two(call, run, arguments, named):
    code, text, said = call("show", run, *arguments)

    assert (code, text) == (2, "")
    assert named in said
    assert said.count("\n") == 1


def test_a_built_folder_has_no_table_for_rarer_policies(call, run, tmp_path):
    out = tmp_path / "board"
    call("build", run, "--out", out, *FAST)

    code, _, said = call("show", out, "--policy", "worst")

    assert code == 2
    assert "name the run to compute it from" in said


@pytest.mark.parametrize("verb", ["show", "build"])
def test_a_path_without_results_is_named(call, tmp_path, verb):
    extra = ["--out", tmp_path / "out"] if verb == "build" else []

    code, _, said = call(verb, tmp_path / "nowhere", *extra)

    assert code == 2
    assert "nowhere" in said


def test_diff_of_two_builds(call, rng, run, tmp_path):
    other = place(frame(random_trials(rng, datasets=25)), tmp_path / "other")

    code, text, _ = call("diff", run, other, *FAST)
    _, data, _ = call("diff", run, other, "--format", "json", *FAST)

    assert code == 0
    assert "within interval" in text
    assert {row["detector"] for row in json.loads(data)} == {
        f"method {m}" for m in range(5)
    }


@pytest.fixture
def board(call, run, rng, tmp_path):
    """Build a folder that holds evaluated submissions, too."""
    world = make_world(tmp_path, rng)
    world.evaluate(world.submit(world.scores(rng, 1.0)))
    call("build", run, "--out", world.leaderboard, *FAST)
    return world


def test_settings_of_a_built_folder_are_said_to_stay(call, run, tmp_path):
    call("build", run, "--out", tmp_path / "board", *FAST)

    _, _, said = call("show", tmp_path / "board", *FAST)
    _, _, plain = call("show", tmp_path / "board")

    assert "is as it was built; --permutations" in said
    assert plain == ""


def test_a_policy_that_leaves_no_data_set_is_named(call, tmp_path):
    trials = [trial(f"set {d}", "knn", 0.5) for d in range(3)]
    trials += [trial(f"set {d}", "lof", None) for d in range(3)]
    run = place(frame(trials), tmp_path / "run")

    code, _, said = call("show", run, "--policy", "complete-case")

    assert code == 2
    assert "nothing for policy 'complete-case'; that policy leaves no data set" in said


def test_show_prints_results_and_submissions(call, board):
    code, text, _ = call("show", board.leaderboard)
    _, private, _ = call("show", board.leaderboard, "--partition", "private")
    _, rows, _ = call(
        "show", board.leaderboard, "--partition", "private", "--format", "json"
    )
    _, results, _ = call("show", board.leaderboard, "--format", "csv")

    assert code == 0
    assert "toy / public" in text
    assert "synbench / private, evaluated submissions: 1 method on 24 data sets" in text
    assert "toy / public" not in private
    (row,) = json.loads(rows)
    assert (row["method"], row["tier"]) == ("Mine", "re-scored")
    assert "Mine" not in results


def test_show_prints_submissions_where_there_are_no_results(call, board, tmp_path):
    alone = tmp_path / "alone" / "synbench"
    alone.mkdir(parents=True)
    shutil.copy(board.leaderboard / "synbench" / "private.csv", alone)
    shutil.copy(board.leaderboard / "audit.jsonl", alone.parent)

    code, text, _ = call("show", alone.parent)

    assert code == 0
    assert text.startswith("synbench / private, evaluated submissions")


def edit_auroc(board):
    table = board.leaderboard / "synbench" / "private.csv"
    text = table.read_text()
    (before,) = re.findall(r",24,0,(0\.\d+)", text)
    table.write_text(text.replace(f",24,0,{before}", ",24,0,0.999"))
    return f"row 'Mine': mean_auroc is 0.999, and the audit log has {before}"


def edit_log(board):
    log = board.leaderboard / "audit.jsonl"
    log.write_text(log.read_text().replace('"mean_ap":0.', '"mean_ap":0.9'))
    return "line 1 does not match the hash chain"


def lose_log(board):
    (board.leaderboard / "audit.jsonl").unlink()
    return "restore the log from a copy"


@pytest.mark.parametrize("edit", [edit_auroc, edit_log, lose_log])
def test_a_table_that_the_audit_log_does_not_give_is_not_used(board, run, capsys, edit):
    """By none of the commands that show, build or send it."""
    said, folder = edit(board), str(board.leaderboard)
    page = (board.leaderboard / "index.html").read_bytes()

    for words in (
        ["leaderboard", "build", run, "--out", folder, *FAST],
        ["leaderboard", "build", run, "--out", folder, "--check", *FAST],
        ["leaderboard", "show", folder],
        ["leaderboard", "publish", folder, "--repo", "a/b", "--dry-run"],
        ["submission", "log", "--leaderboard", folder],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        out, err = capsys.readouterr()
        assert stopped.value.code == 2, words
        assert said in err
        assert "restore" in err
        assert err.count("\n") == 1
        assert not out
    assert (board.leaderboard / "index.html").read_bytes() == page


@pytest.mark.slow
def test_a_new_evaluation_shows_in_the_check(call, board, run, rng):
    build = ["build", run, "--out", board.leaderboard, *FAST]
    assert call(*build, "--check")[0] == 0
    before = (board.leaderboard / "synbench" / "private.csv").read_bytes()

    board.evaluate(board.submit(board.scores(rng, 2.0), method="Other"))
    code, _, err = call(*build, "--check")

    assert code == 3
    assert "differs from what the results give" in err
    assert call(*build)[0] == 0
    assert call(*build, "--check")[0] == 0
    assert (board.leaderboard / "synbench" / "private.csv").read_bytes() != before


def test_check_names_a_table_of_another_build(call, run, tmp_path):
    out = tmp_path / "board"
    call("build", run, "--out", out, *FAST)
    (out / "old").mkdir()
    (out / "old" / "public.csv").write_text("suite\n")

    code, _, said = call("build", run, "--out", out, "--check", *FAST)

    assert code == 3
    assert "public.csv does not come from these results; remove it" in said


def test_a_run_and_its_built_folder_agree_with_themselves(call, rng, tmp_path):
    trials = random_trials(rng, datasets=30)
    run, out = place(frame(trials), tmp_path / "run"), tmp_path / "board"
    call("build", run, "--out", out, "--permutations", "1")

    for pair in ((run, run), (run, out), (out, run)):
        _, data, _ = call("diff", *pair, "--format", "json", "--permutations", "1")
        assert all(row["within_interval"] for row in json.loads(data))


def test_ratings_without_variation_have_no_interval(call, rng, tmp_path):
    trials = [
        t | {"auroc": 0.8 - int(t["detector"][-1]) / 100, "ap": 0.4}
        for t in random_trials(rng, datasets=30, failing=0, missing=0)
    ]
    run = place(frame(trials), tmp_path / "run")

    _, text, _ = call("show", run, "--format", "csv", *FAST)
    _, shown, _ = call("show", run, *FAST)

    table = pd.read_csv(io.StringIO(text))
    # By AUROC the order is always the same, by AP all tie.
    assert table[["elo_auroc_low", "elo_ap_low"]].isna().all(axis=None)
    assert "±0 " not in shown
    assert "No Elo intervals: a group of configurations wins every comparison." in shown


def test_a_run_is_shown_among_the_published_results(call, tmp_path):
    from odbench.leaderboard.published import read_published

    known = read_published().trials.query("detector == 'knn' and suite == 'adbench'")
    mine = known.head(12).assign(detector="mine", n_train=9, n_test=9, n_columns=2)
    mine = mine.assign(n_anomalies=3, f1=0.5, detector_version="1", config_id="mine")
    run = place(frame(mine.to_dict("records")), tmp_path / "run")

    code, text, said = call("show", run, "--with-published", *FAST)

    assert code == 0
    assert re.search(r"^\* mine ", text, re.MULTILINE)
    assert re.search(r"^  knn ", text, re.MULTILINE)
    assert "compared on 12 data sets, of the run's 12 and the published 43" in said
    data = call("show", run, "--with-published", "--format", "json", *FAST)[1]
    rows = [row for row in json.loads(data) if row["protocol"] == "one-class"]
    assert [row["source"] for row in rows].count("run") == 1


def test_an_unpublished_run_is_refused_with_the_reason(call, run):
    code, text, said = call("show", run, "--with-published", *FAST)

    assert (code, text) == (2, "")
    assert "none of the run's 25 data sets is published: got toy (one-class)" in said
