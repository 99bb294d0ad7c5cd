"""`odbench cache`: its contents by kind, and removing them when nobody uses them."""

import json
import signal
import subprocess
import sys
import time

import pytest

from odbench.api.cache import Entry, clean_cache, list_cache
from odbench.cli import main
from odbench.errors import UsageError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache with files of each kind, one of them not odbench's."""
    root = tmp_path / "cache"
    sizes = {
        "features/toy/public/a.arrow": 3000,
        "labels/toy/public/a.arrow": 40,
        "locks/toy/public/a.lock": 0,
        "features/oddbench/public/b.arrow": 500,
        "weights/0123": 700,
        "zoo/x": 5,
        "timings.json": 9,
        "holiday.jpg": 11,
    }
    for name, size in sizes.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    monkeypatch.setenv("ODBENCH_CACHE", str(root))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    return root


@pytest.fixture
def call(capsys):
    def called(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["cache", *map(str, arguments)])
        streams = capsys.readouterr()
        return stopped.value.code, streams.out, streams.err

    return called


def files(root):
    names = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    return names - {".in-use"}


def test_dir_prints_the_folder(call, cache):
    assert call("dir") == (0, f"{cache}\n", "")


def test_list_has_kinds_suites_and_sizes(call, cache):
    rows = json.loads(call("list", "--format", "json")[1])

    found = {(row["kind"], row["name"]): (row["files"], row["bytes"]) for row in rows}
    assert found == {
        ("datasets", "oddbench"): (1, 500),
        ("datasets", "toy"): (3, 3040),
        ("weights", "weights"): (1, 700),
        ("detectors", "zoo"): (1, 5),
        ("timings", "timings.json"): (1, 9),
        ("other", "holiday.jpg"): (1, 11),
    }
    assert "2.97 KiB" in call("list")[1]


def test_an_empty_cache_is_listed_and_cleaned(call, tmp_path, monkeypatch):
    monkeypatch.setenv("ODBENCH_CACHE", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))

    assert call("list", "--format", "json")[:2] == (0, "[]\n")
    assert call("clean")[:2] == (0, "nothing to remove\n")


def test_clean_removes_everything_but_what_is_not_odbenchs(call, cache):
    code, text, _ = call("clean", "--yes")

    assert (code, text) == (0, "4.15 KiB removed\n")
    assert files(cache) == {"holiday.jpg"}


def test_clean_of_a_kind_or_a_suite_leaves_the_others(call, cache):
    call("clean", "weights", "timings", "--yes")
    call("clean", "--suite", "toy", "--yes")

    assert files(cache) == {"features/oddbench/public/b.arrow", "zoo/x", "holiday.jpg"}


def test_without_a_terminal_nothing_is_removed_unless_yes(call, cache, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    before = files(cache)

    code, _, said = call("clean")

    assert code == 2
    assert "add --yes" in said
    assert files(cache) == before


def test_in_a_terminal_no_keeps_everything(call, cache, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda question: "4.15 KiB" not in question)
    before = files(cache)

    code, text, _ = call("clean")

    assert code == 0
    assert text.endswith("nothing removed\n")
    assert files(cache) == before


def test_a_dry_run_removes_nothing(call, cache):
    before = files(cache)

    assert "4.15 KiB would be removed" in call("clean", "--dry-run")[1]
    assert files(cache) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pictures"], "got kind 'pictures', wanted some of datasets, downloads"),
        (["--suite", "none"], "of suite 'none'; stored are oddbench, toy"),
        (["--suite", ""], "--suite: got no name"),
        (["--suite", ","], "--suite: got no name"),
        (["kernels", "--suite", "toy"], "got kind 'kernels' and a suite"),
    ],
)
def test_a_wrong_kind_or_suite_is_one_line(call, cache, arguments, message):
    code, _, said = call("clean", *arguments, "--yes")

    assert code == 2
    assert message in said
    assert "weights/0123" in files(cache)


USING = {
    "run": "from odbench.api.cache import cache_in_use as held; block = held()",
    "pull": "import filelock, os; block = filelock.FileLock("
    "os.environ['ODBENCH_CACHE'] + '/locks/toy/public/a.lock')",
}


@pytest.mark.parametrize("use", USING)
def test_nothing_is_removed_while_another_process_uses_the_cache(call, cache, use):
    code = f"{USING[use]}\nwith block: print('held', flush=True); input()"
    before = files(cache)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "held\n"
        result = call("clean", "--yes")
        other.communicate("\n")

    assert result[0] == 2
    assert "a run uses it, so nothing was removed" in result[2]
    assert files(cache) == before
    assert call("clean", "--yes")[0] == 0


def test_links_are_removed_and_not_followed(call, cache, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (cache / "downloads").symlink_to(outside)
    (cache / "features" / "linked").symlink_to(outside)

    call("clean", "--yes")

    assert (outside / "precious").read_text() == "x"
    assert not (cache / "downloads").is_symlink()


def test_a_path_outside_the_cache_is_refused(cache, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    entry = Entry(kind="weights", name="w", paths=(outside,), files=0, bytes=0)

    with pytest.raises(UsageError, match="is not in"):
        clean_cache([entry])
    assert outside.is_dir()


def test_compiled_code_elsewhere_is_listed(cache, tmp_path):
    kernels = tmp_path / "own/odbench/kernels"
    kernels.mkdir(parents=True)
    (kernels / "a.nbi").write_bytes(b"xyz")

    (entry,) = [e for e in list_cache() if e.kind == "kernels"]

    assert (entry.bytes, entry.paths) == (3, (kernels,))


SLEEPER = """
import time
class Sleeper:
    def get_params(self, deep=True): return {}
    def fit(self, X): time.sleep(60); return self
    def decision_function(self, X): return X[:, 0]
"""


@pytest.mark.slow
def test_a_running_sweep_keeps_its_cache(call, tmp_path, monkeypatch):
    root = tmp_path / "cache"
    monkeypatch.setenv("ODBENCH_CACHE", str(root))
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    command = [sys.executable, "-m", "odbench", "run", "--suite", "synbench-mini",
               "--detectors", f"{tmp_path}/sleeper.py:Sleeper", "--limit", "1",
               "--out", str(tmp_path / "run"), "-q", "-j", "1"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as other:
        deadline = time.monotonic() + 120
        while not list(root.glob("features/*/*/*.arrow")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        code, _, said = call("clean", "--yes")
        other.send_signal(signal.SIGINT)

    assert code == 2
    assert "a run uses it" in said
    assert list(root.glob("features/*/*/*.arrow"))
