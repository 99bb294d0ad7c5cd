"""Every command of the skill runs, in order, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

SKILL = Path(__file__).parents[1] / "docs/skills/add-a-detector/SKILL.md"
TEXT = SKILL.read_text(encoding="utf-8")


def commands():
    blocks = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def test_the_front_matter_names_the_skill_and_says_when_to_use_it():
    settings = yaml.safe_load(TEXT.split("---\n")[1])

    assert settings["name"] == SKILL.parent.name
    assert "Use when" in settings["description"]
    assert set(settings) == {"name", "description"}


@pytest.mark.slow
def test_every_command_of_the_skill_runs(tmp_path):
    found = commands()
    assert len(found) >= 8

    for line in found:
        words = shlex.split(line)
        if words[0] == "odbench":
            words[:1] = [sys.executable, "-m", "odbench"]
        assert words[0] in (sys.executable, "python")
        done = subprocess.run(
            [sys.executable, *words[1:]], cwd=tmp_path, capture_output=True, text=True,
            check=False, timeout=300, env={**os.environ, "COLUMNS": "100"},
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"

    assert (tmp_path / "package").is_dir()
    assert (tmp_path / "mine" / "results.parquet").is_file()
