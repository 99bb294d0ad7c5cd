"""Valid JSON and Parquet with wrong values: never a traceback.

Types are wrong, numbers huge, fields missing or doubled, lists deep. Every change is
drawn from a fixed seed and goes through the command line in this process.
"""

import json
import random
import shutil
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odbench.cli import main
from tests.cli.fuzzing import DETECTOR, MUTATIONS, changed_json, changed_table

FEW = max(24, MUTATIONS // 8)
RUN = ("run", "-s", "synbench-mini", "-d", f"{DETECTOR},{DETECTOR}:k=4", "--limit", 3,
       "-q", "-j", 1)  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def commands(folder):
    """Return one call of each command that reads a run's folder."""
    out, fast = folder.parent.parent, ("--permutations", 0)
    return [
        ("leaderboard", "show", folder, *fast),
        ("runs", "list", folder.parent),
        (*RUN, "--out", folder, "--dry-run"),
        ("runs", "show", folder),
        ("submission", "pack", folder, "--config", "Mine", "--out", out / "mine.zip"),
        ("leaderboard", "build", folder, "--out", out / "built", *fast),
        ("runs", "show", folder, "--format", "json"),
        ("leaderboard", "compare", folder, "Mine", "Mine:k=4", *fast),
        ("leaderboard", "show", folder, "--with-published", *fast),
        ("runs", "drop", folder, "--status", "killed", "--yes"),
        (*RUN, "--out", folder),
        ("leaderboard", "export", folder, "--out", out / "exported", *fast),
    ]


@pytest.fixture
def copied(tmp_path):
    """A function that returns a fresh copy of a run's folder."""

    def copied(run):
        folder = tmp_path / "runs" / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(run, folder)
        return folder

    return copied


def test_descriptions_of_runs(finished, copied, ends_well):
    rng = random.Random(11)
    content = (finished / "run.json").read_text()
    for number in range(FEW):
        folder = copied(finished)
        (folder / "run.json").write_text(changed_json(rng, content))
        calls = commands(folder)
        ends_well(number, *calls[number % len(calls)], codes=(0, 2, 3))


def test_columns_of_results(finished, copied, ends_well):
    rng = random.Random(12)
    table = pq.read_table(finished / "results.parquet")
    refused = 0
    for number in range(FEW):
        folder = copied(finished)
        try:
            pq.write_table(changed_table(rng, table), folder / "results.parquet")
        except pa.ArrowException:
            continue  # No file can have such a column.
        calls = commands(folder)
        call = calls[number % len(calls)]
        refused += ends_well(number, *call, codes=(0, 2, 3)) == 2
    assert refused


def test_lines_of_journals(interrupted, copied, ends_well):
    rng = random.Random(13)
    journals = (interrupted / "journal").glob("*.jsonl")
    journal = max(journals, key=lambda path: path.stat().st_size)
    lines = [_line_body(line) for line in journal.read_bytes().splitlines()]
    for number in range(FEW):
        folder = copied(interrupted)
        changed = [changed_json(rng, line) for line in lines]
        is_checked = number % 3 > 0
        content = "".join(_as_line(text, checked=is_checked) for text in changed)
        (folder / "journal" / journal.name).write_text(content)
        calls = [call for call in commands(folder) if call[0] in ("run", "runs")]
        ends_well(number, *calls[number % len(calls)], codes=(0, 2, 3))


def _line_body(line):
    entry = json.loads(line)
    del entry["crc"]
    return json.dumps(entry, separators=(",", ":"))


def _as_line(text, *, checked):
    """Return a journal's line, with its checksum or as older versions wrote it."""
    if not checked:
        return text + "\n"
    body = text.removesuffix("}")
    return f'{body},"crc":"{zlib.crc32(body.encode()):08x}"}}\n'


@pytest.mark.parametrize("number", ["", "-5", "9" * 18, "9" * 400, "9" * 5000, "x"])
def test_generations(interrupted, ends_well, number):
    (interrupted / "journal" / "generation").write_text(number)

    assert ends_well(number, *RUN, "--out", interrupted) == 0
    show = ("leaderboard", "show", interrupted, "--permutations", 0)
    assert ends_well(number, *show) == 0


def test_timings(own_cache, finished, copied, ends_well):
    rng = random.Random(14)
    points = [[10.0**i, 10.0 ** (i - 6)] for i in range(2, 8)]
    content = json.dumps({"Mine:default": points, "knn:default": points})
    folder = copied(finished)
    for number in range(FEW):
        (own_cache / "timings.json").write_text(changed_json(rng, content))
        run = (*RUN, "--seeds", 2, "--out", folder, "--dry-run")
        assert ends_well(number, *run) == 0
    assert ends_well("a run", *run[:-1]) == 0


def test_a_run_whose_description_is_deep_goes_on(finished, copied):
    folder = copied(finished)
    deep = '{"configurations": ' + "[" * 900 + "]" * 900 + "}"
    (folder / "run.json").write_text(deep)

    with pytest.raises(SystemExit) as done:
        main([*map(str, RUN), "--out", str(folder)])

    assert done.value.code in (0, None)
    assert json.loads(Path(folder / "run.json").read_text())["configurations"]
