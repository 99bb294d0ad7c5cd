"""Journals: only complete lines are read."""

import errno
import json
import shutil
import zlib

import pytest

from odbench.sweep import journal

ROW = {
    "suite": "oddbench",
    "partition": "public",
    "dataset": "a",
    "content_sha256": "c",
    "detector": "knn",
    "config": "default",
    "config_id": "i",
    "protocol": "one-class",
    "status": "ok",
    "key": "k",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / journal.FOLDER).mkdir()
    return tmp_path


def test_lines_are_read_in_the_order_they_were_appended(folder):
    with journal.Journal(folder) as sink:
        for key in "abc":
            sink.append({**ROW, "key": key})

    assert [row["key"] for row in journal.read_journals(folder)] == ["a", "b", "c"]


def test_the_line_of_a_begun_trial_is_not_a_result(folder):
    with journal.Journal(folder) as sink:
        sink.append({"start": "knn on oddbench/a", "of": "k", "at": 0.0})

    assert list(journal.read_journals(folder)) == []


def append_until_it_fails(folder):
    """Return the error of the first line that could not be written."""
    with journal.Journal(folder) as sink:
        for number in range(100_000):
            try:
                sink.append({**ROW, "key": str(number)})
            except OSError as error:
                return error
    pytest.fail("nothing failed")


def assert_whole_lines(folder):
    (path,) = journal.journals(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    rows = [journal.parse_line(line) for line in lines]
    assert [row["key"] for row in rows] == [str(n) for n in range(len(rows))]
    assert rows


def test_a_limit_on_files_is_not_taken_for_a_full_disk(folder):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        error = append_until_it_fails(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert error.errno == errno.EFBIG
    assert_whole_lines(folder)


def test_a_full_disk_leaves_whole_lines(small_disk):
    (small_disk / journal.FOLDER).mkdir()

    error = append_until_it_fails(small_disk)

    assert error.errno == errno.ENOSPC
    assert_whole_lines(small_disk)


def test_a_journal_that_was_removed_is_noticed(folder):
    with journal.Journal(folder) as sink:
        sink.check()
        shutil.rmtree(folder)

        with pytest.raises(FileNotFoundError):
            sink.check()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_anywhere_is_ignored(folder, cut):
    with journal.Journal(folder) as sink:
        sink.append(ROW)
    line = json.dumps({**ROW, "key": "cut off"}).encode() + b"\n"
    (folder / journal.FOLDER / "cut.jsonl").write_bytes(line[:-cut])

    assert [row["key"] for row in journal.read_journals(folder)] == ["k"]


def test_a_damaged_line_is_no_result(tmp_path):
    line = journal.format_line(ROW)
    assert journal.parse_line(line) == ROW

    # Without its checksum's name, a line is one of an older version.
    name = line.rindex(b',"crc"')
    for at in {*range(len(line))} - {*range(name, name + 8)}:
        damaged = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
        assert journal.parse_line(damaged) is None, damaged


@pytest.mark.parametrize(
    "broken",
    [
        {"dataset": None},
        {"suite": "\ud800"},
        {"key": 3},
        {"seed": [1]},
        {"reason": {"a": 1}},
    ],
    ids=str,
)
def test_a_whole_line_of_impossible_types_is_no_result(broken):
    assert journal.parse_line(journal.format_line({**ROW, **broken})) is None
    assert journal.parse_line(json.dumps({**ROW, **broken}).encode() + b"\n") is None


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 20_000 + "]" * 20_000])
def test_a_whole_line_that_python_does_not_read_is_no_result(value):
    body = json.dumps(ROW)[:-1].encode() + b',"seed":' + value.encode()
    check = f',"crc":"{zlib.crc32(body):08x}"}}\n'.encode()

    assert journal.parse_line(body + check) is None
