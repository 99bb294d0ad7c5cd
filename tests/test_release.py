"""The files of a release agree: version, citation, Pythons, workflow, templates."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import odbench

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]
GITHUB = ROOT / ".github"
WORKFLOW = yaml.safe_load((GITHUB / "workflows/ci.yml").read_text(encoding="utf-8"))
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
TEMPLATES = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))


def steps() -> list[dict]:
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_one_version_everywhere():
    assert odbench.__version__ == PROJECT["version"]
    assert CITATION["version"] == PROJECT["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(PROJECT['version'])}\b", changelog, re.M)


def test_the_citation_has_what_its_format_requires():
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION["license"] == PROJECT["license"]
    assert [a["name"] for a in CITATION["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]


def test_the_workflow_runs_every_python_that_is_promised():
    promised = {
        line.rpartition(" ")[2]
        for line in PROJECT["classifiers"]
        if re.search(r"Python :: 3\.\d+$", line)
    }

    tried = set(WORKFLOW["jobs"]["linux"]["strategy"]["matrix"]["python"])

    assert promised <= tried
    assert PROJECT["requires-python"].removeprefix(">=") in promised


def test_actions_are_pinned_and_the_token_may_only_read():
    used = [step["uses"] for step in steps() if "uses" in step]

    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in used)
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("secrets." in str(step) for step in steps())


def test_every_file_that_the_workflow_names_is_there():
    text = "\n".join(step.get("run", "") for step in steps())
    named = re.findall(r"(?<!/)\b((?:tests|benchmarks|docs)/[\w./]+)|(\.ci/run)", text)

    missing = [a or b for a, b in named if not (ROOT / (a or b)).exists()]

    assert named
    assert not missing


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_form_names_itself_and_its_fields(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    assert {"name", "description", "body"} <= form.keys()
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
