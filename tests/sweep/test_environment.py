"""Faults of the machine are named before or beside the trials, and never ranked."""

import errno
import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

import odbench
from odbench import provenance
from odbench.errors import (
    MissingExtraError,
    NoProcessesError,
    RunBrokenError,
    UsageError,
)
from odbench.leaderboard.tables import build_leaderboard
from odbench.plugins.find import find_detector
from odbench.results import read_results, scores_file
from odbench.sweep import landlock, places, preflight, sandboxes
from odbench.sweep.finished import finished
from odbench.sweep.journal import read_journals
from odbench.sweep.outcome import environment
from odbench.sweep.sandbox import Sandbox
from odbench.sweep.trials import Trial

FILE = Path(__file__).with_name("hostile.py")


@pytest.fixture
def run(made_up, tmp_path):
    """A function that runs a detector on Gamma, and returns its only row."""

    def run(detector="knn", **options):
        results = odbench.run(
            "oddbench",
            detectors=[detector],
            mirror=str(made_up),
            datasets="Gamma",
            out=tmp_path / "run",
            show_progress=False,
            **({"jobs": 1} | options),
        )
        assert len(results) == 1
        return results.iloc[0]

    return run


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_trial_that_the_machine_did_not_allow_is_not_ranked_and_runs_again(
    run, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "trial", lambda *_, **__: environment("no room"))
        row = run()

    assert (row["status"], row["reason"]) == ("environment", "no room")
    assert build_leaderboard(read_results(tmp_path / "run")).empty
    assert not len(finished(tmp_path / "run"))
    assert run()["status"] == "ok"
    assert len(finished(tmp_path / "run")) == 1


@pytest.mark.slow
def test_results_outlive_a_machine_that_allows_no_trial(run, tmp_path, monkeypatch):
    measured = run()

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "trial", lambda *_, **__: environment("no room"))
        with pytest.warns(UserWarning, match="did not allow, mostly: no room; the"):
            row = run(keep_scores=True)

    assert (row["status"], row["auroc"]) == ("ok", measured["auroc"])
    # The scores are still missing, so the same call runs the trial again.
    assert not (tmp_path / "run/scores").exists()
    row = run(keep_scores=True)
    assert row["status"] == "ok"
    assert scores_file(tmp_path / "run", row).exists()


def test_a_missing_trial_and_one_of_the_environment_are_ranked_alike(run, tmp_path):
    run()
    good = read_results(tmp_path / "run")
    bad = good.assign(detector="lof", status="environment", auroc=None, ap=None)

    table = build_leaderboard(pd.concat([good, bad], ignore_index=True))

    assert list(table["detector"]) == ["knn"]


def test_no_process_for_detectors_stops_the_run_before_the_first_trial(
    run, monkeypatch
):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")

    with pytest.raises(RunBrokenError, match="no process can run them here"):
        run()


def test_without_shared_locks_workers_are_threads_and_the_run_says_so(
    run, monkeypatch, capsys
):
    monkeypatch.setattr(preflight, "_no_locks", lambda: "Read-only file system")

    row = run(jobs=2)

    assert row["status"] == "ok"
    assert "(Read-only file system); workers are threads" in capsys.readouterr().err


def test_without_a_sandbox_the_run_says_so_or_refuses(run, monkeypatch, capsys):
    monkeypatch.setattr(preflight, "_layers", lambda context: ("audit hook",))

    run()

    assert "no sandbox on this system" in capsys.readouterr().err
    with pytest.raises(UsageError, match="--require-sandbox: this system has no"):
        run("ecod", require_sandbox=True)


def without_dask(patch):
    patch.setitem(sys.modules, "distributed", None)
    return {"backend": "dask"}


def without_ray(patch):
    patch.setitem(sys.modules, "ray", None)
    return {"backend": "ray"}


def without_landlock(patch):
    patch.setattr(preflight, "_layers", lambda context: ("audit hook",))
    return {"require_sandbox": True}


def without_processes(patch):
    patch.setattr(preflight, "startable", lambda most: 5)
    return {}


