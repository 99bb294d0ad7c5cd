"""The built wheel and the source archive hold what they should, and nothing else."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Where the wheel's packages lie in a checkout.
PACKAGES = {
    "odbench": ROOT / "odbench",
    "odbench_detectors": ROOT / "detectors" / "odbench_detectors",
    "odbench_manifest": ROOT / "datasets_manifest" / "odbench_manifest",
}
# Of both archives; the published results alone are 20 MB when they are compressed.
MOST_BYTES = 34_000_000


def build(kind: str, out: Path) -> Path:
    """Build a wheel or a source archive without an environment of its own."""
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (archive,) = out.iterdir()
    assert archive.stat().st_size < MOST_BYTES
    return archive


def files_below(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_file_of_its_packages(tmp_path):
    names = set(zipfile.ZipFile(build("wheel", tmp_path)).namelist())

    expected = {
        f"{package}/{name}"
        for package, folder in PACKAGES.items()
        for name in files_below(folder)
    }
    assert {name for name in names if ".dist-info/" not in name} == expected


@pytest.fixture(scope="module")
def names(tmp_path_factory) -> set[str]:
    """The names in a source archive, without its folder."""
    with tarfile.open(build("sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


@pytest.mark.slow
def test_the_source_archive_holds_all_that_its_tests_read(names):
    assert {f"tests/{name}" for name in files_below(ROOT / "tests")} <= names
    assert {"pyproject.toml", "LICENSE", "CITATION.cff", ".ci/run"} <= names
    for folder in ("leaderboard", "docs", "examples", "benchmarks", ".github"):
        assert any(name.startswith(f"{folder}/") for name in names), folder
    unwanted = ("__pycache__", ".venv/", ".git/", "cache/", "odbench-runs/")
    assert not [n for n in names for part in unwanted if part in n]


def tracked_files() -> list[str]:
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return done.stdout.split("\0")


def test_the_source_archive_holds_every_tracked_file(names):
    tracked = [name for name in tracked_files() if (ROOT / name).is_file()]

    assert not [name for name in tracked if name not in names]
