"""The example notebook runs, and shows what the repository's copy shows."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOK = Path(__file__).parents[1] / "examples" / "notebook.ipynb"


def texts(book):
    """The text of each output, without the times of this machine."""
    found = []
    for cell in book.cells:
        for output in cell.get("outputs", []):
            assert output.output_type == "execute_result", output
            text = output.data["text/plain"]
            found.append(re.sub(r" +(seconds|[\d.e-]+)$", "", text, flags=re.MULTILINE))
    return found


@pytest.mark.slow
def test_the_example_notebook_gives_the_outputs_that_it_shows(tmp_path, monkeypatch):
    monkeypatch.setenv("ODBENCH_CACHE", str(tmp_path / "cache"))
    stored = nbformat.read(NOTEBOOK, as_version=4)
    book = nbformat.read(NOTEBOOK, as_version=4)

    nbclient.NotebookClient(
        book, timeout=600, kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()  # fmt: skip

    # Lists of suites and detectors grow, and a page's size changes with its code.
    shown, expected = texts(book), texts(stored)
    assert len(shown) == len(expected) == 7
    assert shown[2:6] == expected[2:6]
    html = [o for c in book.cells for o in c.get("outputs", [])]
    assert "<caption>synbench / public" in html[4].data["text/html"]