@pytest.mark.parametrize(
    "prevent", [without_dask, without_ray, without_landlock, without_processes]
)
def test_a_refused_call_changes_nothing(run, tmp_path, monkeypatch, prevent):
    folder = tmp_path / "run"

    def refused():
        with monkeypatch.context() as patch:
            options = prevent(patch)
            with pytest.raises((UsageError, NoProcessesError)):
                run("ecod", **options)

    refused()
    assert not folder.exists()

    run("knn")
    before = contents(folder)
    refused()
    assert contents(folder) == before


def contents(folder):
    """Return the files of a folder but the lock, which names the last process."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_worker_whose_machine_has_no_sandbox_runs_nothing_if_one_is_required(
    run, monkeypatch
):
    # As on a machine of a cluster, which the driver cannot check.
    monkeypatch.setattr(preflight, "_layers", lambda context: ("landlock 7",))
    monkeypatch.setattr("odbench.sweep.sandbox.is_enforced", lambda layers: False)

    row = run(require_sandbox=True)

    assert row["status"] == "environment"
    assert "this machine has no Landlock" in row["reason"]


@pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
def test_a_required_sandbox_that_is_there_is_used(run, tmp_path):
    row = run(require_sandbox=True)

    assert row["status"] == "ok"
    assert "landlock" in row["sandbox"]
    assert "landlock" in json.dumps(json.loads((tmp_path / "run/run.json").read_text()))


def test_a_folder_for_temporary_files_that_is_full_is_named(
    run, small_disk, monkeypatch
):
    from tests.conftest import fill

    fill(small_disk)
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))

    with pytest.raises(RunBrokenError, match=f"temporary files: '{small_disk}' cannot"):
        run()


@pytest.mark.slow
@pytest.mark.parametrize("limit", [16, 40])
def test_few_open_files_are_said_and_not_taken_for_a_full_disk(
    made_up, tmp_path, limit
):
    done = subprocess.run(
        [
            *("prlimit", f"--nofile={limit}:{limit}", sys.executable, "-m", "odbench"),
            *("run", "--suite", "oddbench", "--mirror", str(made_up), "-d", "knn"),
            *("--out", str(tmp_path / "out"), "-j", "1", "-q", "--limit", "1"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "make room" not in done.stderr
    assert "Traceback" not in done.stderr
    assert f"only {limit} files may be open" in done.stderr


def test_too_few_open_files_for_a_process_are_named_with_their_cure(made_up, tmp_path):
    done = subprocess.run(
        [
            *("prlimit", "--nofile=11:11", sys.executable, "-m", "odbench"),
            *("run", "--suite", "oddbench", "--mirror", str(made_up), "-d", "knn"),
            *("--out", str(tmp_path / "out"), "-j", "1", "-q", "--limit", "1"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "raise the limit on open files (`ulimit -n 1024`)" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.slow
@pytest.mark.parametrize("has_home", [False, True], ids=["no home", "a fresh home"])
def test_an_ordinary_user_without_a_home_runs_compiled_detectors(
    made_up, tmp_path, has_home
):
    folder = tmp_path / "of-the-user"
    (folder / "home").mkdir(parents=True)
    for owned in (folder, folder / "home"):
        os.chown(owned, 12345, 12345)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    command = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    # The first process may still have rights of root; one that it starts has not.
    probe = (
        "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', '']))"
    )
    tried = subprocess.run(
        [*command, sys.executable, "-c", probe], capture_output=True, check=False
    )
    if tried.returncode:
        pytest.skip("another user may not start this interpreter")

    done = subprocess.run(
        [
            *(*command, sys.executable, "-m", "odbench", "run", "--suite", "oddbench"),
            *("--mirror", str(made_up), "--limit", "1", "-d", "ecod,gmm", "-j", "1"),
            *("--out", str(folder / "out"), "-q"),
        ],
        env={"PATH": os.environ["PATH"]}
        | (
            {"HOME": str(folder / "home")}
            if has_home
            else {"HOME": "/nonexistent", "ODBENCH_CACHE": str(folder / "cache")}
        ),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert set(read_results(folder / "out")["status"]) == {"ok"}


def test_kernels_have_a_folder_even_if_no_cache_can_be_written(monkeypatch, tmp_path):
    locked = tmp_path / "locked"
    locked.write_text("a file, so no folder can be made here")
    monkeypatch.setenv("ODBENCH_CACHE", str(locked / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(locked / "xdg"))

    folder = places.kernels_of(places.HOME)

    folder.mkdir(parents=True, exist_ok=True)
    assert os.access(folder, os.W_OK)
    assert not folder.parent.stat().st_mode & 0o022


@pytest.fixture
def record_of():
    """A function that returns a trial of somebody else's detector with a name."""
    return lambda name: Trial("p.py:X", 0, 0, "", {"detector": name}, is_home=False)


