"""Mutated archives, lists, labels, logs and tables of submissions: never a traceback.

Every mutation is drawn from a fixed seed and goes through the command line in this
process. Some change bytes; others change values of valid JSON, arrays, archives and
tables, whose hashes are then made to match.
"""

import copy
import csv
import hashlib
import io
import json
import random
import shutil
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odbench.cli import main
from odbench.submissions.archive import STATEMENT
from odbench.submissions.audit_log import FIRST
from odbench.submissions.score_bytes import encode_scores
from odbench.submissions.strict_json import canonical
from tests.cli.fuzzing import MUTATIONS, PIECES, changed_json, changed_table, mutated
from tests.submissions.submission_world import make_world

FEW = max(24, MUTATIONS // 8)
NAME = "hidden_03"
ARRAYS = [
    np.zeros(0), np.zeros(()), np.zeros((30, 1), np.float32), np.full(30, np.nan),
    np.arange(30), np.arange(29, dtype=np.int8), np.full(30, "x"), np.full(30, b"x"),
    np.zeros(30, complex), np.zeros(30, bool), np.zeros(30, "M8[s]"),
    np.zeros(30, [("a", "f4")]), np.array([None] * 30), np.full(30, np.inf),
    np.full(30, 1e300), np.arange(30, dtype=">f4"), np.zeros(30, np.float16),
    np.zeros((30, 30), np.int8, order="F"), np.zeros(30, np.int8),
    np.ones(30, np.int8), np.arange(30, dtype=np.longdouble),
]  # fmt: skip
HEADERS = [
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,), }",
    b"{'descr': '|i1', 'fortran_order': False, 'shape': (-1,), }",
    b"{'descr': '|i1', 'fortran_order': False, 'shape': (30, ), ",
    b"{'descr': '|i1', 'fortran_order': 3, 'shape': (1e3,), }",
    b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (30,), }",
    b"{'descr': '|O', 'fortran_order': False, 'shape': (30,), }",
    b"[" * 5000,
    b"(" * 5000,
    b"'",
    b"\xff\xfe",
]
VALUES = [
    None, True, -1, 0, 0.5, 0.1234567, 1e300, 10**400, "", "x" * 20_000, "=1+1", "0.5",
    "\u202e\x1b[31m", "a\nb", "../../x", [], [[]], {}, "re-run", "self-reported",
]  # fmt: skip
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A private partition with a run, a valid archive and an evaluated leaderboard."""
    folder = tmp_path_factory.mktemp("partition")
    rng = np.random.default_rng(7)
    world = make_world(folder, rng, n_sets=20, n_test=30)
    world.sets.write(folder / "sets.json")
    world.run(world.scores(rng, 1.0))
    sets = ("--sets", folder / "sets.json")
    labels = ("--labels", folder / "labels")
    for words in (
        ("pack", folder / "run", *sets, "--out", folder / "mine.zip"),
        ("commit", *sets, *labels, "--salt-file", folder / "salt",
         "--out", folder / "promises.json"),
        ("reveal", *sets, "--salt-file", folder / "salt", "--out", folder / "keys"),
        ("evaluate", folder / "mine.zip", *sets, *labels,
         "--leaderboard", folder / "board"),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as done:
            main(["submission", *map(str, words)])
        assert done.value.code in (0, None), words
    return world


@pytest.fixture
def place(made, tmp_path):
    """A copy of that folder, to be damaged."""
    return shutil.copytree(made.folder, tmp_path / "copy")


@pytest.fixture
def says(capsys):
    """Call `odbench submission`; the answer is an exit code and lines of plain text."""

    def says(case, *words):
        __tracebackhide__ = True
        try:
            main(["submission", *map(str, words)])
        except SystemExit as done:
            code = done.code or 0
        except BaseException as error:
            msg = f"{words[0]} of {case!r} raised {error!r}"
            raise AssertionError(msg) from error
        said = capsys.readouterr()
        assert code in (0, 2, 3), (case, code, said.err)
        lines = (said.err if code == 2 else said.out).splitlines()
        assert lines, case
        assert code != 2 or lines[-1].startswith("odbench: "), (case, said.err)
        assert all(line.isprintable() for line in lines), (case, lines)
        return code

    return says


def check(place):
    """Return the call that lists the faults of the archive."""
    return "check", place / "mine.zip", "--sets", place / "sets.json"


def evaluate(place):
    """Return the call that scores the archive, with commitments checked."""
    return (
        "evaluate", place / "mine.zip", "--sets", place / "sets.json",
        "--labels", place / "labels", "--leaderboard", place / "board",
        "--commitments", place / "promises.json", "--salt-file", place / "salt",
    )  # fmt: skip


def verify(place):
    """Return the call that compares the labels with the commitments."""
    return (
        "verify", "--labels", place / "labels", "--sets", place / "sets.json",
        "--commitments", place / "promises.json", "--keys", place / "keys",
    )  # fmt: skip


def pack(place):
    """Return the call that packs the run."""
    return (
        "pack", place / "run", "--sets", place / "sets.json",
        "--out", place / "mine.zip",
    )  # fmt: skip


def log(place):
    """Return the call that checks the log and the tables."""
    return "log", "--leaderboard", place / "board"


READERS = {
    "mine.zip": (check, evaluate),
    "sets.json": (check, evaluate, verify, pack),
    "promises.json": (verify, evaluate),
    "keys": (verify,),
    "salt": (evaluate,),
    f"labels/synbench/{NAME}.npy": (evaluate, verify),
    "board/audit.jsonl": (log, evaluate),
    "board/synbench/private.csv": (log, evaluate),
    "run/results.parquet": (pack,),
    "run/run.json": (pack,),
}


@pytest.mark.parametrize("name", READERS)
def test_bytes(place, says, name):
    content, rng = (place / name).read_bytes(), random.Random(name)
    refused = 0
    for number in range(FEW):
        text = mutated(rng, content)
        (place / name).write_bytes(text)
        call = READERS[name][number % len(READERS[name])]
        refused += says((number, text), *call(place)) > 0
        _restore(place, name)
    # A run's description only gives the hardware.
    assert refused or name == "run/run.json"


def _restore(place, name):
    """Undo an evaluation that a harmless mutation let through."""
    if name.startswith("board"):
        return
    source = place.parent / "board"
    if not source.exists():
        shutil.copytree(place / "board", source)
    shutil.rmtree(place / "board")
    shutil.copytree(source, place / "board")


def members_of(path):
    """Return the contents of an archive's members by name."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def write_members(path, members):
    """Write an archive whose members may have the same name."""
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content)


