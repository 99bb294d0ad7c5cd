"""A real client asks `odbench mcp` in a process of its own."""

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("mcp")
pytest.importorskip("anyio")

from odbench.cli import main
from odbench.errors import RunBrokenError, UsageError
from odbench.mcp.advice import for_client
from odbench.mcp.calls import Limits, call
from odbench.mcp.tasks import TASKS, installed_only
from tests.reference.trials import frame, place, trial

ROOT = Path(__file__).parents[2]


HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {},
               "clientInfo": {"name": "t", "version": "0"}},
}  # fmt: skip


def load_script():
    spec = importlib.util.spec_from_file_location(
        "mcp_transcript", ROOT / "docs/mcp_transcript.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


SCRIPT = load_script()


@pytest.fixture
def folder(tmp_path):
    return SCRIPT.make_world(tmp_path)


def ask(folder, *calls, options=()):
    return asyncio.run(SCRIPT.ask(folder, calls, *options))


def do(folder, task, *, seconds=120.0, memory=4 << 30, **arguments):
    limits = Limits(folder=folder, seconds=seconds, memory=memory)
    return asyncio.run(call(task, arguments, limits))


SCORE = {
    "table": "payments.csv",
    "reference": "",
    "detector": "knn",
    "id_column": "",
    "ignore": [],
    "fdr": 0.1,
    "top": 1,
}


@pytest.mark.slow
def test_the_transcript_of_the_page_is_what_a_client_sees():
    page = SCRIPT.PAGE.read_text(encoding="utf-8")

    shown = page.split(SCRIPT.START)[1].split(SCRIPT.END)[0]

    assert SCRIPT.transcript() == shown, "run `python docs/mcp_transcript.py --write`"


def test_wrong_arguments_are_told_in_one_line(folder):
    wrong = [
        ({"table": "payments.csv", "top": 1000}, "top"),
        ({"table": "payments.csv", "fdr": "much"}, "fdr"),
        ({"tabel": "payments.csv"}, "unknown argument 'tabel'"),
        ({}, "'table' is missing"),
        ({"table": ["payments.csv"]}, "table"),
    ]

    answers = ask(folder, *(("score_table", each) for each, _ in wrong))

    for (failed, text), (_, part) in zip(answers, wrong, strict=True):
        assert failed
        assert part in text
        assert "\n" not in text


def test_advice_names_a_tool_and_not_a_command(folder):
    with pytest.raises(UsageError) as raised:
        do(folder, "score_table", **{**SCORE, "detector": "nope"})

    assert "list_detectors lists the installed ones" in str(raised.value)
    assert "`" not in str(raised.value)


def test_advice_names_arguments_and_not_options(folder):
    told = do(folder, "score_table", **SCORE)

    assert told["verdict"].endswith("give rows known to be normal with `reference`.")
    every = ["payment", "amount", "items", "country"]
    with pytest.raises(UsageError, match="`ignore` fewer, or name one with"):
        do(folder, "score_table", **{**SCORE, "ignore": every})


def test_words_of_a_table_are_no_advice():
    assert for_client("constant (always '--ignore')") == "constant (always '--ignore')"


def test_code_as_a_detector_is_refused_and_does_not_run(folder, tmp_path):
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")

    with pytest.raises(UsageError, match="installed detectors only"):
        do(folder, "score_table", **{**SCORE, "detector": "evil.py:Evil"})
    assert not (tmp_path / "ran").exists()
    assert sorted(each.name for each in folder.iterdir()) == [
        "evil.py", "link.csv", "payments.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("detector", "why"),
    [
        ("os:system", "installed detectors only"),
        ('"evil.py":k=1', "installed detectors only"),
        ("pickle:AAAA", "installed detectors only"),
        ("outformer:checkpoint=/etc/passwd", "is a path"),
        ("outformer:checkpoint=~/weights", "is a path"),
    ],
)
def test_modules_pickles_and_paths_as_detectors_are_refused(detector, why):
    with pytest.raises(UsageError, match=why):
        installed_only(detector)


def test_the_process_of_a_call_can_write_to_its_scratch_folder_only(folder, tmp_path):
    code = f"""if True:
        from pathlib import Path
        from odbench.mcp.child import _confine
        scratch = Path({str(tmp_path)!r}) / "scratch"
        scratch.mkdir()
        _confine(scratch, 1 << 30)
        (scratch / "mine").write_text("x")
        try:
            (Path({str(folder)!r}) / "theirs.csv").write_text("x")
        except PermissionError:
            print("refused")
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    if not done.stdout:
        pytest.skip("this machine has no Landlock")
    assert not (folder / "theirs.csv").exists()


def test_labels_in_the_cache_stay_closed(tmp_path, own_cache, monkeypatch, capsys):
    cache = tmp_path / "tables" / "cache"
    (cache / "labels").mkdir(parents=True)
    (cache / "labels" / "y.csv").write_text("label,row\n1,2\n0,3\n")
    monkeypatch.setenv("ODBENCH_CACHE", str(cache))

    with pytest.raises(UsageError, match="outside the folder"):
        do(
            tmp_path / "tables",
            "score_table",
            **{**SCORE, "table": "cache/labels/y.csv"},
        )
    with pytest.raises(SystemExit, match="2"):
        main(["mcp", "--folder", str(cache / "labels")])
    assert "holds labels" in capsys.readouterr().err


def test_a_call_ends_when_its_time_is_over(folder):
    started = time.monotonic()

    with pytest.raises(RunBrokenError, match=r"more than 0\.05 seconds"):
        do(folder, "list_tables", seconds=0.05)

    assert time.monotonic() - started < 20
    assert not running(folder)


def test_a_call_that_the_client_gives_up_is_ended(folder):
    async def give_up():
        limits = Limits(folder=folder)
        task = asyncio.ensure_future(call("list_detectors", {}, limits))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())

    assert not running(folder)


def running(folder):
    """Return the processes of calls that this process started."""
    found = []
    for child in psutil.Process().children(recursive=True):
        # Another test's process may have just ended, and has no command line then.
        with contextlib.suppress(psutil.NoSuchProcess):
            if "odbench.mcp.child" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_too_much_memory_is_told(folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    long = pa.table({"text": ["x" * (1 << 20)] * 100})
    with pq.ParquetWriter(folder / "large.parquet", long.schema) as writer:
        for _ in range(15):
            writer.write_table(long)

    with pytest.raises(UsageError, match="more --memory-limit"):
        do(folder, "score_table", memory=1, **{**SCORE, "table": "large.parquet"})


@pytest.mark.slow
def test_results_of_a_run_and_published_ones_are_ranked(folder):
    made = [
        trial(f"set {number}", name, auroc + number / 100)
        for number in range(3)
        for name, auroc in (("knn", 0.8), ("lof", 0.7))
    ]
    place(frame(made), folder / "run")

    own = do(folder, "run_results", run="run", top=5)
    published = do(folder, "published_results", suite="oddbench", dataset="", top=3)

    assert [row["detector"] for row in own["leaderboard"]] == ["knn", "lof"]
    assert own["leaderboard"][0]["mean_auroc"] == pytest.approx(0.81)
    assert own["trials"] == {"ok": 6}
    assert published["leaderboard"][0]["n_datasets"] == 260
    assert "note" not in published
    with pytest.raises(UsageError, match="name the folder of a run"):
        do(folder, "run_results", run="no run", top=5)


@pytest.mark.parametrize("dataset", ["", "gmm-subspace-001"])
def test_the_oracle_is_told_from_detectors(folder, dataset):
    told = do(folder, "published_results", suite="synbench", dataset=dataset, top=1)

    (row,) = told["trials" if dataset else "leaderboard"]
    assert row["detector"] == "oracle"
    assert told["note"].startswith("`oracle` is not a detector")


def test_a_recommendation_is_said_in_words(folder):
    asked = {"table": "payments.csv", "reference": "", "explainable": False, "top": 1}

    told = do(folder, "recommend_detector", max_seconds=1e-9, **asked)
    assert told["verdict"] == "No detector keeps these limits; raise one of them."
    told = do(folder, "recommend_detector", max_seconds=None, **asked)
    assert told["verdict"].startswith(f"Recommended: {told['recommended']}.")


def test_a_link_for_a_results_file_is_refused(folder, tmp_path):
    (tmp_path / "results.parquet").write_bytes(b"PAR1")
    (folder / "run").mkdir()
    (folder / "run" / "results.parquet").symlink_to(tmp_path / "results.parquet")

    with pytest.raises(UsageError, match="outside"):
        do(folder, "run_results", run="run", top=5)


def test_stdout_holds_nothing_but_the_protocol(folder):
    done = subprocess.run(
        [sys.executable, "-m", "odbench", "mcp", "--folder", str(folder)],
        input="not json\n" + json.dumps(HELLO) + "\n", capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert all(line["jsonrpc"] == "2.0" for line in lines)
    (answer,) = [line for line in lines if line.get("id") == 1]
    assert answer["result"]["serverInfo"]["name"] == "odbench"


def test_every_tool_is_read_only_and_has_a_task():
    from odbench.mcp.server import build_server

    tools = asyncio.run(build_server(Limits(folder=ROOT)).list_tools())

    assert {tool.name for tool in tools} == set(TASKS)
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert all(tool.description for tool in tools)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_the_server_and_the_call_that_runs(folder, tmp_path, name):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    server = subprocess.Popen(
        [sys.executable, "-m", "odbench", "mcp", "--folder", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    call = {"name": "list_detectors", "arguments": {}}
    asked = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
    server.stdin.write(json.dumps(HELLO) + "\n")
    server.stdin.flush()
    server.stdout.readline()
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    server.stdin.write(json.dumps(ready) + "\n" + json.dumps(asked) + "\n")
    server.stdin.flush()
    while not (calls := psutil.Process(server.pid).children()):
        time.sleep(0.01)
    assert list(temporary.iterdir())

    server.send_signal(getattr(signal, name))

    # stdin stays open: the server must not wait for it.
    assert server.wait(timeout=60) == 130
    gone, _ = psutil.wait_procs(calls, timeout=20)
    assert len(gone) == len(calls)
    assert list(temporary.iterdir()) == []
    assert server.communicate()[1].endswith("odbench: interrupted\n")


def test_a_signal_ends_a_loop_that_swallows_every_exception(tmp_path):
    code = """if True:
        import subprocess, sys, time
        from odbench.mcp.ending import ended_by_signals
        with ended_by_signals() as folder:
            sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
            child = subprocess.Popen(sleeper, start_new_session=True)
            (folder / "file").write_text("x")
            print(child.pid, flush=True)
            while True:
                try:
                    time.sleep(600)
                except BaseException:
                    pass
    """
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment
        ) as server:
            child = int(server.stdout.readline())

            server.terminate()

            assert server.wait(timeout=30) == 130
        assert not psutil.pid_exists(child)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "code", ["raise ModuleNotFoundError(name='mcp')", "# an old one, without MCPServer"]
)
def test_without_the_extra_one_line_says_what_to_install(tmp_path, code):
    (tmp_path / "mcp").mkdir()
    (tmp_path / "mcp" / "__init__.py").write_text(code + "\n")
    (tmp_path / "mcp" / "server.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "odbench", "mcp", "--folder", str(tmp_path)],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'odbench[mcp]'" in done.stderr


def test_a_folder_that_does_not_exist_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["mcp", "--folder", str(tmp_path / "none")])

    assert "is not a folder" in capsys.readouterr().err
