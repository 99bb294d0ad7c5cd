"""Files of detectors that end, move or silence the process that imports them."""

import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from odbench.plugins import find
from odbench.plugins.contained import contained
from odbench.plugins.find import find_detectors

SOURCE = """

class Mine:
    def fit(self, X):
        return self

    def decision_function(self, X):
        return X.sum(axis=1)
"""


@pytest.fixture
def file(tmp_path):
    def write(code, *, name="mine.py"):
        path = tmp_path / name
        path.write_text(f"{code}\n{SOURCE}")
        return f"{path}:Mine"

    return write


def show(spec, *, folder):
    """Type ``odbench detectors show`` in a process that the module may end."""
    return subprocess.run(
        [sys.executable, "-m", "odbench", "detectors", "show", spec],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("code", [0, 7])
def test_a_module_that_ends_the_process_is_an_error_of_one_line(file, tmp_path, code):
    done = show(file(f"import os\nos._exit({code})"), folder=tmp_path)

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"cannot be imported (SystemExit: os._exit({code}))" in line


def test_a_module_that_crashes_names_its_line(file, tmp_path):
    done = show(file("import ctypes\nctypes.string_at(0)"), folder=tmp_path)

    assert done.returncode == -signal.SIGSEGV
    assert 'mine.py", line 2 in <module>' in done.stderr


def test_no_thread_of_a_module_keeps_the_command_alive(file, tmp_path):
    spec = file("import threading as t\nt.Thread(target=t.Event().wait).start()")

    done = show(spec, folder=tmp_path)

    assert (done.returncode, "Mine" in done.stdout) == (0, True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_process_that_a_module_forks_does_not_run_the_command_again(file, tmp_path):
    done = show(file("import os\nos.fork()"), folder=tmp_path)

    assert done.returncode == 0
    alone = show(file("", name="alone.py"), folder=tmp_path)
    assert len(done.stdout.splitlines()) == len(alone.stdout.splitlines())


def test_a_module_changes_neither_folder_nor_streams_nor_warnings(file, tmp_path):
    spec = file(
        "import os, sys, warnings\nimport numpy\n"
        "os.chdir('/')\nsys.stderr = sys.stdin = None\n"
        "warnings.filterwarnings('ignore')\nnumpy.seterr(all='raise')\n"
    )
    before = (Path.cwd(), sys.stdin, sys.stderr, list(warnings.filters), np.geterr())

    find_detectors([spec])

    after = (Path.cwd(), sys.stdin, sys.stderr, list(warnings.filters), np.geterr())
    assert after == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_function_that_was_kept_ends_the_process_later():
    with contained():
        kept = os._exit
    for end in (kept, os._exit):
        process = os.fork()
        if not process:
            end(5)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 5


def test_a_module_that_does_not_end_is_named(file, monkeypatch, capsys):
    monkeypatch.setattr(find, "_SLOW_SECONDS", 0.05)
    spec = file("import threading\nthreading.Event().wait(0.5)")

    find_detectors([spec])

    said = capsys.readouterr().err
    assert f"detector {spec!r}: its module or class has run for" in said