@pytest.mark.parametrize("how", ["bytes", "values"])
def test_statements(place, says, how):
    rng = random.Random(f"statements {how}")
    members = members_of(place / "mine.zip")
    right = members.pop(STATEMENT)
    for number in range(FEW):
        if how == "bytes":
            text = mutated(rng, right)
        else:
            text = changed_json(rng, right.decode()).encode()
        write_members(place / "mine.zip", [(STATEMENT, text), *members.items()])
        # Without a list, the archive names the suite.
        call = (check(place), check(place)[:2], evaluate(place))[number % 3]
        says((number, text), *call)


def test_members(place, says):
    """Other names, doubled and missing members, flags, methods and sizes."""
    rng = random.Random("members")
    right = list(members_of(place / "mine.zip").items())
    for number in range(FEW):
        members = copy.copy(right)
        for _ in range(rng.randint(1, 3)):
            _change_member(rng, members)
        write_members(place / "mine.zip", members)
        content = bytearray((place / "mine.zip").read_bytes())
        if rng.random() < 0.6:
            _change_directory(rng, content)
        (place / "mine.zip").write_bytes(content)
        call = (check, evaluate)[number % 2]
        says(number, *call(place))


def _change_member(rng, members):
    at = rng.randrange(len(members))
    name, content = members[at]
    kind = rng.randrange(5)
    if kind == 0:
        del members[at]
    elif kind == 1:
        members.append(members[at])
    elif kind == 2:
        name = mutated(rng, name.encode())[:60_000].decode(errors="replace")
        members[at] = name, content
    elif kind == 3:
        members[at] = name, rng.choice(PIECES)
    else:
        members.append((rng.choice(PIECES).decode(errors="replace"), content))


def _change_directory(rng, content):
    """Overwrite two or four bytes of a header of the archive's directory."""
    mark = rng.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"))
    places, at = [], content.find(mark)
    while at >= 0:
        places.append(at)
        at = content.find(mark, at + 4)
    start = rng.choice(places) + rng.randrange(4, 46, 2)
    value = rng.choice((b"\0\0", b"\1\0", b"\xff\xff", b"\xff\xff\xff\x7f", b"\x08\0"))
    content[start : start + len(value)] = value


