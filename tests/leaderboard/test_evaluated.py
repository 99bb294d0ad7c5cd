"""Tables of submissions are shown unchanged, and only if they are complete."""

import json
import re

import pytest

from odbench.errors import SubmissionError, UsageError
from odbench.leaderboard.build import build_files
from odbench.leaderboard.evaluated import (
    markdown_lines,
    read_evaluated,
    render_evaluated,
)
from odbench.leaderboard.tables import Settings
from odbench.submissions.private_table import COLUMNS
from tests.reference.trials import frame, place, random_trials
from tests.submissions.submission_world import make_world

QUICK = Settings(permutations=20)
TABLE = "synbench/private.csv"


@pytest.fixture
def world(tmp_path, rng):
    world = make_world(tmp_path, rng)
    for name, strength, tier in (
        ("Weak", 0.5, "re-scored"),
        ("Strong | <b>", 2.0, "re-run"),
        ("A name that no terminal has room for, not even a wide one", 1.0, "re-scored"),
    ):
        archive = world.submit(world.scores(rng, strength), method=name)
        world.evaluate(archive, tier=tier, submitter=name)
    return world


def test_a_table_is_read_as_the_evaluation_wrote_it(world):
    (found,) = read_evaluated(world.leaderboard)

    assert (found.suite, found.partition, found.file) == ("synbench", "private", TABLE)
    assert [row["tier"] for row in found.rows] == ["re-run", "re-scored", "re-scored"]
    values = [row["mean_auroc"] for row in found.rows]
    assert values == sorted(values, reverse=True)
    assert {row["n_datasets"] for row in found.rows} == {24}
    assert tuple(found.rows[0]) == COLUMNS


def test_other_tables_of_that_name_are_passed_over(tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "private.csv").write_text("suite,partition,detector\n")
    (tmp_path / "toy" / "public.csv").write_text(",".join(COLUMNS) + "\n")

    assert read_evaluated(tmp_path) == []
    assert read_evaluated(tmp_path / "nowhere") == []


def test_a_table_without_rows_is_no_table(tmp_path):
    (tmp_path / "synbench").mkdir()
    (tmp_path / TABLE).write_text(",".join(COLUMNS) + "\n")

    assert read_evaluated(tmp_path) == []


@pytest.mark.parametrize(
    ("pattern", "change", "words"),
    [
        ("re-run", "self-made", "tier 'self-made'"),
        (r",24,0,0\.(\d+)", r",24,0,0.\g<1>77", "mean_auroc: not rounded"),
        (r",24,0,0\.(\d+)", r",24,0,nan", "mean_auroc: not rounded"),
        (",24,0,", ",19,0,", "over 19 data sets"),
        (",24,0,", ",many,0,", "not written by an evaluation"),
        ("synbench,private", "oddbench,private", "another suite"),
        ("archive_sha256,sets", "archive_sha256,list", "columns differ"),
    ],
)
def test_a_table_that_was_edited_is_refused(world, pattern, change, words):
    file = world.leaderboard / TABLE
    file.write_text(re.sub(pattern, change, file.read_text(), count=1))

    with pytest.raises(SubmissionError, match=words) as caught:
        read_evaluated(world.leaderboard)

    assert "\n" not in str(caught.value)
    assert TABLE in str(caught.value)


def rows_of(world):
    head, *rows = (world.leaderboard / TABLE).read_text().splitlines(keepends=True)
    return head, rows


def one_row_removed(world):
    head, rows = rows_of(world)
    return head + "".join(rows[:1] + rows[2:])


def one_row_twice(world):
    head, rows = rows_of(world)
    return head + "".join(rows + rows[:1])


def two_rows_swapped(world):
    head, rows = rows_of(world)
    return head + "".join(rows[::-1])


def another_method(world):
    return (world.leaderboard / TABLE).read_text().replace("Weak", "Wonder")


