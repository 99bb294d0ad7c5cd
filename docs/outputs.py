"""Run the code of the README and the tutorials, and write what it prints.

    python docs/outputs.py [PAGE...]

runs the blocks of each page in a new folder, in their order, and replaces the `text`
block after a block of code by what that printed. `tests/test_docs_blocks.py` runs them,
too, and compares.

- `console`: each line after `$ ` is a command of bash.
- `python`: a program of its own; if its first line is a comment with a file's name, it
  is only written to that file.
- `text`: what the block before printed, the last command of a `console` block to
  stdout. A line `...` stands for any lines. The last column of a table is not compared
  if its heading is `seconds`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TUTORIALS = tuple(
    ROOT / "docs" / "tutorials" / f"{name}.md"
    for name in (
        "score-my-table",
        "compare-detectors",
        "test-my-detector",
        "ten-minutes-of-a-lab",
    )
)
README = ROOT / "README.md"
PAGES = (README, *TUTORIALS)
# Blocks that are run apart, because they install, stand between such comments.
_APART = re.compile(
    r"^<!-- (?P<name>run|output of run|tests) -->\n(?P<text>.*?)^<!-- end -->",
    re.M | re.S,
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_FILE = re.compile(r"# (\w+\.\w+)\n")
_VERSION, _SOURCE = (
    re.compile(r"\bdetector_version\b"),
    re.compile(r" \+ [0-9a-f]{12}\b"),
)


@dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Attributes
    ----------
    language : str
        The word after the fence.
    text : str
        The lines between the fences.
    start : int
        Where that text begins in the page.
    """

    language: str
    text: str
    start: int


def apart(page: str) -> dict[str, str]:
    """Return the text of the blocks that are run apart, by their names.

    Parameters
    ----------
    page : str
        The text of the page.
    """
    return {
        found["name"]: blocks_of(found["text"])[0].text
        for found in _APART.finditer(page)
    }


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page in order, without those that are run apart.

    Parameters
    ----------
    page : str
        The text of the page.
    """
    spans = [found.span() for found in _APART.finditer(page)]
    return [
        Block(found[1], found[2], found.start(2))
        for found in _BLOCK.finditer(page)
        if not any(low <= found.start() < high for low, high in spans)
    ]


def printed(page: str, folder: Path) -> list[tuple[Block, str]]:
    """Run a page; return each block of output with what was printed instead.

    Every page finds the tables that the first tutorial makes: orders.csv and
    last_year.csv.

    Parameters
    ----------
    page : str
        The text of the page.
    folder : Path
        An empty folder to run in.

    Raises
    ------
    ValueError
        If a block of code is in a language that cannot be run.
    """
    _run(blocks_of(TUTORIALS[0].read_text(encoding="utf-8"))[0], folder)
    found, output = [], ""
    for block in blocks_of(page):
        if block.language == "text":
            found.append((block, output))
        else:
            output = _run(block, folder)
    return found


def _run(block: Block, folder: Path) -> str:
    if block.language == "python":
        named = _FILE.match(block.text)
        if named is None:
            return _output([sys.executable, "-c", block.text], folder)
        (folder / named[1]).write_text(block.text, encoding="utf-8")
        return ""
    if block.language != "console":
        msg = f"a block of {block.language!r}: wanted console, python or text"
        raise ValueError(msg)
    lines = re.sub(r"\\\n", "", block.text).splitlines()
    output = ""
    for line in lines:
        output = _output(["bash", "-c", line.removeprefix("$ ")], folder)
    return output


def _output(command: list[str], folder: Path) -> str:
    """Return what a command prints; a failure shows its errors."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"{command[-1]}\nended with {done.returncode}:\n{done.stderr[-2000:]}"
        raise RuntimeError(msg)
    return done.stdout


def is_same(shown: str, output: str) -> bool:
    """Return whether a page shows what was printed, but for times and hashes.

    Parameters
    ----------
    shown : str
        The block of the page; a line ``...`` stands for any lines.
    output : str
        What was printed.
    """
    lines = without_seconds(shown).split("\n")
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in lines
    )
    return re.fullmatch(pattern, without_seconds(output) + "\n") is not None


def without_seconds(text: str) -> str:
    """Return text without the last column of tables where that is of seconds.

    Also without the source's hash in the version of an editable install, which makes
    its column wider.
    """
    lines, seconds = [], False
    if _SOURCE.search(text) or _VERSION.search(text):
        text = re.sub(r" {2,}", "  ", _SOURCE.sub("", text))
    for line in text.strip("\n").splitlines():
        seconds = line.endswith(" seconds") or (seconds and bool(line.strip()))
        lines.append(re.sub(r" +\S+$", "", line) if seconds else line.rstrip())
    return "\n".join(lines)


def filled(page: str, folder: Path) -> str:
    """Return a page with the output of its code.

    Parameters
    ----------
    page : str
        The text of the page.
    folder : Path
        An empty folder to run in.
    """
    for block, output in reversed(printed(page, folder)):
        if not is_same(block.text, output):
            end = block.start + len(block.text)
            page = page[: block.start] + output.strip("\n") + "\n" + page[end:]
    return page


def main() -> None:
    """Write the outputs into the pages."""
    for path in [Path(name) for name in sys.argv[1:]] or PAGES:
        page = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            path.write_text(filled(page, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