def arrays(rng):
    """Return the bytes of a file of scores or labels that nobody should write."""
    if rng.random() < 0.3:
        header = rng.choice(HEADERS)
        version = rng.choice((b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
        length = len(header).to_bytes(2 if version == b"\x01\x00" else 4, "little")
        return b"\x93NUMPY" + version + length + header + b"\1\0" * 60
    file = io.BytesIO()
    values = rng.choice(ARRAYS)
    if rng.random() < 0.2:
        np.savez(file, values)
    else:
        np.save(file, values, allow_pickle=True)
    return file.getvalue()


def test_arrays_of_archives(place, says):
    """Scores whose hash in the statement is right."""
    rng = random.Random("arrays")
    members = members_of(place / "mine.zip")
    said, name = json.loads(members[STATEMENT]), f"scores/{NAME}/0.npy"
    valid = encode_scores(np.arange(30, dtype=np.float32))
    for number in range(FEW):
        content = mutated(rng, valid) if number % 2 else arrays(rng)
        digest = hashlib.sha256(content).hexdigest()
        said["sets"][NAME]["scores"]["0"] = digest
        members |= {name: content, STATEMENT: canonical(said)}
        write_members(place / "mine.zip", members.items())
        says((number, content), *check(place))


def test_kept_scores_and_labels(place, says):
    rng = random.Random("kept")
    kept = next((place / "run" / "scores" / "synbench" / "private" / NAME).iterdir())
    labels = place / "labels" / "synbench" / f"{NAME}.npy"
    for number in range(FEW):
        file = (kept, labels)[number % 2]
        right = file.read_bytes()
        content = mutated(rng, right) if rng.random() < 0.5 else arrays(rng)
        file.write_bytes(content)
        call = (pack, (evaluate, verify)[number // 2 % 2])[number % 2]
        says((number, content), *call(place))
        file.write_bytes(right)


def test_columns_of_results(place, says):
    rng = random.Random("results")
    file = place / "run" / "results.parquet"
    table = pq.read_table(file)
    for number in range(FEW):
        try:
            pq.write_table(changed_table(rng, table), file)
        except pa.ArrowException:
            continue  # No file can have such a column.
        says(number, *pack(place), *(("--config", "mine"), ())[number % 2])


def test_features_of_a_partition(place, says):
    """The list of data sets, measured from archives of features."""
    rng = random.Random("features")
    folder, out = place / "features" / "private", place / "listed.json"
    folder.mkdir(parents=True)
    np.savez(folder / "a.npz", train=np.ones((9, 3)), test=np.ones((8, 3)))
    right = (folder / "a.npz").read_bytes()
    listed = ("sets", "--suite", "mine", "--from", folder.parent, "--out", out)
    assert says(0, *listed) == 0
    for number in range(FEW):
        text = mutated(rng, right)
        (folder / "a.npz").write_bytes(text)
        says((number, text), *listed)


@pytest.mark.parametrize("name", ["sets.json", "promises.json", "keys"])
def test_values_of_lists(place, says, name):
    right, rng = (place / name).read_text(), random.Random(f"values {name}")
    for number in range(FEW):
        text = changed_json(rng, right)
        (place / name).write_text(text)
        call = READERS[name][number % len(READERS[name])]
        says((number, text), *call(place))
        _restore(place, name)


def chained(lines):
    """Return the text of a log whose hashes match, as far as JSON can be hashed."""
    previous, text = FIRST, ""
    for line in lines:
        try:
            entry = json.loads(line) | {"previous": previous}
            entry.pop("hash", None)
            body = json.dumps(entry, sort_keys=True, separators=(",", ":"))
            previous = entry["hash"] = hashlib.sha256(body.encode()).hexdigest()
            text += json.dumps(entry) + "\n"
        except (TypeError, ValueError, RecursionError):
            text += line + "\n"
    return text


def test_values_of_logs(place, says, ends_well):
    rng = random.Random("logs")
    file = place / "board" / "audit.jsonl"
    right = json.loads(file.read_text())
    right["archive_sha256"] = "0" * 64
    table = (place / "board" / "synbench" / "private.csv").read_bytes()
    for number in range(FEW):
        lines = [changed_json(rng, json.dumps(right)) for _ in range(rng.randint(1, 3))]
        text = chained(lines)
        file.write_text(text)
        call = (log, evaluate)[number % 2]
        says((number, text), *call(place))
        (place / "board" / "synbench" / "private.csv").write_bytes(table)
    show = ("leaderboard", "show", place / "board", "--partition", "private")
    ends_well(text, *show, codes=(0, 2))


def test_tables_and_builds(place, says, finished, ends_well):
    """A table and a log that agree, but have other values, through a build."""
    rng = random.Random("tables")
    file = place / "board" / "audit.jsonl"
    private = place / "board" / "synbench" / "private.csv"
    entry = json.loads(file.read_text())
    for number in range(FEW):
        row = dict(entry["row"])
        if number % 2:
            row[rng.choice(sorted(row))] = rng.choice(VALUES)
        file.write_text(chained([json.dumps({**entry, "row": row})]))
        private.write_text(_table(rng, row, private.read_text().splitlines()[0]))
        if number % 8 == 0:
            call = ("leaderboard", "build", finished, "--out", place / "board",
                    "--permutations", 0)  # fmt: skip
            ends_well((number, row), *call)
        else:
            says((number, row), *log(place))
        private.write_text(private.read_text().splitlines()[0] + "\n")


def _table(rng, row, head):
    text = io.StringIO()
    writer = csv.DictWriter(text, head.split(","), lineterminator="\n", restval="",
                            extrasaction="ignore")  # fmt: skip
    writer.writeheader()
    writer.writerow({name: str(value)[:1000] for name, value in row.items()})
    found = text.getvalue().encode(errors="replace").decode()
    return found if rng.random() < 0.7 else mutated(rng, found.encode()).decode(
        errors="replace")  # fmt: skip