def another_date(world):
    return (world.leaderboard / TABLE).read_text().replace("2026-01-15", "2026-01-16")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (one_row_removed, "row 'A name.*' of the audit log is missing"),
        (one_row_twice, r"row 'Strong \| <b>' is given 2 times"),
        (two_rows_swapped, "row 'Weak' comes first, and the audit log gives another"),
        (another_method, "row 'Wonder' is not in the audit log"),
        (
            another_date,
            "row 'Weak': evaluated is '2026-01-16', and the audit log has '2026-01-15'",
        ),
    ],
)
def test_a_table_that_the_audit_log_does_not_give_is_refused(world, edit, words):
    (world.leaderboard / TABLE).write_text(edit(world))

    with pytest.raises(SubmissionError, match=words) as caught:
        read_evaluated(world.leaderboard)

    assert "delete the table and evaluate an archive of the log again" in str(
        caught.value
    )


def test_the_next_step_that_is_named_repairs_the_table(tmp_path, rng):
    world = make_world(tmp_path, rng)
    archive = world.submit(world.scores(rng, 1.0))
    world.evaluate(archive)
    good = (world.leaderboard / TABLE).read_bytes()
    (world.leaderboard / TABLE).write_bytes(good.replace(b"Mine", b"Yours"))
    (world.leaderboard / TABLE).unlink()

    world.evaluate(archive)

    assert (world.leaderboard / TABLE).read_bytes() == good
    assert len(read_evaluated(world.leaderboard)) == 1


def test_the_latest_row_of_the_latest_list_is_the_one_that_counts(tmp_path, rng):
    world = make_world(tmp_path, rng)
    for strength in (0.5, 2.0):
        world.evaluate(world.submit(world.scores(rng, strength)))
    before = (world.leaderboard / TABLE).read_bytes()
    assert len(read_evaluated(world.leaderboard)[0].rows) == 1

    world.sets = world.other_list()
    world.evaluate(world.submit(world.scores(rng, 1.0), method="Other"))
    (found,) = read_evaluated(world.leaderboard)
    (world.leaderboard / TABLE).write_bytes(before)

    assert [row["method"] for row in found.rows] == ["Other"]
    with pytest.raises(SubmissionError, match="row 'Mine' is not in the audit log"):
        read_evaluated(world.leaderboard)


def test_a_terminal_has_room_for_every_line(world):
    (found,) = read_evaluated(world.leaderboard)

    lines = render_evaluated(found).splitlines()

    assert "3 methods on 24 data sets" in lines[0]
    assert max(map(len, lines)) <= 100


def test_markdown_takes_no_markup_from_a_name(world):
    (found,) = read_evaluated(world.leaderboard)

    text = "\n".join(markdown_lines(found))

    assert "Strong \\| \\<b\\>" in text
    assert len({line.count(" | ") for line in markdown_lines(found)}) == 1


@pytest.fixture
def run(rng, tmp_path):
    trials = (t | {"suite": "synbench"} for t in random_trials(rng, datasets=8))
    return place(frame(trials), tmp_path / "results")


def test_a_build_shows_submissions_and_names_them_as_inputs(world, run):
    evaluated = read_evaluated(world.leaderboard)

    files = build_files([run], settings=QUICK, evaluated=evaluated).files

    assert TABLE not in files
    assert "## private, evaluated submissions" in files["synbench/README.md"].decode()
    index = files["README.md"].decode().splitlines()
    assert index[-1].endswith(r"| 24 | 3 | Strong \| \<b\> |")
    provenance = json.loads(files["provenance.json"])
    assert provenance["submissions"] == {TABLE: evaluated[0].sha256}
    page = files["index.html"].decode()
    assert f"Submissions {TABLE}" in page
    assert '"method":"Weak"' in page
    assert all(name not in page for name in world.truth)
    again = build_files([run], settings=QUICK, evaluated=evaluated).files
    assert again == files


def test_results_and_submissions_cannot_have_one_name(world, run, rng, tmp_path):
    about = {"suite": "synbench", "partition": "private"}
    trials = (t | about for t in random_trials(rng, datasets=20))
    private = place(frame(trials), tmp_path / "private")

    with pytest.raises(UsageError, match="must not replace"):
        build_files(
            [run, private],
            settings=QUICK,
            evaluated=read_evaluated(world.leaderboard),
        )
