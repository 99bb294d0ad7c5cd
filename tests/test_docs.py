"""Everything in the documentation exists, and everything public is documented."""

import importlib
import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from odbench.cli import cli
from odbench.results import COLUMNS

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "examples").rglob("*.md")),
    ROOT / "detectors/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

# At a prompt, in a script or in a workflow; variables and other commands may precede.
_COMMAND = r"^\s*(?:\$ |- run: )?(?:.*&& )?(?:[A-Z_]+=\S* )*\S*\bodbench (.*)$"


def verbs(group: click.Group, path: tuple[str, ...] = ()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from verbs(command, (*path, name))


VERBS = dict(verbs(cli))


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_has_help_and_stands_in_the_documentation(verb):
    assert VERBS[verb].help
    assert re.search(r"odbench[ \n]+" + r"[ \n]+".join(verb), TEXT), verb


def commands():
    """Return every `odbench ...` line of the documentation's blocks of code."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in re.findall(_COMMAND, block, re.MULTILINE):
                yield page.name, line.split("  #")[0].split(" | ")[0].split(" > ")[0]


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_every_documented_command_has_options_that_exist(page, line):
    words = shlex.split(line, comments=True)
    command: click.Command = cli
    while words and isinstance(command, click.Group):
        if words[0].startswith("-"):
            break
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"{page}: {line}"
        command, words = found, words[1:]
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    used = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= known | {"--help", "-h", "--version"}, f"{page}: {line}"


def test_every_link_within_the_documentation_leads_somewhere():
    dead = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            local = not re.match(r"[a-z]+:", target)
            if local and not (page.parent / target).exists():
                dead.append(f"{page.name}: {target}")

    assert not dead


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_the_results_is_documented(column):
    page = (ROOT / "docs/results.md").read_text(encoding="utf-8")

    assert f"`{column}`" in page


# Dotted names that are not modules: the group of entry points, kinds of shared work.
_NOT_MODULES = {"odbench.detectors", "odbench.neighbours", "odbench.sorted_columns"}
# Decisions are history, and a recipe's NAME or SUITE stands for any name.
_PRESENT = [page for page in PAGES if page.parent.name != "adr"]


def is_placeholder(text: str) -> bool:
    return bool(re.search(r"NAME|SUITE", text))


def found(dotted: str) -> bool:
    """Return whether a dotted name is a module, or an attribute of one."""
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:n]))
        except ImportError:
            continue
        for part in parts[n:]:
            value = getattr(value, part, None)
        return value is not None
    return False


@pytest.mark.parametrize("page", _PRESENT, ids=lambda page: page.name)
def test_every_module_and_file_that_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    names = set(re.findall(r"(?<![\w/.-])(odbench(?:_detectors)?(?:\.\w+)+)", text))
    names -= _NOT_MODULES
    files = re.findall(
        r"(?<![\w/.-])((?:odbench|tests|benchmarks|detectors|docs|datasets_manifest)"
        r"/[\w./-]+\.\w+)",
        text,
    )

    missing = [n for n in names if not is_placeholder(n) and not found(n)]
    missing += [f for f in files if not is_placeholder(f) and not (ROOT / f).exists()]

    assert not missing


def test_the_tables_are_those_of_the_published_results():
    if not (ROOT / "leaderboard/oddbench/public.csv").exists():
        pytest.skip("the published results are not in this package")
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs/tables.py")
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)

    blocks = 0
    for page in tables.PAGES:
        text = page.read_text(encoding="utf-8")
        blocks += text.count("<!-- table ")
        assert tables.filled(text) == text, f"{page.name}: run `python docs/tables.py`"
    assert blocks


def test_the_evaluation_result_on_the_page_is_that_of_the_published_run():
    run = ROOT / "leaderboard/runs/one-class"
    if not run.exists():
        pytest.skip("the published runs are not in this package")
    page = (ROOT / "docs/publishing.md").read_text(encoding="utf-8")
    shown = re.search(r"^```yaml\n(- dataset:.*?)^```", page, re.MULTILINE | re.DOTALL)
    asked = ["--method", "cats", "--suite", "oddbench"]

    printed = CliRunner().invoke(
        cli, ["leaderboard", "eval-results", str(run), *asked], catch_exceptions=False
    )

    assert shown
    assert printed.stdout.startswith(shown[1])
