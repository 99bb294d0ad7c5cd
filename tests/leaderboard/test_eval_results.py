"""Results in the hub's own format, with the real client against a loopback hub."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from huggingface_hub import (
    HfApi,
    eval_result_entries_to_yaml,
    parse_eval_result_entries,
)

from odbench.errors import TransportError, UsageError
from odbench.leaderboard.eval_results import (
    FILE,
    eval_results,
    eval_yaml,
    send_eval_results,
)
from tests.leaderboard.hub_commit_server import TOKEN, HubServer
from tests.reference.trials import frame, place, trial

MODEL, BENCHMARK = "owner/model", "owner/benchmark"
STORED = f"models/{MODEL}"
PAGE = Path(__file__).parents[2] / "docs/publishing.md"


@pytest.fixture
def hub():
    server = HubServer()
    server.make(STORED)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(hub):
    return HfApi(endpoint=hub.url, token=TOKEN)


@pytest.fixture
def results():
    facts = {"suite": "oddbench", "inductive": True}
    made = [
        trial(f"set {n}", name, auroc + n / 100, started_at=f"2026-11-2{n}", **facts)
        for n in range(3)
        for name, auroc in (("knn", 0.8), ("lof", 0.7))
    ]
    return frame(made)


def send(text, api, **options):
    waits = []
    return send_eval_results(text, MODEL, api=api, pause=waits.append, **options), waits


def test_entries_hold_the_means_of_the_leaderboard(results):
    found = eval_results(results, "knn", source_url="https://example.org/board")

    by_task = {entry.task_id: entry for entry in parse_eval_result_entries(found)}
    assert set(by_task) == {"oddbench_one_class_auroc", "oddbench_one_class_ap"}
    auroc = by_task["oddbench_one_class_auroc"]
    assert auroc.value == pytest.approx(0.81)
    assert auroc.dataset_id == "MacrOData-CMU/OddBench"
    assert auroc.date == "2026-11-22"
    assert "mean over 3 of" in auroc.notes
    assert "0 of 3 trials failed" in auroc.notes


def test_the_hubs_own_client_reads_the_file(results):
    entries = eval_results(
        results, "knn", benchmark=BENCHMARK, source_url="https://example.org/board"
    )

    text = eval_yaml(entries)

    read = parse_eval_result_entries(yaml.safe_load(text))
    assert eval_result_entries_to_yaml(read) == entries
    first = yaml.safe_load(text)[0]
    # The keys that the hub's documentation requires.
    assert set(first["dataset"]) == {"id", "task_id"}
    assert isinstance(first["value"], float)


def test_a_failed_trial_counts_and_is_told(results):
    results.loc[results.index[0], ["status", "auroc", "ap"]] = ["failed", None, None]

    (auroc, _) = eval_results(results, "knn")

    assert auroc["value"] == pytest.approx((0.0 + 0.81 + 0.82) / 3, abs=1e-6)
    assert "1 of 3 trials failed" in auroc["notes"]


def test_one_commit_holds_the_file_and_the_same_again_makes_none(results, api, hub):
    text = eval_yaml(eval_results(results, "knn"))

    first, _ = send(text, api)
    again, _ = send(text, api)

    assert first.changed
    assert not again.changed
    assert first.commit == again.commit == hub.head(STORED)["sha"]
    assert len(hub.repos[STORED]) == 2
    assert hub.head(STORED)["files"][FILE] == text.encode()


def test_other_files_of_the_model_stay(results, api, hub):
    theirs = {"model.safetensors": b"x", ".eval_results/other.yaml": b"- 1\n"}
    hub.commit(STORED, theirs, "theirs")

    send(eval_yaml(eval_results(results, "knn")), api)

    assert set(hub.head(STORED)["files"]) == {*theirs, FILE}


def test_a_pull_request_leaves_the_model_as_it_is(results, api, hub):
    text = eval_yaml(eval_results(results, "knn"))

    sent, _ = send(text, api, pull_request=True)

    assert sent.pull_request.endswith("/owner/model/discussions/1")
    assert len(hub.repos[STORED]) == 1
    ((repo, files),) = hub.pulls
    assert (repo, files[FILE]) == (STORED, text.encode())


@pytest.mark.parametrize("fault", ["cut", "lose", 503])
def test_a_broken_answer_is_asked_again_and_commits_once(results, api, hub, fault):
    hub.faults.append(("/commit/", fault))

    sent, waits = send(eval_yaml(eval_results(results, "knn")), api)

    assert len(hub.repos[STORED]) == 2
    assert sent.commit == hub.head(STORED)["sha"]
    assert waits == [2.0]


def test_a_pull_request_is_not_asked_for_twice(results, api, hub):
    hub.faults.append(("/commit/", "lose"))

    with pytest.raises(TransportError):
        send(eval_yaml(eval_results(results, "knn")), api, pull_request=True)

    assert len(hub.pulls) == 1


def test_wrong_calls_are_one_line(results, api):
    other = results.assign(suite="synbench")

    with pytest.raises(
        UsageError, match=r"'mcd': no public results; they hold knn, lof"
    ):
        eval_results(results, "mcd")
    with pytest.raises(UsageError, match="--benchmark owner/name"):
        eval_results(other, "knn")
    with pytest.raises(UsageError, match="wanted owner/name"):
        eval_results(other, "knn", benchmark="bench")
    with pytest.raises(UsageError, match=r"hub model 'owner/none': does not exist"):
        send_eval_results("- 1\n", "owner/none", api=api)


def test_private_results_are_left_out(results):
    with pytest.raises(UsageError, match="no public results"):
        eval_results(results.assign(partition="private"), "knn")


@pytest.mark.slow
def test_the_command_prints_the_file_or_sends_it(results, hub, tmp_path):
    run = place(results, tmp_path / "run")
    command = [sys.executable, "-m", "odbench", "leaderboard", "eval-results", str(run)]
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}

    def call(*options):
        return subprocess.run(
            [*command, "--method", "knn", *options],
            capture_output=True, text=True, check=True, env=environment,
        )  # fmt: skip

    printed = call("--suite", "oddbench").stdout
    sent = call("--model", MODEL)

    assert hub.head(STORED)["files"][FILE] == printed.encode()
    assert f"2 results sent; {MODEL} is at {hub.head(STORED)['sha']}" in sent.stdout
    assert TOKEN not in sent.stdout + sent.stderr


def test_the_documented_benchmark_lists_the_tasks_that_are_written(results):
    page = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(name:.*?)```", page, re.DOTALL)

    described = yaml.safe_load(block)

    tasks = {task["id"] for task in described["tasks"]}
    found = eval_results(results, "knn")
    assert tasks == {entry["dataset"]["task_id"] for entry in found}
