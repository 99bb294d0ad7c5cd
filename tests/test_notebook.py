"""The example notebooks run, and show what the repository's copies show."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a notebook in an empty folder; return its copy as stored and as run."""
    monkeypatch.setenv("ODBENCH_CACHE", str(tmp_path / "cache"))

    def executed(name):
        stored = nbformat.read(EXAMPLES / name, as_version=4)
        book = nbformat.read(EXAMPLES / name, as_version=4)
        nbclient.NotebookClient(
            book, timeout=600, kernel_name="python3",
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()  # fmt: skip
        return stored, book

    return executed


def texts(book):
    """The text of each output, without the times of this machine."""
    found = []
    for cell in book.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                assert output.name == "stdout", output
                found.append(output.text)
                continue
            assert output.output_type == "execute_result", output
            text = output.data["text/plain"]
            found.append(re.sub(r" +(seconds|[\d.e-]+)$", "", text, flags=re.MULTILINE))
    return found


@pytest.mark.slow
def test_the_notebook_of_a_run_gives_the_outputs_that_it_shows(run):
    stored, book = run("notebook.ipynb")

    # Lists of suites and detectors grow, and a page's size changes with its code.
    shown, expected = texts(book), texts(stored)
    assert len(shown) == len(expected) == 7
    assert shown[2:6] == expected[2:6]
    html = [o for c in book.cells for o in c.get("outputs", [])]
    assert "<caption>synbench / public" in html[4].data["text/html"]


@pytest.mark.slow
def test_the_notebook_of_an_own_table_gives_the_outputs_that_it_shows(run):
    stored, book = run("score-my-table.ipynb")

    # A recommendation changes with the published results.
    shown, expected = texts(book), texts(stored)
    assert len(shown) == len(expected) == 7
    assert shown[:6] == expected[:6], "run all cells again and save the notebook"
    assert "auroc_low" in shown[6]
