"""Datasheets, licences and Croissant files match the manifests."""

import importlib.util
import re
from pathlib import Path

import pytest

from odbench.data.about import QUESTIONS, read_about
from odbench.suites import load_suites, shipped_names

ROOT = Path(__file__).parents[1]


def script():
    """Return docs/datasheets.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "odbench_docs_datasheets", ROOT / "docs" / "datasheets.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OUTPUTS = script().outputs()


@pytest.mark.parametrize("path", OUTPUTS, ids=lambda path: path.name)
def test_the_file_is_what_the_script_writes(path):
    assert path.read_text(encoding="utf-8") == OUTPUTS[path], (
        f"{path.relative_to(ROOT)} is out of date; run python docs/datasheets.py"
    )


@pytest.mark.parametrize("name", shipped_names())
def test_every_question_is_answered_for_every_shipped_suite(name):
    about = read_about(load_suites()[name])

    assert set(about.answers) == {question.key for question in QUESTIONS}
    assert about.licence_known
    assert about.creators
    assert re.fullmatch(r"\d+\.\d+\.\d+", about.version)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", about.published)


def test_every_suite_is_linked_from_the_list():
    index = (ROOT / "docs" / "data" / "index.md").read_text(encoding="utf-8")

    assert all(f"({name}.md)" in index for name in shipped_names())
