"""Too few processes and too little memory cost no detector its place.

Real control groups where this process may make them, and made-up ones elsewhere.
"""

import contextlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from odbench import provenance
from odbench.errors import NoProcessesError
from odbench.plugins.find import find_detector
from odbench.results import read_results
from odbench.sweep import preflight, room
from odbench.sweep.handover import Handover
from odbench.sweep.pause import pause_descendants, resume
from odbench.sweep.places import kernels_of, place_of
from odbench.sweep.request import RunRequest
from odbench.sweep.sandbox import Confinement, Limits, Sandbox

GROUPS = Path("/sys/fs/cgroup")
FILE = Path(__file__).with_name("hungry.py")
SLOW = f"{Path(__file__).with_name('hostile.py')}:Slow"
GIB = 2**30


@contextlib.contextmanager
def group(controller, **limits):
    """Make a control group of version 1 with limits; skip where that is not allowed."""
    folder = GROUPS / controller / f"odbench-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip(f"may not make control groups of {controller}, version 1, here")
    try:
        for name, value in limits.items():
            (folder / f"{controller}.{name}").write_text(str(value))
        yield folder
    finally:
        deadline = time.monotonic() + 10
        while (folder / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        folder.rmdir()


def run_inside(folder, mirror, out, *options):
    """Run the command line; all its processes in a control group, if one is given."""
    enter = f"echo $$ > {folder / 'cgroup.procs'} && " if folder else ""
    command = [
        *(sys.executable, "-m", "odbench", "run", "--suite", "oddbench", "-q"),
        *("--mirror", str(mirror), "--datasets", "Gamma", "--out", str(out), *options),
    ]
    return subprocess.run(
        ["sh", "-c", f'{enter}exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
    )


def statuses(out):
    rows = read_results(out)
    return dict(zip(rows["detector"], rows["status"], strict=True))


@pytest.mark.slow
def test_a_container_with_few_processes_gets_fewer_workers(made_up, tmp_path):
    wanted = 8 + provenance.cores() + 12
    with group("pids", max=wanted + 8) as folder:
        done = run_inside(folder, made_up, tmp_path / "out", "-d", "knn", "-j", "4")

    assert done.returncode == 0, done.stderr
    assert "1 worker instead of 4: no more processes may be started" in done.stderr
    assert statuses(tmp_path / "out") == {"knn": "ok"}


def test_a_container_with_too_few_processes_is_refused_in_one_line(made_up, tmp_path):
    with group("pids", max=10) as folder:
        done = run_inside(folder, made_up, tmp_path / "out", "-d", "knn")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "more may be started here, wanted" in done.stderr
    assert "raise `ulimit -u`" in done.stderr


def test_the_quota_of_a_control_group_is_the_number_of_cores():
    code = "from odbench import provenance; print(provenance.cores())"
    with group("cpu", cfs_period_us=100_000, cfs_quota_us=50_000) as folder:
        enter = f"echo $$ > {folder / 'cgroup.procs'} && "
        done = subprocess.run(
            ["sh", "-c", f'{enter}exec "$@"', "sh", sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
        )

    assert done.stdout == "1\n"


@pytest.mark.slow
@pytest.mark.parametrize(("jobs", "most"), [("1", 7), ("2", 12)])
def test_threads_that_may_no_longer_start_end_a_run_in_time(
    made_up, tmp_path, monkeypatch, jobs, most
):
    # Libraries start as many threads as on a machine with four cores.
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    slow = [f"{SLOW}:seconds={0.1 + i / 100:.2f}" for i in range(5)]
    # Another file's detector has a process of its own.
    specs = ",".join([*slow, f"{FILE}:Plain"])
    out, options = tmp_path / "out", ("--datasets", "*", "-j", jobs, "-d", specs)
    with group("pids", max=100) as folder, ThreadPoolExecutor() as pool:
        running = pool.submit(run_inside, folder, made_up, out, *options)
        while not running.done() and not has_a_trial(out):
            time.sleep(0.01)
        (folder / "pids.max").write_text(str(most))
        done = running.result(timeout=60)

    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert "raise `ulimit -u`" in done.stderr.splitlines()[-1]
    else:
        assert done.returncode == 3
        assert "environment" in statuses(out).values()
    assert "raise `ulimit -u`" in done.stderr
    again = run_inside(None, made_up, out, *options)
    assert again.returncode == 0, again.stderr
    results = read_results(out)
    assert len(results) == results["key"].nunique() == 18
    assert set(results["status"]) == {"ok"}


def has_a_trial(out):
    return any("key" in path.read_text() for path in out.glob("journal/*.jsonl"))


@pytest.mark.slow
def test_commands_end_where_few_threads_may_start(made_up, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    table, out = tmp_path / "table.csv", tmp_path / "out"
    table.write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(5000)))
    run_inside(None, made_up, out, "-d", "knn", "-j", "1")
    score = ("score", str(table), "-d", "knn")
    show = ("leaderboard", "show", str(out))
    for words, most in ((score, 1), (score, 3), (score, 8), (show, 5), (show, 8)):
        with group("pids", max=most) as folder:
            done = subprocess.run(
                [
                    *("sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"'),
                    *("sh", sys.executable, "-m", "odbench", *words),
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )

        # A library may tell as well that it could start no thread.
        said = [line for line in done.stderr.splitlines() if "odbench:" in line]
        assert "Traceback" not in done.stderr
        if most == 8:
            assert done.returncode == 0, done.stderr
        elif done.returncode:
            assert done.returncode == 2
            assert len(said) == 1
            assert "raise `ulimit -u`" in said[0]


@pytest.mark.long
@pytest.mark.slow
def test_a_detector_that_takes_all_processes_fails_alone(made_up, tmp_path):
    spec = f"{FILE}:StartsMany"
    with group("pids", max=60) as folder:
        done = run_inside(
            folder, made_up, tmp_path / "out", "-j", "1", "-d", f"{spec},knn"
        )

    assert "Traceback" not in done.stderr
    assert statuses(tmp_path / "out") == {"StartsMany": "failed", "knn": "ok"}


@pytest.mark.long
@pytest.mark.slow
def test_memory_that_the_container_does_not_have_is_not_the_detectors(
    made_up, tmp_path
):
    out, spec = tmp_path / "out", f"{FILE}:TakesTwoGib"
    options = ("-j", "1", "-d", f"{spec},knn", "--memory-limit", "4")
    with group("memory", limit_in_bytes=GIB) as folder:
        swap = folder / "memory.memsw.limit_in_bytes"
        if swap.exists():
            swap.write_text(str(GIB))
        done = run_inside(folder, made_up, out, *options)
        run_inside(folder, made_up, tmp_path / "own", *options[:-2])

    assert "more than this machine has (1.0 GiB)" in done.stderr
    assert statuses(out) == {"TakesTwoGib": "environment", "knn": "ok"}
    assert "the machine ran out of memory" in read_results(out)["reason"].max()
    # With the limit that follows from the group, it is over its own.
    assert statuses(tmp_path / "own") == {"TakesTwoGib": "memory", "knn": "ok"}
    again = run_inside(None, made_up, out, *options)
    assert statuses(out) == {"TakesTwoGib": "ok", "knn": "ok"}, again.stderr


@pytest.mark.slow
def test_memory_that_libraries_alone_need_is_not_the_detectors(made_up, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "odbench", "run", "--suite", "oddbench", "-q"),
            *("--mirror", str(made_up), "--datasets", "Gamma", "-d", "knn", "-j", "1"),
            *("--memory-limit", "0.1", "--out", str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Python and the libraries alone may need 0.5 GiB;" in done.stderr
    assert statuses(tmp_path / "out") == {"knn": "environment"}


@pytest.mark.slow
def test_a_limit_of_the_shell_on_memory_is_not_the_detectors(made_up, tmp_path):
    out, spec = tmp_path / "out", f"{FILE}:TakesTwoGib"
    words = ("run", "--suite", "oddbench", "-q", "--mirror", str(made_up), "-j", "1")
    command = [
        *("sh", "-c", 'ulimit -v 2000000 && exec "$@"', "sh", sys.executable, "-m"),
        *("odbench", *words, "--datasets", "Gamma", "-d", spec),
    ]
    limited = subprocess.run(
        [*command, "--memory-limit", "4", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    subprocess.run([*command, "--out", str(tmp_path / "own")], check=False)

    assert "4 GiB are more than a process may have here (1.9 GiB)" in limited.stderr
    assert statuses(out) == {"TakesTwoGib": "environment"}
    assert "raise `ulimit -v`" in read_results(out)["reason"].max()
    # With the limit that follows from that of the shell, it is over its own.
    assert statuses(tmp_path / "own") == {"TakesTwoGib": "memory"}


@pytest.mark.parametrize(
    ("memory", "cores", "expected"),
    [(GIB // 4, 8, 1), (GIB, 8, 1), (2 * GIB, 8, 3), (64 * GIB, 8, 8)],
)
def test_the_workers_follow_the_memory(monkeypatch, memory, cores, expected):
    monkeypatch.setattr(provenance, "memory_bytes", lambda: memory)
    monkeypatch.setattr(provenance, "cores", lambda: cores)

    share = preflight.divide_machine(RunRequest(suites=("oddbench",), detectors=()))

    assert share.jobs == expected
    assert share.memory_bytes == int(memory * 0.9 / expected)
    assert any("instead of 8" in each for each in share.remarks) == (expected < cores)


def test_workers_are_refused_where_not_one_could_start(monkeypatch):
    monkeypatch.setattr(preflight, "startable", lambda most: 5)

    with pytest.raises(NoProcessesError, match="only 5 more may be started here"):
        preflight.divide_machine(RunRequest(suites=("oddbench",), detectors=()))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memory.events", "low 0\noom 3\noom_kill 2\n"),
        ("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
    ],
    ids=["version 2", "version 1"],
)
def test_kills_of_a_control_group_are_counted(monkeypatch, tmp_path, name, text):
    (tmp_path / "memory").mkdir()
    (tmp_path / name).write_text(text)
    own = tmp_path / "own"
    own.write_text("4:memory:/\n0::/\n")
    monkeypatch.setattr(provenance, "_CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(provenance, "_OWN_GROUPS", own)

    before = room.out_of_memory_kills()
    (tmp_path / name).write_text(text.replace("oom_kill 2", "oom_kill 3"))

    assert before > 0
    assert room.out_of_memory_kills() > before


@pytest.fixture
def tables(rng):
    given = Handover(rng.normal(size=(50, 3)), rng.normal(size=(40, 3)))
    yield given
    given.close()


@pytest.fixture
def sandbox(own_cache):
    given = Sandbox(
        Limits(seconds=100.0),
        Confinement(
            hidden=(), place=place_of("detector x"), kernels=kernels_of("detector x"),
            sys_path=(),
        ),
    )  # fmt: skip
    yield given
    given.close()


@pytest.mark.parametrize(("room_left", "status"), [(0, "environment"), (16, "failed")])
def test_a_thread_that_cannot_start_is_a_fault_where_nobody_could_start_one(
    sandbox, tables, monkeypatch, room_left, status
):
    monkeypatch.setattr("odbench.sweep.sandbox.startable", lambda most: room_left)
    spec = find_detector(f"{FILE}:FindsNoThread").spec

    outcome = sandbox.trial(spec, 0, tables, specs=[spec])

    assert outcome.status == status
    assert "can't start new thread" in outcome.reason


@pytest.mark.skipif(sys.platform != "linux", reason="walks /proc")
def test_what_a_trial_leaves_behind_does_not_work_on(sandbox, tables):
    spec = find_detector(f"{FILE}:WorksOn").spec

    assert sandbox.trial(spec, 0, tables, specs=[spec]).status == "ok"

    left = psutil.Process(sandbox._process.pid).children(recursive=True)
    assert len(left) >= 2
    time.sleep(0.1)
    before = [each.cpu_times().user for each in left]
    time.sleep(0.5)
    assert [each.cpu_times().user for each in left] == before
    assert {each.status() for each in left} == {psutil.STATUS_STOPPED}
    assert sandbox.trial(spec, 0, tables, specs=[spec]).status == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="walks /proc")
def test_processes_stop_and_go_on():
    code = "import subprocess as s; s.run(['sleep', '600'])"
    outer = [sys.executable, "-c", f"import subprocess as s; s.run([{sys.executable!r},"
             f" '-c', {code!r}])"]  # fmt: skip
    with subprocess.Popen(outer) as process:
        try:
            while len(psutil.Process(process.pid).children(recursive=True)) < 2:
                time.sleep(0.01)
            stopped = pause_descendants(process.pid)
            assert len(stopped) == 2
            wait_for(lambda: states(stopped) == {psutil.STATUS_STOPPED})
            assert states([process.pid]) != {psutil.STATUS_STOPPED}
            resume(stopped)
            wait_for(lambda: psutil.STATUS_STOPPED not in states(stopped))
        finally:
            family = psutil.Process(process.pid).children(recursive=True)
            for each in (*family, process):
                each.kill()


def states(pids):
    return {psutil.Process(pid).status() for pid in pids}


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
