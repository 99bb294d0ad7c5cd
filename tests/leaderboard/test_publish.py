"""Publishing with the real hub client against a loopback hub."""

import os
import re
import subprocess
import sys

import pytest
from huggingface_hub import HfApi, constants

from odbench.errors import SubmissionError, TransportError, UsageError
from odbench.leaderboard.publish import list_files, plan, publish
from odbench.submissions import commitments
from odbench.submissions.private_table import COLUMNS
from odbench.submissions.strict_json import canonical, digest
from tests.leaderboard.hub_commit_server import TOKEN, HubServer
from tests.reference.trials import frame, place, trial
from tests.submissions.submission_world import make_world

# The hub client's own call to its HTTP library, in the plain LFS upload.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "owner/leaderboard"
_TEXTS = ("suite", "partition", "sets_sha256", "submitter", "method", "tier")
FIRST = {
    "index": 0,
    "previous": "0" * 64,
    "time": "2026-11-28T12:00:00+00:00",
    "row": {
        name: 1 if name.startswith(("n_", "mean_", "median_")) else "x"
        for name in COLUMNS
    },
    **dict.fromkeys((*_TEXTS, "archive_sha256"), "x"),
}
FILES = {
    "index.html": b"<!doctype html>",
    "oddbench/public.csv": b"suite,detector\noddbench,knn\n",
    "oddbench/private.csv": b"suite,method\n",
    "audit.jsonl": canonical({**FIRST, "hash": digest(FIRST)}) + b"\n",
    "results.parquet": b"PAR1" * 1000,
    "README.md": b"# Leaderboard\n",
}


@pytest.fixture
def hub(monkeypatch):
    # Large files go through plain LFS here: Xet is a service of its own.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    server = HubServer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(hub):
    return HfApi(endpoint=hub.url, token=TOKEN)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "leaderboard"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / ".evaluation.lock").write_text("")
    return folder


def send(folder, api, **options):
    waits = []
    done = publish(folder, REPO, api=api, pause=waits.append, **options)
    return (*done, waits)


def test_a_folder_becomes_one_commit(folder, api, hub):
    hub.make(REPO)

    found, commit, _ = send(folder, api, message="Week 47")

    assert len(hub.repos[REPO]) == 2
    assert hub.head(REPO)["sha"] == commit
    assert hub.head(REPO)["title"] == "Week 47"
    files = dict(hub.head(REPO)["files"])
    del files[".gitattributes"]
    assert files == FILES
    assert set(found.added) == set(FILES)
    assert found.n_bytes == sum(map(len, FILES.values()))


def test_the_same_content_makes_no_commit(folder, api, hub):
    hub.make(REPO)
    _, first, _ = send(folder, api)
    hub.requests.clear()

    found, second, _ = send(folder, api)

    assert first == second
    assert found.is_empty
    assert len(hub.repos[REPO]) == 2
    assert {method for method, _ in hub.requests} == {"GET"}


def test_only_what_changed_is_sent(folder, api, hub):
    hub.make(REPO)
    send(folder, api)
    (folder / "oddbench" / "public.csv").write_bytes(b"suite,detector\n")
    hub.uploads.clear()

    found, _, _ = send(folder, api)

    assert found.changed == ("oddbench/public.csv",)
    assert (found.added, found.deleted, found.n_bytes) == ((), (), 15)
    assert hub.uploads == []
    assert hub.head(REPO)["files"]["oddbench/public.csv"] == b"suite,detector\n"


def test_a_dry_run_asks_and_changes_nothing(folder, api, hub):
    hub.make(REPO)

    found = plan(folder, REPO, api=api)

    assert set(found.added) == set(FILES)
    assert {method for method, _ in hub.requests} == {"GET"}
    assert len(hub.repos[REPO]) == 1


def test_stale_files_go_only_when_asked(folder, api, hub):
    hub.make(REPO)
    send(folder, api)
    (folder / "oddbench" / "private.csv").unlink()
    (folder / "README.md").unlink()

    kept, _, _ = send(folder, api)
    pruned, _, _ = send(folder, api, prune=True)

    assert kept.is_empty
    assert pruned.deleted == ("oddbench/private.csv",)
    assert set(hub.head(REPO)["files"]) == set(FILES) - {"oddbench/private.csv"} | {
        ".gitattributes"
    }


