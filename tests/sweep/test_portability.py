"""Without what only Linux or POSIX has, a run does less, but it runs.

Modules and calls are hidden in every process of a run by a `sitecustomize` module. What
only a real macOS or Windows shows is not tested here.
"""

import os
import subprocess
import sys

import pytest

from odbench.results import read_results

HIDE = {
    "fcntl": "hide_module('fcntl')",
    "resource": "hide_module('resource')",
    "pwd": "hide_module('pwd')",
    "memory files": "remove(os, 'memfd_create')",
    "descriptors": "remove(socket, 'send_fds', 'recv_fds', 'MSG_CMSG_CLOEXEC')",
    "process files": "remove(os, 'pidfd_open')",
    "users": "remove(os, 'getuid')",
    "groups": "remove(os, 'killpg')",
    "positions": "remove(os, 'pread', 'pwrite')",
    "affinity": "remove(os, 'sched_getaffinity', 'sched_setaffinity')",
    "mapping": "remove(mmap, 'MAP_POPULATE')",
    "system calls": "hide_from_ctypes('syscall', 'prctl')",
    "/proc": "hide_folder('/proc')",
    "/dev/shm": "hide_folder('/dev/shm')",
}
PREAMBLE = """
import builtins, ctypes, io, mmap, os, select, socket, sys

def remove(module, *names):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)

def hide_module(hidden):
    get = builtins.__import__
    def refuse(name, globals=None, *args, **kwargs):
        if name == hidden and (globals or {}).get("__name__", "").startswith("odbench"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return get(name, globals, *args, **kwargs)
    builtins.__import__ = refuse

def called_by_psutil():
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("psutil"):
            return True
        frame = frame.f_back
    return False

def hide_from_ctypes(*names):
    get = ctypes.CDLL.__getattr__
    def refuse(self, name):
        if name in names:
            raise AttributeError(name)
        return get(self, name)
    ctypes.CDLL.__getattr__ = refuse

def hide_folder(folder):
    def hiding(function):
        def call(path, *args, **kwargs):
            if isinstance(path, (str, bytes, os.PathLike)):
                if os.fsdecode(path).startswith(folder) and not called_by_psutil():
                    raise FileNotFoundError(2, "hidden", os.fsdecode(path))
            return function(path, *args, **kwargs)
        return call
    for module, name in ((os, "stat"), (os, "scandir"), (os, "listdir"), (os, "open"),
                         (io, "open"), (builtins, "open")):
        setattr(module, name, hiding(getattr(module, name)))
"""


@pytest.fixture
def without(tmp_path):
    """A function that runs a command line of Python where some things are hidden."""

    def run(hidden, *arguments):
        folder = tmp_path / "site"
        folder.mkdir(exist_ok=True)
        text = PREAMBLE + "\n".join(HIDE[name] for name in hidden)
        (folder / "sitecustomize.py").write_text(text)
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": str(folder)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def sweep(without, hidden, made_up, tmp_path, *more):
    """Run knn and a detector of a user, and return the command and its results."""
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "class Mine:\n"
        "    def fit(self, X): self.m = X.mean(0); return self\n"
        "    def decision_function(self, X): return np.abs(X - self.m).sum(1)\n"
    )
    done = without(
        hidden,
        *("-m", "odbench", "run", "--suite", "oddbench", "--mirror", str(made_up)),
        *("-d", "knn,mine.py:Mine", "--datasets", "Gamma", "--out", "out"),
        *more,
    )
    assert done.returncode == 0, done.stderr
    return done, read_results(tmp_path / "out").set_index("detector")


# CI hides everything at once; each thing alone takes a run of its own.
@pytest.mark.slow
@pytest.mark.parametrize(
    "hidden",
    [
        *(pytest.param([name], marks=pytest.mark.long, id=name) for name in HIDE),
        pytest.param(list(HIDE), id="all"),
    ],
)
def test_a_run_goes_on_without(without, made_up, tmp_path, hidden):
    _, results = sweep(without, hidden, made_up, tmp_path, "--memory-limit", "2")

    assert set(results["status"]) == {"ok"}
    assert results.loc["Mine", "auroc"] > 0.9
    assert (results["fit_seconds"] > 0).all()


@pytest.mark.slow
def test_without_a_sandbox_the_run_says_so(without, made_up, tmp_path):
    done, results = sweep(without, list(HIDE), made_up, tmp_path, "--jobs", "1")

    assert "no sandbox on this system" in done.stderr
    assert set(results["sandbox"]) == {"audit hook"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "option", "status"),
    [
        ("while len(X) != 64: pass", ("--timeout", "3"), "timeout"),
        (
            "self.x = [np.ones(1 << 22) for _ in range(80 if len(X) != 64 else 0)]\n"
            "        import time; time.sleep(1)",
            ("--memory-limit", "1"),
            "memory",
        ),
    ],
)
def test_limits_hold_in_plain_processes(
    without, made_up, tmp_path, *, body, option, status
):
    (tmp_path / "bad.py").write_text(
        "import numpy as np\n"
        "class Bad:\n"
        "    def fit(self, X):\n"
        f"        {body}\n"
        "        return self\n"
        "    def decision_function(self, X): return X[:, 0]\n"
    )

    done = without(
        list(HIDE),
        *("-m", "odbench", "run", "--suite", "oddbench", "--mirror", str(made_up)),
        *("-d", "bad.py:Bad", "--datasets", "Gamma", "--out", "out", *option),
    )

    assert done.returncode == 3, done.stderr
    assert list(read_results(tmp_path / "out")["status"]) == [status]


@pytest.mark.parametrize(
    "command",
    [
        ("-c", "import odbench; print(odbench.__version__)"),
        ("-m", "odbench", "suites"),
        ("-m", "odbench", "detectors", "list"),
        ("-m", "odbench", "leaderboard", "--help"),
        ("-m", "odbench", "submission", "check", "missing.zip"),
    ],
    ids=lambda command: " ".join(command[:4]),
)
def test_commands_that_run_no_detector_do_not_notice(without, command):
    done = without(list(HIDE), *command)

    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 2}
