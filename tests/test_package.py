"""Properties of the package: light imports, public names, purposes of files."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import odbench

ROOT = Path(__file__).parents[1]
HEAVY = ("numba", "sklearn", "pandas", "pyarrow", "scipy", "odbench_detectors")


def loaded(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import odbench",
        "import odbench.cli",
        "import odbench.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_importing_loads_nothing_heavy(code):
    assert not loaded(code) & {*HEAVY, "numpy"}


def test_looking_detectors_up_loads_neither_numba_nor_sklearn():
    modules = loaded("from odbench.plugins.find import core_zoo; core_zoo()")

    assert not modules & {"numba", "sklearn"}


def test_the_detectors_process_does_not_load_what_labels_need():
    modules = loaded("import odbench.sweep.child")

    assert not modules & {"pandas", "odbench.scoring.metrics", "odbench.sweep.worker"}


@pytest.mark.parametrize("name", odbench.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(odbench, name)

    assert name == "__version__" or value.__doc__


def test_type_checkers_see_the_names_that_are_loaded():
    tree = ast.parse(Path(odbench.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    declared = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert declared == odbench._EXPORTS
    assert {*declared, "__version__"} == set(odbench.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        odbench.no_such_name  # noqa: B018


def test_every_file_says_in_one_line_why_it_exists():
    silent = [
        path.relative_to(ROOT)
        for folder in ("odbench", "detectors", "datasets_manifest")
        for path in (ROOT / folder).rglob("*.py")
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]

    assert not silent


def test_the_tree_in_the_docstring_names_every_exception():
    errors = importlib.import_module("odbench.errors")
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }

    assert all(name in errors.__doc__ for name in classes)
    assert all(issubclass(getattr(errors, n), errors.OdbenchError) for n in classes)


@pytest.mark.parametrize("broken", ["def test_x(: pass", "import no_such_module"])
def test_a_file_of_tests_that_cannot_be_imported_is_an_error(tmp_path, broken):
    file = tmp_path / "test_broken.py"
    file.write_text(broken)
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pyproject.toml"]

    done = subprocess.run(
        [*command, "-p", "tests.conftest", "--rootdir", ".", str(file)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2, done.stdout
    assert "1 error" in done.stdout
