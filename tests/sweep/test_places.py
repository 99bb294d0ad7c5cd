"""Working folders are removed once nothing works in them, and not before."""

import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from odbench.sweep import places
from odbench.sweep.places import WorkingFolder, remove_working_folders

# A process that makes a working folder, says where, and waits.
HOLDER = """
import sys, time
from odbench.sweep import places
from odbench.sweep.places import WorkingFolder
folder = WorkingFolder(sys.argv[1])
(folder.path / "file").write_text("content")
print(folder.path, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Keep temporary files of this process and its children in a folder of the test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_folder_whose_process_was_killed_is_removed_by_any_run():
    command = [sys.executable, "-c", HOLDER, secrets.token_hex(8)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        folder = Path(holder.stdout.readline().strip())
        remove_working_folders(secrets.token_hex(8))
        was_kept = (folder / "file").exists()
        holder.kill()
    remove_working_folders()

    assert was_kept
    assert not folder.exists()


def test_the_folders_of_a_run_are_removed_at_its_end_though_workers_live():
    token = secrets.token_hex(8)
    own, other = WorkingFolder(token), WorkingFolder(secrets.token_hex(8))

    remove_working_folders(token)

    assert not own.path.exists()
    assert other.path.exists()
    own.remove()
    other.remove()
    assert not other.path.exists()


def test_only_working_folders_are_looked_at(temporary):
    names = ["odbench-own-abc", "odbench-1000", "odbench-0123-x", "pytest-1-2"]
    for name in names:
        (temporary / name).mkdir()

    remove_working_folders()
    remove_working_folders("own")

    assert sorted(path.name for path in temporary.iterdir()) == sorted(names)


def test_a_folder_that_is_taken_before_it_is_locked_is_made_again(monkeypatch):
    taken = []

    def lock_late(handle):
        monkeypatch.setattr(places, "lock", lock)
        taken.extend(Path(tempfile.gettempdir()).iterdir())
        remove_working_folders()
        return lock(handle)

    lock = places.lock
    monkeypatch.setattr(places, "lock", lock_late)
    folder = WorkingFolder(secrets.token_hex(8))

    assert len(taken) == 1
    assert folder.path.exists()
    assert folder.path not in taken
    folder.remove()
