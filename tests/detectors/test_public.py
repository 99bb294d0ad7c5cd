"""The zoo's public classes, and the common layout of its detectors."""

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import odbench_detectors
from odbench.plugins.find import core_zoo

ROOT = Path(__file__).parents[2]
ENTRY_POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "entry-points"
]["odbench.detectors"]

# Rooms that hold detectors one folder deeper.
ROOMS_OF_DETECTORS = {"deep", "foundation"}


def test_every_public_class_is_built_by_a_registered_detector():
    built = {type(one.info.build()) for one in core_zoo()}

    assert {getattr(odbench_detectors, name) for name in odbench_detectors.__all__} == (
        built
    )


def test_an_unknown_class_is_an_attribute_error():
    with pytest.raises(AttributeError, match="NoSuchDetector"):
        odbench_detectors.NoSuchDetector  # noqa: B018


def test_importing_the_zoo_loads_no_detector():
    code = (
        "import odbench_detectors, sys\n"
        "print([m for m in ('numba', 'sklearn', 'scipy') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("odbench_detectors.ecod.detector", "ECOD"),
        ("odbench_detectors.cats.detector", "CATS"),
    ],
)
def test_documented_paths_still_work(module, name):
    found = getattr(importlib.import_module(module), name)

    assert found is getattr(odbench_detectors, name)


@pytest.mark.parametrize(("name", "target"), ENTRY_POINTS.items())
def test_every_detector_is_laid_out_alike(name, target):
    module, _, attribute = target.partition(":")
    room, folder_name, info = module.split(".")[-3:]
    assert room in ("odbench_detectors", *ROOMS_OF_DETECTORS)
    assert (folder_name, info, attribute) == (name, "info", name.upper())
    folder = ROOT.joinpath("detectors", *module.split(".")[:-1])
    assert {"__init__.py", "info.py", "detector.py"} <= {
        file.name for file in folder.iterdir()
    }


def test_no_folder_of_the_zoo_is_without_an_entry_point():
    zoo = ROOT / "detectors" / "odbench_detectors"
    folders = {init.parent.name for init in zoo.glob("*/__init__.py")}
    for room in ROOMS_OF_DETECTORS & folders:
        folders |= {init.parent.name for init in zoo.glob(f"{room}/*/__init__.py")}

    # Neither holds a detector of its own.
    helpers = {"large", "shared"}
    assert folders - ROOMS_OF_DETECTORS == {*ENTRY_POINTS, *helpers}
