"""The code of the README and the tutorials runs, and prints what the pages show."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def script(name):
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


outputs = script("outputs")


@pytest.fixture(scope="module")
def pages_cache(tmp_path_factory):
    """One cache for all pages: they use the same data sets."""
    return tmp_path_factory.mktemp("pages")


@pytest.mark.slow
@pytest.mark.parametrize("path", outputs.PAGES, ids=lambda path: path.stem)
def test_the_code_of_a_page_prints_what_the_page_shows(
    path, tmp_path, pages_cache, monkeypatch
):
    monkeypatch.setenv("ODBENCH_CACHE", str(pages_cache))
    page = path.read_text(encoding="utf-8")

    found = outputs.printed(page, tmp_path)

    assert found
    for block, output in found:
        same = outputs.is_same(block.text, output)
        assert same, f"{path.name}: run `python docs/outputs.py`; got\n{output}"


def test_every_tutorial_is_run():
    there = set((ROOT / "docs" / "tutorials").glob("*.md"))

    assert there - {ROOT / "docs" / "tutorials" / "index.md"} == set(outputs.TUTORIALS)


def test_own_tables_shows_the_output_of_the_tutorial():
    page = (ROOT / "docs" / "own-tables.md").read_text(encoding="utf-8")
    tutorial = (ROOT / "docs" / "tutorials" / "score-my-table.md").read_text("utf-8")

    shown = page.split("```text\n")[1].split("```")[0].splitlines()

    assert set(shown) - {"..."} <= set(tutorial.splitlines())


def checkout(folder):
    """A copy of the files that git knows, or of the whole tree without git."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a checkout")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.mark.slow
@pytest.mark.long
def test_the_first_command_of_the_readme_installs_and_prints_what_is_shown(tmp_path):
    pages = outputs.apart((ROOT / "README.md").read_text(encoding="utf-8"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    # Without a network: what odbench needs comes from this environment.
    offline = {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
    }

    done = subprocess.run(
        ["bash", "-c", pages["run"].removeprefix("$ ")],
        cwd=checkout(tmp_path / "checkout"),
        env={**os.environ, **offline},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert outputs.is_same(pages["output of run"], done.stdout), done.stdout


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\nb\n", "a\nb\nc\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("...\nd\n", "a\nd\ne\n", False),
        ("x  seconds\n1     0.2\n\nend\n", "x  seconds\n1       9\n\nend\n", True),
        ("x  seconds\n1     0.2\n\nend\n", "x  seconds\n2     0.2\n\nend\n", False),
        ("x  seconds\n1     0.2\n\nend 1\n", "x  seconds\n1     0.2\n\nend 2\n", False),
    ],
)
def test_what_counts_as_the_same_output(shown, printed, same):
    assert outputs.is_same(shown, printed) is same


def test_a_wrong_output_is_replaced_and_a_failing_command_is_an_error(tmp_path):
    page = "```console\n$ echo 1\n$ echo 2\n```\n\n```text\n1\n```\n"

    assert outputs.filled(page, tmp_path) == page.replace("text\n1", "text\n2")
    with pytest.raises(RuntimeError, match="ended with 1"):
        outputs.filled("```console\n$ false\n```\n", tmp_path)
    with pytest.raises(ValueError, match="'toml'"):
        outputs.filled("```toml\na = 1\n```\n", tmp_path)


def test_python_runs_by_itself_or_becomes_the_file_that_it_names(tmp_path):
    page = (
        "```python\n# kept.py\nx = 3\n```\n"
        "```python\nfrom kept import x\nprint(x)\n```\n"
        "```text\n```\n"
    )

    assert outputs.filled(page, tmp_path).endswith("```text\n3\n```\n")
    assert (tmp_path / "kept.py").exists()
