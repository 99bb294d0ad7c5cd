"""Journals: whole lines only."""

import json

import pytest

from odbench.sweep import journal

ROW = {"suite": "oddbench", "dataset": "a", "key": "k", "status": "ok"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / journal.FOLDER).mkdir()
    return tmp_path


def test_what_was_appended_is_read_in_its_order(folder):
    with journal.Journal(folder) as sink:
        for key in "abc":
            sink.append({**ROW, "key": key})

    assert [row["key"] for row in journal.read_journals(folder)] == ["a", "b", "c"]


def test_a_line_that_only_says_what_has_begun_is_no_result(folder):
    with journal.Journal(folder) as sink:
        sink.append({"start": "knn on oddbench/a", "of": "k", "at": 0.0})

    assert list(journal.read_journals(folder)) == []


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_anywhere_is_ignored(folder, cut):
    with journal.Journal(folder) as sink:
        sink.append(ROW)
    line = json.dumps({**ROW, "key": "cut off"}).encode() + b"\n"
    (folder / journal.FOLDER / "cut.jsonl").write_bytes(line[:-cut])

    assert [row["key"] for row in journal.read_journals(folder)] == ["k"]