def test_others_do_not_write_where_odbench_keeps_compiled_code():
    stranger = places.STRANGER + "Stranger"
    assert places.kernels_of(stranger) != places.kernels_of(places.HOME)
    assert places.kernels_of(stranger).is_relative_to(places.place_of(stranger))


@pytest.mark.parametrize("name", ["odbench", "zoo", "", "knn"])
def test_no_name_makes_a_detector_one_of_odbenchs_own(name, record_of):
    group = sandboxes._group(record_of(name))

    assert group != places.HOME
    assert places.place_of(group) != places.place_of(places.HOME)
    assert places.kernels_of(group) != places.kernels_of(places.HOME)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "Ä", "x" * 300])
def test_a_detectors_folder_stays_inside_the_cache(name, own_cache):
    folder = places.place_of(places.STRANGER + name)

    assert folder.parent == own_cache / "detectors"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.max": "1073741824"}, 2**30),
        ({"memory.max": "max", "memory.high": "536870912"}, 2**29),
        ({"a/memory.max": "max", "memory.max": "1073741824"}, 2**30),
        ({"a/b/memory.max": "268435456", "memory.max": "max"}, 2**28),
    ],
)
def test_the_memory_of_a_container_counts(monkeypatch, tmp_path, files, expected):
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    own = tmp_path / "own"
    own.write_text("0::/a/b\n")
    monkeypatch.setattr(provenance, "_CONTROL_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(provenance, "_OWN_GROUPS", own)

    assert provenance.memory_bytes() == expected


def test_a_disk_without_locks_is_said_and_used(run, monkeypatch, capsys):
    real = fcntl.flock

    def refuse(file, operation):
        # The cache, whose locks are descriptors, is on another disk.
        if isinstance(file, int):
            return real(file, operation)
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)

    assert run()["status"] == "ok"
    assert "is on a disk without locks" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_read_only_shared_memory_is_no_fault_of_the_folder(made_up, tmp_path, jobs):
    command = [
        *(sys.executable, "-m", "odbench", "run", "--suite", "oddbench", "-q"),
        *("--mirror", str(made_up), "-d", "knn", "--out", str(tmp_path / "out")),
        *("-j", jobs),
    ]
    mounted = "mount -t tmpfs -o ro tmpfs /dev/shm"
    if subprocess.run(["unshare", "-m", "sh", "-c", mounted], check=False).returncode:
        pytest.skip("may not mount anything here")

    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mounted} && exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert set(read_results(tmp_path / "out")["status"]) == {"ok"}


def test_a_machine_has_the_cores_that_joblib_counts(monkeypatch):
    # It knows the quota of a container.
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)

    assert provenance.cores() == 1


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a/cpu.max": "150000 100000", "cpu.max": "max 100000"}, 2),
        ({"a/b/cpu.max": "25000 100000", "a/cpu.max": "800000 100000"}, 1),
        ({"a/b/cpu.max": "max 100000"}, 64),
        ({"a/b/cpu.max": "nonsense"}, 64),
    ],
)
def test_quotas_of_outer_and_inner_groups_count(monkeypatch, tmp_path, files, expected):
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    (tmp_path / "own").write_text("0::/a/b\n")
    monkeypatch.setattr(provenance, "_CONTROL_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(provenance, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr("joblib.cpu_count", lambda: 64)

    assert provenance.cores() == expected


def test_seconds_that_compare_with_no_other_run_are_said(run, monkeypatch, capsys):
    monkeypatch.setattr(provenance, "cores", lambda: 1)
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.setenv("NUMBA_OPT", "3")

    assert run("ecod", jobs=2)["status"] == "ok"

    said = capsys.readouterr().err
    assert "2 workers on 1 core: trials wait for each other" in said
    assert "NUMBA_DISABLE_JIT=1: compiled detectors are slowed down" in said
    assert "NUMBA_OPT" not in said


def test_a_library_that_counts_cores_finds_one(run, tmp_path, monkeypatch):
    # Else a detector with n_jobs=-1 takes the cores of other workers' trials.
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "7")
    file = tmp_path / "counts.py"
    file.write_text(
        "import joblib\n"
        "class Counts:\n"
        "    def fit(self, X):\n"
        "        raise ValueError(f'cores: {joblib.cpu_count()}')\n"
        "    def decision_function(self, X): return X[:, 0]\n"
    )

    with pytest.warns(UserWarning, match="Counts: 1 failed"):
        row = run(f"{file}:Counts")

    assert "cores: 1" in row["reason"]


