"""Facts of machines that other people's runs record."""

import pytest

from odbench.provenance import (
    MAX_DEPTH,
    command,
    machine,
    recorded_machine,
    recorded_run,
)


def test_our_own_facts_are_kept():
    facts = machine()
    assert recorded_machine(facts) == facts


@pytest.mark.parametrize("value", [None, 3, "x", [], [{"cores": 2}]])
def test_another_type_has_no_facts(value):
    assert recorded_machine(value) == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"memory_bytes": 10**400},
        {"memory_bytes": -1},
        {"memory_bytes": True},
        {"memory_bytes": 1.5},
        {"memory_bytes": "1 GiB"},
        {"cores": [2]},
        {"cores": None},
        {"processor": {"name": "x"}},
        {"processor": ""},
        {"owner": "me"},
    ],
)
def test_facts_that_cannot_be_true_are_left_out(broken):
    assert recorded_machine({"system": "Linux"} | broken) == {"system": "Linux"}


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "[1]",
        "{",
        '{"a": ' + "9" * 5000 + "}",
        '{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}",
        "[" * 20_000 + "]" * 20_000,
    ],
    ids=["missing", "empty", "list", "cut", "long number", "deep", "too deep"],
)
def test_a_broken_description_of_a_run_is_empty(tmp_path, content):
    file = tmp_path / "run.json"
    if content is not None:
        file.write_text(content)

    assert recorded_run(file) == {}


def test_the_description_of_a_run_is_returned_as_it_is(tmp_path):
    (tmp_path / "run.json").write_text('{"a": {"b": [1, NaN]}}')

    assert list(recorded_run(tmp_path / "run.json")["a"]) == ["b"]


@pytest.mark.parametrize(
    ("program", "words"),
    [("/bin/odbench", "odbench"), ("/x/odbench/__main__.py", "python -m odbench")],
)
def test_the_command_can_be_typed_again(monkeypatch, program, words):
    monkeypatch.setattr("sys.argv", [program, "run", "--quiet"])

    assert command() == [*words.split(), "run", "--quiet"]
