"""The documentation site: complete, offline, and strict about its links."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest

import odbench
import odbench_detectors
from odbench.cli import cli

pytest.importorskip("sphinx")
pytest.importorskip("myst_parser")
pytest.importorskip("pydata_sphinx_theme")

ROOT = Path(__file__).parents[1]
# Attributes through which a page loads something by itself.
LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src")}


def build(source, out):
    """Build the pages of a folder as `.ci/run` does."""
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
        + ["-c", str(ROOT / "docs"), str(source), str(out)],
        capture_output=True,
        text=True,
        check=False,
    )


class Addresses(HTMLParser):
    """The addresses that a page loads, those it links to, and its anchors."""

    def __init__(self, page):
        super().__init__()
        self.loads, self.links, self.anchors = set(), set(), set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if (tag, name) in LOADS:
                self.loads.add(value)
            elif (tag, name) == ("a", "href"):
                self.links.add(value)
            elif name == "id":
                self.anchors.add(value)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The built site: that of `.ci/run`, or a new one."""
    built = os.environ.get("ODBENCH_TEST_SITE")
    if built:
        return Path(built)
    out = tmp_path_factory.mktemp("site")
    done = build(ROOT, out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def pages(site):
    """The addresses of every page, by path within the site."""
    files = [p for p in site.rglob("*.html") if "_static" not in p.parts]
    return {page.relative_to(site).as_posix(): Addresses(page) for page in files}


@pytest.mark.slow
def test_no_page_and_no_style_loads_anything_from_elsewhere(site, pages):
    remote = {
        (page, address)
        for page, found in pages.items()
        for address in found.loads
        if urlsplit(address).scheme not in {"", "data"} or address.startswith("//")
    }
    for style in site.rglob("*.css"):
        remote |= {
            (style.name, address)
            for address in re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s;]+)",
                                      style.read_text(encoding="utf-8"))
            if re.match(r"(?:https?:)?//", address)
        }  # fmt: skip

    assert len(pages) > 50
    assert not remote


@pytest.mark.slow
def test_every_link_leads_to_a_file_and_an_anchor_of_the_site(site, pages):
    dead = []
    for page, found in pages.items():
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith(("#", "//")) or page.startswith("lead"):
                continue
            target = (site / page).parent / unquote(parts.path)
            name = os.path.relpath(target, site)
            known = not parts.fragment or name not in pages
            if not target.is_file() or not (
                known
                or name == "leaderboard/index.html"
                or unquote(parts.fragment) in pages[name].anchors
            ):
                dead.append((page, link))

    assert not dead


@pytest.mark.slow
def test_every_page_is_reached_from_the_first_one(site, pages):
    reached, front = set(), {"docs/index.html"}
    while front:
        page = front.pop()
        reached.add(page)
        for link in pages[page].links:
            path = urlsplit(link).path
            name = os.path.relpath((site / page).parent / unquote(path), site)
            if not urlsplit(link).scheme and name in pages and name not in reached:
                front.add(name)
    written = {
        path.relative_to(ROOT).with_suffix(".html").as_posix()
        for path in (ROOT / "docs").rglob("*.md")
    }

    assert written - reached == set()
    assert {"README.html", "CHANGELOG.html", "leaderboard/index.html"} <= reached


def verbs(group, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from verbs(command, (*path, name))


@pytest.mark.slow
def test_every_command_option_and_public_name_is_in_the_reference(site, pages):
    commands = (site / "docs/reference/commands.html").read_text(encoding="utf-8")

    for words, command in verbs(cli):
        anchor = "-".join(("odbench", *words))
        assert anchor in pages["docs/reference/commands.html"].anchors, anchor
        section = commands.split(f'id="{anchor}"')[1]
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[-1] in section, (words, option.opts)
    named = pages["docs/reference/python.html"].anchors
    assert {f"odbench.{name}" for name in odbench.__all__} - named == {
        "odbench.__version__"
    }
    classes = {f"odbench_detectors.{name}" for name in odbench_detectors.__all__}
    assert classes <= pages["docs/reference/zoo.html"].anchors


@pytest.fixture
def small(tmp_path):
    """A repository of two pages, a folder with a page and one without."""
    source = tmp_path / "source"
    for name in ("docs/adr", "leaderboard/toy", "odbench"):
        (source / name).mkdir(parents=True)
    pages = "adr/index\nother\n../leaderboard/README"
    write(source, "docs/index.md", f"# Start\n\n```{{toctree}}\n{pages}\n```\n")
    write(source, "docs/other.md", "# Other\n\n## A part\n")
    write(source, "docs/adr/index.md", "# Decisions\n")
    write(source, "leaderboard/README.md", "# Leaderboards\n")
    write(source, "leaderboard/index.html", "<title>The page</title>")
    return source


def write(source, name, text):
    (source / name).write_text(text, encoding="utf-8")


# Link -> what the build says about it.
DEAD = {
    "[gone](gone.md)": "'gone.md'",
    "[gone](other.md#a-pert)": "a-pert",
    "[gone](gone/)": "'gone/'",
    "![gone](gone.png)": "gone.png",
}


def test_dead_links_and_a_page_outside_the_navigation_fail_the_build(small, tmp_path):
    write(small, "docs/other.md", "# Other\n\n## A part\n\n" + "\n\n".join(DEAD))
    write(small, "docs/alone.md", "# Alone\n")

    done = build(small, tmp_path / "out")

    assert done.returncode != 0
    warnings = done.stderr.splitlines()
    for said in (*DEAD.values(), "docs/alone.md"):
        assert sum(said in line for line in warnings) == 1, (said, warnings)
    assert len(warnings) == len(DEAD) + 1


def test_links_to_folders_lead_to_their_pages(small, tmp_path):
    text = "[d](adr/) [l](../leaderboard/) [t](../leaderboard/toy) [o](../odbench/)"
    write(small, "docs/other.md", f"# Other\n\n## A part\n\n{text}\n")

    done = build(small, tmp_path / "out")

    assert done.returncode == 0, done.stderr
    shown = (tmp_path / "out/docs/other.html").read_text(encoding="utf-8")
    (paragraph,) = re.findall(r"<p>(<a .*)</p>", shown)
    assert re.findall(r'href="([^"]+)"', paragraph) == [
        "adr/index.html",
        "../leaderboard/index.html",
    ]
    assert re.sub(r"<[^>]+>", "", paragraph) == "d l t o"
    assert (tmp_path / "out/leaderboard/index.html").is_file()
