"""The zoo runs for an ordinary user in a container with a quota."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).with_name("container.sh")
SUITE = ("-s", "synbench-mini", "--limit", "1", "--seeds", "1", "-q")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's namespaces"),
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0,
        reason="only root can make a container",
    ),
]


def closed_parent(folder):
    """Return the highest parent of a folder that others may not enter, or "-"."""
    parents = reversed([folder, *folder.parents])
    return next((str(p) for p in parents if not p.stat().st_mode & 0o001), "-")


@pytest.fixture
def contained():
    """A function that runs a command in a container; it returns what it did.

    Results are written to stdout, because the folder is gone with the container.
    """
    interpreter = Path(sys.base_prefix).resolve()
    # The folder must be seen by others, which those of pytest are not.
    folder = Path(f"/mnt/odbench-{os.getpid()}")
    folder.mkdir(parents=True, exist_ok=True)

    def contained(*command, quota=1 << 30):
        return subprocess.run(
            [
                *("unshare", "--mount", "--pid", "--fork", "--ipc", str(SCRIPT)),
                *(str(interpreter), closed_parent(interpreter), str(folder)),
                *(str(quota), *command),
            ],
            capture_output=True,
            text=True,
            check=False,
        )

    probe = contained(sys.executable, "-c", "import odbench, os; print(os.getuid())")
    if probe.stdout.strip() != "12345":
        folder.rmdir()
        pytest.skip(f"no container can be made here: {probe.stderr.strip()[-200:]}")
    yield contained
    folder.rmdir()


def run_line(*more):
    """Return a shell's line that runs detectors and prints the table they left."""
    run = " ".join([f"'{sys.executable}' -m odbench run --out out", *SUITE, *more])
    return f"{run} >&2; code=$?; cat out/leaderboard.csv; exit $code"


def test_the_container_has_its_limits(contained):
    tried = contained(
        "sh",
        "-c",
        "touch /x; touch /dev/shm/x; head -c 2000000 /dev/zero > big; ls /root; id -u",
        quota=1 << 20,
    )

    assert tried.stdout.split()[-1] == "12345"
    assert tried.stderr.count("Read-only file system") == 2
    assert "No space left on device" in tried.stderr


@pytest.mark.slow
@pytest.mark.long
def test_the_whole_zoo_runs_in_a_container(contained, tmp_path):
    done = contained("sh", "-c", run_line("-j", "2"))

    assert done.returncode == 0, done.stderr
    (tmp_path / "table.csv").write_text(done.stdout)
    table = pd.read_csv(tmp_path / "table.csv")
    assert len(table) > 10
    assert (table["n_failed"] == 0).all()


@pytest.mark.slow
@pytest.mark.long
def test_a_quota_that_is_too_small_is_named(contained):
    done = contained("sh", "-c", run_line("-d", "ecod,knn", "-j", "1"), quota=1 << 16)

    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("odbench:") >= 1