def test_a_missing_data_set_is_made_only_when_asked(folder, api, hub):
    assert plan(folder, REPO, api=api).head is None
    with pytest.raises(UsageError, match="--create"):
        send(folder, api)
    assert hub.repos == {}

    send(folder, api, create=True)

    assert set(FILES) < set(hub.head(REPO)["files"])


def test_a_commit_in_between_is_not_overwritten_blindly(folder, api, hub, monkeypatch):
    hub.make(REPO)
    create_commit = api.create_commit
    rivals = ["another file.csv"]

    def late(*arguments, **options):
        if rivals:
            files = {**hub.head(REPO)["files"], rivals.pop(): b"theirs"}
            hub.commit(REPO, files, "theirs")
        return create_commit(*arguments, **options)

    monkeypatch.setattr(api, "create_commit", late)
    _, _, waits = send(folder, api)

    assert waits == [2.0]
    assert [c["title"] for c in hub.repos[REPO]][1:] == [
        "theirs",
        "Update the leaderboard",
    ]
    assert hub.head(REPO)["files"]["another file.csv"] == b"theirs"


@pytest.mark.parametrize("fault", ["cut", "lose", 500, 503])
def test_a_broken_answer_is_asked_again_and_commits_once(folder, api, hub, fault):
    hub.make(REPO)
    hub.faults.append(("/commit/", fault))

    found, commit, waits = send(folder, api)

    assert len(hub.repos[REPO]) == 2
    assert hub.head(REPO)["sha"] == commit
    assert set(found.added) == set(FILES)
    assert waits == [2.0]


def test_a_hub_that_cannot_be_reached_is_told_with_the_network(folder):
    nobody = HfApi(endpoint="http://127.0.0.1:9")

    with pytest.raises(TransportError, match="check the network and HF_ENDPOINT"):
        plan(folder, REPO, api=nobody)


def test_large_files_are_not_sent_twice_after_an_interruption(folder, api, hub):
    hub.make(REPO)
    hub.faults += [("/commit/", 500)] * 4
    with pytest.raises(TransportError, match=r"HTTP 500.*publish again"):
        send(folder, api)
    assert len(hub.uploads) == 1

    send(folder, api)

    assert len(hub.uploads) == 1
    assert hub.head(REPO)["files"]["results.parquet"] == FILES["results.parquet"]


@pytest.mark.parametrize(("status", "advice"), [(403, "may write"), (400, "again")])
def test_a_refusal_is_not_tried_again(folder, api, hub, status, advice):
    hub.make(REPO)
    hub.faults.append(("/commit/", status))

    with pytest.raises(TransportError, match=f"HTTP {status}.*{advice}"):
        send(folder, api)
    assert len(hub.repos[REPO]) == 1


def test_a_wrong_token_is_named_and_not_shown(folder, hub):
    hub.make(REPO)
    wrong = HfApi(endpoint=hub.url, token="hf_wrong_secret")

    with pytest.raises(TransportError, match="HF_TOKEN") as caught:
        send(folder, wrong)

    assert "hf_wrong_secret" not in str(caught.value)


def test_a_hub_that_is_not_there_is_one_line(folder):
    nobody = HfApi(endpoint="http://127.0.0.1:9", token=TOKEN)

    with pytest.raises(TransportError, match="owner/leaderboard") as caught:
        plan(folder, REPO, api=nobody)

    assert "\n" not in str(caught.value)


def test_an_edited_table_is_not_sent(tmp_path, rng, api, hub):
    hub.make(REPO)
    world = make_world(tmp_path, rng)
    world.evaluate(world.submit(world.scores(rng, 1.0)))
    table = world.leaderboard / "synbench/private.csv"
    table.write_text(re.sub(r",24,0,0\.\d+", ",24,0,0.999", table.read_text()))

    for prune in (False, True):
        with pytest.raises(
            SubmissionError, match=r"mean_auroc is 0\.999, and the audit"
        ):
            send(world.leaderboard, api, prune=prune)

    assert len(hub.repos[REPO]) == 1


@pytest.mark.parametrize("name", ["labels.npy", "salt", "secret.txt", "x/y.npz"])
def test_what_no_leaderboard_has_is_never_uploaded(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"1010")

    with pytest.raises(UsageError, match="not a file of a leaderboard"):
        list_files(folder)


