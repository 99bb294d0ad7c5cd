"""Detectors of notebooks and scripts: code without a file that could be compared."""

import importlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from odbench.plugins.find import find_detector
from odbench.plugins.loaded import difference

CELLS = """
import functools

SCALE = 2


def helper(x):
    return x * SCALE


class Base:
    def fit(self, X):
        return self


class Mine(Base):
    power = 3

    @property
    def shift(self):
        return 4

    @staticmethod
    def tail(x):
        return (lambda y: y + 5)(x)

    @classmethod
    def width(cls):
        return 6

    def decision_function(self, X):
        x = helper(X.sum(axis=1)) ** self.power + self.shift + self.width()
        return self.tail(x) * 7
"""
EDITS = [
    ("SCALE = 2", "SCALE = 20"),
    ("x * SCALE", "x / SCALE"),
    ("        return self\n", "        self.n_ = len(X)\n        return self\n"),
    ("power = 3", "power = 30"),
    ("return 4", "return 40"),
    ("y + 5", "y + 50"),
    ("return 6", "return 60"),
    ("* 7", "* 70"),
]


def typed(text):
    """Run the cells of a notebook, and return what they define."""
    cells = {"__name__": "__main__"}
    exec(compile(text, "<cell>", "exec"), cells)
    return cells


def versions(text):
    mine = typed(text)["Mine"]
    return find_detector(mine()).version, find_detector(mine).version


def test_the_same_cells_have_the_same_version():
    assert versions(CELLS) == versions("# A new comment\n" + CELLS)


@pytest.mark.parametrize(("old", "new"), EDITS, ids=[new for _, new in EDITS])
def test_an_edit_of_anything_that_a_detector_uses_is_another_version(old, new):
    before, after = versions(CELLS), versions(CELLS.replace(old, new))

    assert before[0] != after[0]
    assert before[1] != after[1]


def test_an_edit_of_what_it_does_not_use_changes_no_version():
    assert versions(CELLS) == versions(CELLS + "\nOTHER = 1\n")


def test_a_function_that_is_bound_or_a_parameter_is_looked_into():
    text = CELLS + (
        "def score(train, rows, k=1):\n    return helper(rows[:, 0]) * k\n"
        "class Holds(Mine):\n"
        "    def __init__(self, kernel=None):\n        self.kernel = kernel\n"
        "bound = functools.partial(score, k=2)\n"
        "holds = Holds(helper)\nlists = Holds([helper])\nobjects = Holds(Mine())\n"
    )
    one, other = typed(text), typed(text.replace("SCALE = 2", "SCALE = 20"))

    for name in ("score", "bound", "holds", "lists", "objects"):
        first, second = find_detector(one[name]), find_detector(other[name])
        assert first.version != second.version, name


def test_a_cell_that_is_run_again_counts_after_a_run_too():
    cells = typed(CELLS)
    mine = cells["Mine"]()
    before = mine.decision_function(np.ones((2, 2)))
    find_detector(mine).build(0)

    cells["helper"] = lambda x: x * 0

    assert (mine.decision_function(np.ones((2, 2))) != before).all()


def test_attributes_in_slots_are_parameters():
    text = """
class Mine:
    __slots__ = ("k",)

    def __init__(self, k):
        self.k = k

    def fit(self, X):
        return self

    def decision_function(self, X):
        return X[:, 0] * self.k
"""
    mine = typed(text)["Mine"]

    assert find_detector(mine(3)).label == "k=3"
    assert find_detector(mine(3)).id != find_detector(mine(4)).id


@pytest.mark.parametrize("place", ["top", "inside"])
def test_modules_beside_a_script_are_part_of_its_detectors(tmp_path, place):
    at_the_top = "import near" if place == "top" else ""
    inside = "" if place == "top" else "import near"
    (tmp_path / "script.py").write_text(
        textwrap.dedent(f"""
        {at_the_top}
        from odbench.plugins.find import find_detector
        NAMES = {{"a", "b", "c", "d", "e"}}

        def score(train, rows):
            {inside}
            return near.turn(rows[:, 0]) * len(NAMES)

        print(find_detector(score).version)
        """)
    )

    def version(seed):
        return subprocess.run(
            [sys.executable, str(tmp_path / "script.py")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    (tmp_path / "near.py").write_text("def turn(x):\n    return x\n")
    before, again = version("1"), version("2")
    (tmp_path / "near.py").write_text("def turn(x):\n    return -x + 0\n")

    assert before == again != version("1")


NEAR = "STEP = 2\nKNOWN = {}\nMODEL = None\n\ndef turn(x):\n    return x + STEP\n"
MODULE = """
import {near}


class Mine:
    power = 3

    def fit(self, X):
        return self

    def decision_function(self, X):
        return {near}.turn(X[:, 0]) ** self.power
"""


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """A detector's module and one that it imports, in memory and on the disk."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    names = [f"{name}_{tmp_path.name}" for name in ("near", "mine")]
    near, mine = (tmp_path / f"{name}.py" for name in names)
    near.write_text(NEAR)
    mine.write_text(MODULE.format(near=names[0]))
    importlib.invalidate_caches()
    yield importlib.import_module(names[1]), importlib.import_module(names[0])
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("number", [0, 1])
def test_an_edit_of_a_file_that_was_not_imported_anew_is_another_version(
    imported, number
):
    module, file = imported[0], Path(imported[number].__file__)
    before = find_detector(module.Mine()).version
    text = file.read_text()
    file.write_text(text.replace("**", "* 2 *").replace("x + STEP", "x - STEP"))

    old_code = find_detector(module.Mine()).version
    for each in reversed(imported):
        importlib.reload(each)
    new_code = find_detector(module.Mine()).version

    assert len({before, old_code, new_code}) == 3
    file.write_text(text)
    for each in reversed(imported):
        importlib.reload(each)
    assert find_detector(module.Mine()).version == before


def test_a_value_that_is_set_in_a_module_is_another_version(imported):
    module, near = imported
    before = find_detector(module.Mine()).version

    near.STEP = 5
    first = find_detector(module.Mine()).version
    near.STEP = 2
    module.Mine.power = 4

    assert len({before, first, find_detector(module.Mine()).version}) == 3


def test_what_code_fills_as_it_runs_is_no_other_version(imported):
    module, near = imported
    before = find_detector(module.Mine()).version

    near.KNOWN["a"], near.MODEL = 1, object()

    assert find_detector(module.Mine()).version == before


def test_code_that_is_that_of_its_file_is_no_other_version(imported):
    assert difference(imported[0].__name__) == ""
    assert difference("sklearn.ensemble") == difference("__main__") == ""
