"""A command never writes over a file that it reads, nor one result over another."""

import os
from pathlib import Path

import pytest

from odbench.cli import main
from odbench.cli.outputs import check_outputs
from odbench.errors import UsageError

TABLE = "a,b\n" + "".join(f"{k % 7},{k % 5}\n" for k in range(30))


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Make a call that is refused in one line, and changes no file."""
    monkeypatch.chdir(tmp_path)
    for name in ("t.csv", "normal.csv", "sets.json", "salt"):
        Path(name).write_text(TABLE)
    Path("link.csv").symlink_to("t.csv")
    os.link("t.csv", "hard.csv")
    Path("run").mkdir()

    def call(*words):
        before = {path: path.read_bytes() for path in tmp_path.glob("*.*")}
        with pytest.raises(SystemExit) as stopped:
            main(list(words))
        assert stopped.value.code == 2
        assert {path: path.read_bytes() for path in tmp_path.glob("*.*")} == before
        return capsys.readouterr().err

    return call


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("score t.csv --out t.csv", "--out 't.csv': is the file of TABLE"),
        ("score t.csv --html -", "--html '-': is stdin's name"),
        ("score t.csv --save -", "--save '-': is stdin's name"),
        ("score t.csv --out ./t.csv", "is the file of TABLE"),
        ("score t.csv --out link.csv", "is the file of TABLE"),
        ("score t.csv --out hard.csv", "is the file of TABLE"),
        ("score link.csv --html t.csv", "--html 't.csv': is the file of TABLE"),
        ("score t.csv --reference normal.csv --out normal.csv", "of --reference"),
        ("score t.csv --out new.csv --html new.csv", "--html 'new.csv': is the file"),
        ("score t.csv --out new.csv --save x/../new.csv", "is the file of --out"),
        ("submission pack run --sets sets.json --out sets.json --method m --author a",
         "is the file of --sets"),
        ("submission commit --labels run --sets sets.json --salt-file salt --out salt",
         "is the file of --salt-file"),
        ("submission reveal --sets sets.json --salt-file salt --out salt",
         "is the file of --salt-file"),
    ],
)  # fmt: skip
def test_no_input_is_written_over(refused, words, said):
    assert said in refused(*words.split())


def test_files_of_their_own_are_taken(tmp_path):
    files = {name: tmp_path / name for name in "abc"}

    check_outputs({"--a": files["a"], "--b": None}, {"C": files["c"], "D": "-"})
    check_outputs({"--a": Path("-")}, {"D": "-"})
    with pytest.raises(UsageError, match="is the file of --a"):
        check_outputs({"--a": files["a"], "--b": files["a"]}, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="may write everywhere")
def test_a_folder_without_rights_is_told_before_the_work(refused):
    Path("shut").mkdir(mode=0o500)

    assert "cannot be written to" in refused("score", "t.csv", "--out", "shut/x.csv")