def test_a_number_of_cores_that_is_none_is_one_line(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "many")

    with pytest.raises(UsageError, match="LOKY_MAX_CPU_COUNT: got 'many', wanted a"):
        provenance.cores()


def test_a_library_that_pyod_needs_in_another_file_is_named():
    pytest.importorskip("pyod")
    if importlib.util.find_spec("combo"):
        pytest.skip("combo is installed")

    with pytest.raises(MissingExtraError, match=r"needs combo.*pip install combo"):
        find_detector("pyod.FeatureBagging")


def test_modules_beside_a_detector_are_found_with_the_run_inside_the_project(
    run, tmp_path
):
    # The results in the same folder are hidden, so that it cannot be listed.
    (tmp_path / "helping_mine.py").write_text("FACTOR = 2.0")
    (tmp_path / "helpers_of_mine").mkdir()
    (tmp_path / "helpers_of_mine" / "__init__.py").write_text("")
    (tmp_path / "helpers_of_mine" / "deeper.py").write_text("TERM = 1.0")
    mine = tmp_path / "mine.py"
    mine.write_text(
        "import helping_mine\n"
        "from helpers_of_mine.deeper import TERM\n"
        "class Mine:\n"
        "    def fit(self, X, y=None):\n"
        "        return self\n"
        "    def decision_function(self, X):\n"
        "        return X.sum(axis=1) * helping_mine.FACTOR + TERM\n"
    )

    row = run(f"{mine}:Mine")

    assert (row["status"], row["reason"]) == ("ok", "")