def test_a_link_is_not_followed(folder, tmp_path):
    (tmp_path / "labels.csv").write_text("1\n")
    (folder / "labels.csv").symlink_to(tmp_path / "labels.csv")

    with pytest.raises(UsageError, match="is a link"):
        list_files(folder)


@pytest.mark.parametrize("name", ["salt.json", "notes.md"])
def test_a_salt_under_whatever_name_stays_here(folder, name):
    commitments.read_salt(folder / name, create=True)

    with pytest.raises(UsageError, match=r"is a salt or a seed") as caught:
        list_files(folder)

    assert (folder / name).read_text().strip() not in str(caught.value)


EXACT = {
    "table": "suite,partition,mean_auroc\ns,{},0.70001\n",
    "data sets": "suite,partition,dataset,auroc\ns,{},a,0.5\n",
    "mark of a spreadsheet": "\ufeffpartition,mean_auroc\n{},0.70001\n",
}


@pytest.mark.parametrize("text", EXACT.values(), ids=EXACT)
def test_exact_tables_of_a_private_partition_stay_here(folder, text):
    (folder / "leaderboard.csv").write_text(text.format("public"), encoding="utf-8")
    list_files(folder)
    (folder / "leaderboard.csv").write_text(text.format("private"), encoding="utf-8")

    with pytest.raises(UsageError, match=r"'leaderboard\.csv' holds exact results"):
        list_files(folder)


@pytest.mark.parametrize(
    ("separator", "encoding"), [(";", "utf-8"), ("\t", "utf-8-sig"), (",", "utf-16")]
)
def test_a_table_saved_again_by_a_spreadsheet_stays_here(folder, separator, encoding):
    text = EXACT["table"].format("private").replace(",", separator)
    (folder / "leaderboard.csv").write_text(text, encoding=encoding)

    with pytest.raises(UsageError, match=r"'leaderboard\.csv' holds exact results"):
        list_files(folder)


def test_a_table_with_a_field_without_end_stays_here(folder):
    (folder / "leaderboard.csv").write_text(
        EXACT["table"].format("private").replace("s,", f"{'s' * (1 << 18)},")
    )

    with pytest.raises(UsageError, match=r"'leaderboard\.csv' holds exact results"):
        list_files(folder)


def test_trials_on_a_private_partition_stay_here(folder):
    run = folder / "runs/mine"
    hidden = frame([trial("a", "knn", 0.7, partition="private")])
    unscored = dict.fromkeys(("auroc", "ap", "f1"))
    place(frame([trial("a", "knn", 0.7)]), run)
    list_files(folder)
    place(hidden.assign(**unscored), run)
    list_files(folder)
    place(hidden, run)

    with pytest.raises(UsageError, match=r"'runs/mine/results\.parquet' holds exact"):
        list_files(folder)


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "x.csv")

    with pytest.raises(UsageError, match=r"'x\.csv' is not a regular file"):
        list_files(folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no files"):
        list_files(tmp_path)


@pytest.mark.parametrize("repo", ["leaderboard", "a/b/c", "../x", "owner/", "a b/c"])
def test_a_name_that_is_none_is_refused(folder, repo):
    with pytest.raises(UsageError, match="owner/name"):
        plan(folder, repo)


def test_the_command_takes_endpoint_and_token_from_the_environment(folder, hub):
    hub.make(REPO)
    code = "from odbench.cli import main; main()"
    command = ["leaderboard", "publish", str(folder), "--repo", REPO]
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
    }

    def run(*options):
        return subprocess.run(
            [sys.executable, "-c", code, *command, *options],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )

    dry = run("--dry-run").stdout
    assert "+ oddbench/public.csv" in dry
    assert len(hub.repos[REPO]) == 1

    wet = run()
    assert wet.stdout.startswith(dry.removesuffix("to send\n") + "sent\n")
    assert f"{REPO} is at {hub.head(REPO)['sha']}" in wet.stdout
    assert TOKEN not in wet.stdout + wet.stderr

    again = run()
    assert "0 added, 0 changed, 0 deleted, 6 unchanged, 0 bytes" in again.stdout
    assert len(hub.repos[REPO]) == 2
