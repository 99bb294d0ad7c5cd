"""A leaderboard as a static Space or Pages: a folder that opens as it is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from huggingface_hub import RepoCard

from odbench.cli import main
from odbench.errors import SubmissionError, UsageError
from odbench.leaderboard.build import build_files, write_files
from odbench.leaderboard.site import TITLE, site_files, write_site
from odbench.leaderboard.tables import Settings
from tests.reference.trials import frame, place, random_trials
from tests.submissions.submission_world import make_world


@pytest.fixture
def run(tmp_path, rng):
    return place(frame(random_trials(rng)), tmp_path / "run")


@pytest.fixture
def built(tmp_path, run):
    folder = tmp_path / "leaderboard"
    write_files(build_files([run], settings=Settings(permutations=0)).files, folder)
    return folder


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_site_is_the_leaderboard_with_the_settings_of_a_space(built, tmp_path):
    out = tmp_path / "site"

    done = write_site([built], out, title='Mine: "best"')

    expected = files(built)
    found = files(out)
    card = RepoCard.load(out / "README.md")
    assert (done.files, done.removed) == (len(found), ())
    assert found.pop(".nojekyll") == b""
    assert found.pop("README.md").endswith(expected.pop("README.md"))
    assert found == expected
    settings = card.data.to_dict()
    assert settings["sdk"] == "static"
    assert (out / settings["app_file"]).is_file()
    assert settings["title"] == 'Mine: "best"'


def test_runs_are_built_first(run, built, tmp_path):
    assert set(site_files([run])) == {*site_files([built]), ".nojekyll"}


def test_the_same_again_changes_nothing(built, tmp_path):
    write_site([built], tmp_path / "site")

    assert write_site([built], tmp_path / "site").changed == 0


def test_settings_that_were_edited_and_hidden_files_are_kept(built, tmp_path):
    out = tmp_path / "site"
    write_site([built], out)
    card = (out / "README.md").read_text()
    (out / "README.md").write_text(card.replace("emoji: 📊", "emoji: 🐳"))
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref: main\n")
    (out / "CNAME").write_text("example.org\n")
    (out / "old.csv").write_text("a\n")

    kept = write_site([built], out)
    pruned = write_site([built], out, prune=True)

    assert (kept.removed, pruned.removed) == ((), ("old.csv",))
    assert "emoji: 🐳" in (out / "README.md").read_text()
    assert (out / ".git" / "HEAD").is_file()
    assert (out / "CNAME").is_file()


def test_the_readme_of_another_project_is_not_overwritten(built, tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "README.md").write_text("# Mine\n")

    with pytest.raises(UsageError, match="not that of a static Space"):
        write_site([built], tmp_path / "project")
    assert files(tmp_path / "project") == {"README.md": b"# Mine\n"}


@pytest.mark.parametrize("out", ["leaderboard", "leaderboard/site", "."])
def test_a_site_does_not_overlap_its_source(built, tmp_path, out):
    with pytest.raises(UsageError, match="overlaps"):
        write_site([built], tmp_path / out)


def test_labels_and_edited_tables_are_not_published(built, tmp_path, rng):
    (built / "labels.npy").write_bytes(b"1010")
    with pytest.raises(UsageError, match="not a file of a leaderboard"):
        write_site([built], tmp_path / "site")

    world = make_world(tmp_path / "world", rng)
    world.evaluate(world.submit(world.scores(rng, 1.0)))
    (world.leaderboard / "index.html").write_text("<!doctype html>")
    table = world.leaderboard / "synbench/private.csv"
    table.write_text(re.sub(r",24,0,0\.\d+", ",24,0,0.999", table.read_text()))
    with pytest.raises(SubmissionError, match="audit"):
        write_site([world.leaderboard], tmp_path / "site")

    assert not (tmp_path / "site").exists()


def test_the_command_writes_a_site_and_refuses_mixed_calls(run, tmp_path, capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["leaderboard", "publish", *map(str, arguments)])
        streams = capsys.readouterr()
        return stopped.value.code, streams.out + streams.err

    code, text = call(run, "--to", tmp_path / "site")

    assert code == 0
    assert f"open {tmp_path / 'site' / 'index.html'}" in text
    for wrong in ([], ["--to", "x", "--repo", "a/b"], ["--to", "x", "--dry-run"]):
        code, text = call(run, *wrong)
        assert code == 2
        assert text.count("\n") == 1
    assert not Path("x").exists()


@pytest.mark.slow
def test_a_browser_shows_the_table_from_the_folder(built, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium")
    write_site([built], tmp_path / "site", title=TITLE)

    shown = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000",
         "--dump-dom", (tmp_path / "site" / "index.html").as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip

    assert "<tbody" in shown
    assert "d0" in shown


def test_a_folder_with_submissions_alone_has_no_page_yet(tmp_path, rng):
    world = make_world(tmp_path, rng)
    world.evaluate(world.submit(world.scores(rng, 1.0)))

    with pytest.raises(UsageError, match="no page; make one with `odbench leaderboard"):
        site_files([world.leaderboard])