@pytest.mark.slow
def test_the_processor_time_of_a_process_is_no_fault_of_the_detector(made_up, tmp_path):
    done = subprocess.run(
        [
            *("prlimit", "--cpu=8", sys.executable, "-m", "odbench", "run"),
            *("--suite", "oddbench", "--mirror", str(made_up), "-q", "-j", "1"),
            *("--datasets", "Gamma", "-d", f"{FILE}:LoopsForEver"),
            *("--out", str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "a process is ended after 8 s of processor time here" in done.stderr
    assert "raise `ulimit -t`" in done.stderr
    assert set(read_results(tmp_path / "out")["status"]) == {"environment"}


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_the_state_of_a_repository_is_read_without_writing_to_it(tmp_path):
    def git(*arguments):
        names = ("-c", "user.name=a", "-c", "user.email=a@localhost")
        subprocess.run(["git", "-C", str(tmp_path), *names, *arguments], check=True)

    git("init", "-q")
    file, index = tmp_path / "file", tmp_path / ".git" / "index"
    file.write_text("same")
    git("add", "file")
    git("commit", "-q", "-m", "first")
    # Git would renew the entry of a file with a new time and the same content.
    os.utime(file, (1, 1))
    before = index.read_bytes()

    assert provenance.git_state(tmp_path)["dirty"] is False

    assert index.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("largest", [2_000, 70_000])
def test_a_small_limit_on_files_is_named_with_its_cure(made_up, tmp_path, largest):
    done = subprocess.run(
        [
            *("prlimit", f"--fsize={largest}", sys.executable, "-m", "odbench", "run"),
            *("--suite", "oddbench", "--mirror", str(made_up), "-q", "-d", "ecod"),
            *("--out", str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode in {0, 1, 2, 3}
    assert f"larger than {largest / 2**20:,.2f} MiB here" in done.stderr or (
        "File too large" in done.stderr
    )
    assert "`ulimit -f`" in done.stderr
    assert "fewer --jobs" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_journal_that_meets_a_limit_names_its_cure(made_up, tmp_path, jobs):
    # One data set for each worker, and rows that fill more than one journal of it.
    specs = ",".join(f"{FILE}:Slow:seconds=0.00{number}" for number in range(10, 90))
    done = subprocess.run(
        [
            *("prlimit", "--fsize=70000", sys.executable, "-m", "odbench", "run"),
            *("--suite", "oddbench", "--mirror", str(made_up), "-q", "-d", specs),
            *("--limit", jobs, "-j", jobs, "--out", str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "File too large; raise the limit on the size of files" in done.stderr
    assert "UserWarning" not in done.stderr
    assert len(list(read_journals(tmp_path / "out"))) > 10


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENFILE, "file-max"),
    ],
)
@pytest.mark.parametrize("path", [None, "a/file"])
def test_a_command_that_meets_a_limit_names_its_cure(
    monkeypatch, capsys, code, cure, path
):
    from odbench.cli import cli, main

    def fail(*_args, **_options):
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr(cli, "main", fail)

    with pytest.raises(SystemExit, match="1"):
        main(["suites", "list"])

    said = capsys.readouterr().err
    assert cure in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("limits", "cure"),
    [({"RLIMIT_DATA": 10**8}, "`ulimit -d`"), ({"RLIMIT_AS": 10**8}, "`ulimit -v`"),
     ({}, "`ulimit -v`")],
)  # fmt: skip
def test_the_limit_on_memory_that_holds_is_named(monkeypatch, capsys, limits, cure):
    resource = pytest.importorskip("resource")
    from odbench.cli import cli, main

    def fail(*_args, **_options):
        raise MemoryError

    found = {getattr(resource, name): most for name, most in limits.items()}
    monkeypatch.setattr(
        resource,
        "getrlimit",
        lambda kind: (found.get(kind, resource.RLIM_INFINITY),) * 2,
    )
    monkeypatch.setattr(cli, "main", fail)

    with pytest.raises(SystemExit, match="1"):
        main(["suites", "list"])

    assert cure in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("x.so: failed to map segment")]
)
def test_a_command_without_memory_ends_in_one_line(monkeypatch, capsys, error):
    from odbench.cli import cli, main

    def fail(*_args, **_options):
        raise error

    monkeypatch.setattr(cli, "main", fail)

    with pytest.raises(SystemExit, match="1"):
        main(["suites", "list"])

    assert capsys.readouterr().err.startswith("odbench: not enough memory; free some")


def test_no_folder_for_temporary_files_is_said(run, monkeypatch):
    def fail():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", fail)

    with pytest.raises(RunBrokenError, match="no folder for them can be written"):
        preflight._check_temporary_files()


@pytest.mark.slow
def test_time_in_which_everything_was_stopped_does_not_count(made_up, tmp_path):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "odbench", "run", "--suite", "oddbench", "-q"),
            *("--mirror", str(made_up), "-d", f"{FILE}:Slow:seconds=2.0"),
            *("--datasets", "Gamma", "--timeout", "3", "-j", "1"),
            *("--out", str(tmp_path / "out")),
        ],
        stdout=subprocess.DEVNULL,
    )
    everybody = psutil.Process(process.pid)
    deadline = time.monotonic() + 60
    # The trial has begun when its start is in the journal.
    while not list((tmp_path / "out/journal").glob("*.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    stopped = [everybody, *everybody.children(recursive=True)]
    for one in stopped:
        one.suspend()
    time.sleep(6)
    for one in stopped:
        one.resume()

    assert process.wait(60) == 0
    row = read_results(tmp_path / "out").iloc[0]
    assert row["status"] == "ok", row["reason"]
    assert row["fit_seconds"] < 4


def test_a_folder_above_the_results_that_cannot_be_made_is_the_calls_fault(tmp_path):
    out = tmp_path / "odbench-runs" / "mine"

    def about(file):
        return preflight.is_inside(PermissionError(errno.EACCES, "no", str(file)), out)

    assert about(out.parent)
    assert about(out / "run.json")
    # A folder that is there is in use for other files, too, such as temporary ones.
    assert not about(tmp_path)
    assert not about(tmp_path / "elsewhere")
