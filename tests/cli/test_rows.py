"""Tables on the command line fit the terminal, and are whole in a pipe."""

import shutil
import sys

import pytest

from odbench.cli.rows import print_facts, print_rows
from odbench.text import shown_width

ROWS = [
    {"name": "a_long_name_of_a_set", "n": 12, "summary": "words " * 30},
    {"name": "b", "n": 3456, "summary": "short"},
]


@pytest.fixture
def shown(capsys, monkeypatch):
    def show(width):
        if width is not None:
            monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
            size = shutil.os.terminal_size((width, 20))
            monkeypatch.setattr(shutil, "get_terminal_size", lambda: size)
        print_rows(ROWS, ("name", "n", "summary"), "table")
        return capsys.readouterr().out.splitlines()

    return show


def test_a_pipe_gets_everything(shown):
    assert shown(None)[1].endswith(("words " * 30).rstrip())


def test_a_terminal_gets_names_whole_and_other_texts_cut(shown):
    lines = shown(60)

    assert max(map(len, lines)) <= 60
    assert lines[1].startswith("a_long_name_of_a_set    12  words")
    assert "…" in lines[1]


def test_a_narrow_terminal_cuts_names_too(shown):
    lines = shown(34)

    assert max(map(len, lines)) <= 34
    assert "…" in lines[1].split()[0]


def test_a_terminal_leaves_out_the_last_columns_and_names_them(
    capsys, monkeypatch, shown
):
    wide = {f"a_long_heading_{i}": i for i in range(6)}
    monkeypatch.setitem(ROWS[0], "name", "a_name_that_is_to_stay_whole")
    rows = [{**ROWS[0], **wide}]

    shown(80)
    print_rows(rows, ("name", "n", *wide), "table")
    out, err = capsys.readouterr()

    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[:3] == ["a_name_that_is_to_stay_whole", "12", "0"]
    assert lines[0].split()[2:] == ["a_long_heading_0", "a_long_heading_1"]
    assert "wider than the terminal: a_long_heading_2, a_long_heading_3" in err
    assert "--format csv" in err


def test_wide_letters_move_no_column(capsys):
    rows = [{"name": "模型", "n": 1}, {"name": "a_name", "n": 2}]

    print_rows(rows, ("name", "n"), "table")

    lines = capsys.readouterr().out.splitlines()
    assert [shown_width(line) for line in lines] == [9, 9, 9]


def test_truth_is_written_in_csv_as_in_json(capsys):
    rows = [{"flagged": True, "note": "True"}, {"flagged": False, "note": None}]

    print_rows(rows, ("flagged", "note"), "csv")

    assert capsys.readouterr().out == "flagged,note\ntrue,True\nfalse,\n"


@pytest.mark.parametrize("width", [None, 40, 80])
def test_facts_go_on_below_themselves_in_a_terminal(shown, capsys, width):
    facts = {"name": "one", "sha256": "ab12" * 32, "summary": "many words " * 20}
    shown(width)

    print_facts(facts)

    lines = capsys.readouterr().out.splitlines()
    # Values begin in one column, and nothing of them is lost.
    assert [line[:9].strip() for line in lines if line[:9].strip()] == list(facts)
    assert "".join(line[9:].replace(" ", "") for line in lines) == "".join(
        value.replace(" ", "") for value in facts.values()
    )
    if width is None:
        assert len(lines) == 3
    else:
        assert max(map(len, lines)) <= width


def test_a_line_break_in_a_name_does_not_break_the_table(capsys):
    print_rows([{"column": "a\nb", "n": 1}], ("column", "n"), "table")

    assert capsys.readouterr().out == "column  n\na\\nb    1\n"
