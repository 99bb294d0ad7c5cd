"""The map in CONTRIBUTING.md matches the tree, and the tree keeps its shape."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAP = CONTRIBUTING.split("## The map")[1].split("\n## ")[0]
ROOMS = dict(re.findall(r"^\| `([\w/]+/)` \| (.*) \|$", MAP, re.MULTILINE))


def packages(folder: str) -> set[str]:
    """Return the folders of Python packages below a folder, as the map writes them."""
    return {
        f"{init.parent.relative_to(ROOT).as_posix()}/"
        for init in (ROOT / folder).rglob("__init__.py")
    }


def detector_folders() -> set[str]:
    zoo = ROOT / "detectors" / "odbench_detectors"
    return {
        f"{info.parent.relative_to(ROOT).as_posix()}/" for info in zoo.rglob("info.py")
    }


def root_modules() -> set[str]:
    return {path.stem for path in (ROOT / "odbench").glob("*.py")}


def test_the_map_names_every_package():
    expected = packages("odbench") | packages("datasets_manifest")
    expected |= packages("detectors") - detector_folders()

    named = {room for room in ROOMS if (ROOT / room / "__init__.py").is_file()}

    assert named == expected


def test_the_map_names_every_folder_at_the_top():
    try:
        done = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    folders = {line.split("/")[0] for line in done.stdout.splitlines() if "/" in line}

    named = {room.split("/")[0] for room in ROOMS}

    assert named == {folder for folder in folders if not folder.startswith(".")}


def test_every_room_of_the_map_is_there():
    assert not [room for room in ROOMS if not (ROOT / room).is_dir()]


def test_the_root_has_at_most_ten_modules_and_the_map_names_them():
    modules = root_modules()

    named = set(re.findall(r"`(\w+)`", ROOMS["odbench/"]))

    assert named == modules - {"__init__", "__main__"}
    assert len(modules) <= 10


def layered(contract: dict) -> set[str]:
    return {
        name.strip().strip("()")
        for layer in contract["layers"]
        for name in re.split(r"[|:]", layer)
    }


CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "tool"
]["importlinter"]["contracts"]
LAYERS = [contract for contract in CONTRACTS if contract["type"] == "layers"]


def test_the_large_rooms_have_exhaustive_layers():
    containers = {one for contract in LAYERS for one in contract["containers"]}

    assert {
        "odbench",
        "odbench.data",
        "odbench.sweep",
        "odbench.leaderboard",
        "odbench.submissions",
    } <= containers
    assert all(contract["exhaustive"] for contract in LAYERS)
    assert not any(contract.get("ignore_imports") for contract in CONTRACTS)


@pytest.mark.parametrize("contract", LAYERS, ids=lambda c: c["name"])
def test_every_module_of_a_container_is_in_a_layer(contract):
    """Check `exhaustive` contracts against the files, without the import linter."""
    for container in contract["containers"]:
        folder = ROOT / container.replace(".", "/")
        children = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        children |= {path.parent.name for path in folder.glob("*/__init__.py")}
        assert layered(contract) == children


def test_no_comment_or_docstring_starts_with_a_riddle():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("odbench", "detectors", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"(#\s*|\"\"\")(What|Whoever|Whatever)\b", line)
    ]

    assert not found
