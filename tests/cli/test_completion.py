"""Shell completion of suites, data sets, detectors and parameters."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from odbench.cli import cli, main


def completions(line):
    """Values offered for the last word of a line; "" after a space."""
    *words, last = line.split(" ")
    found = ShellComplete(cli, {}, "odbench", "_ODBENCH_COMPLETE")
    return [item.value for item in found.get_completions(words[1:], last)]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("odbench comp", ["completion"]),
        ("odbench run --suite odd", ["oddbench", "oddbench-representative"]),
        ("odbench run --suite adbench,ovr",
         ["adbench,ovrbench"]),
        ("odbench run -s adbench --datasets Card", ["Cardiotocography"]),
        ("odbench datasets show adbench/Card", ["adbench/Cardiotocography"]),
        ("odbench datasets show adb", ["adbench/"]),
        ("odbench run -d dte_n", ["dte_np"]),
        ("odbench run -d knn,dte_n", ["knn,dte_np"]),
        ("odbench detectors show copo", ["copod"]),
        ("odbench run -d gmm:", ["gmm:components=1"]),
        ("odbench run -s synbench-m", ["synbench-mini"]),
        ("odbench score t.csv --detector copo", ["copod"]),
        ("odbench run --protocol-nothing", []),
    ],
)  # fmt: skip
def test_names_are_completed(line, offered):
    found = completions(line)

    assert set(offered) <= set(found) if offered else found == []
    assert all(name.startswith(line.split(" ")[-1]) for name in found)


def test_suites_in_the_working_folder_are_completed(tmp_path, monkeypatch):
    for name in ("fraud", "fraud-raw"):
        (tmp_path / name).mkdir()
    (tmp_path / "fraud" / "suite.toml").touch()
    monkeypatch.chdir(tmp_path)

    assert completions("odbench run --suite synbench,fr") == ["synbench,fraud"]
    assert completions("odbench datasets show fr") == ["fraud/"]


def test_parameters_have_the_values_of_the_grid():
    assert {"knn:k=5", "knn:k=20"} <= set(completions("odbench run -d knn:k="))


def test_a_broken_manifest_completes_nothing(monkeypatch):
    monkeypatch.setattr("odbench.suites.load_suites", lambda: 1 / 0)

    assert completions("odbench run -s odd") == []


def test_a_path_is_left_to_the_shell():
    found = ShellComplete(cli, {}, "odbench", "_ODBENCH_COMPLETE")

    (item,) = found.get_completions(["run", "-d"], "./mine")
    assert item.type == "file"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(shell, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["completion", shell])

    assert stopped.value.code == 0
    assert f"{shell}_complete" in capsys.readouterr().out


ODBENCH = Path(sys.executable).with_name("odbench")


def with_odbench():
    """Return the environment of a shell that finds this odbench."""
    path = f"{ODBENCH.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TERM": "dumb"}


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.skipif(not ODBENCH.exists(), reason="odbench is not installed")
@pytest.mark.parametrize(
    ("line", "words", "offered"),
    [
        ("odbench run -d dte_n", ["odbench", "run", "-d", "dte_n"], "dte_np"),
        # bash splits at the colon, and the reply is what follows it.
        ("odbench run -d gmm:comp",
         ["odbench", "run", "-d", "gmm", ":", "comp"], "components=1"),
        ("odbench run -d knn,gmm:", ["odbench", "run", "-d", "knn,gmm", ":"],
         "components=1"),
    ],
)  # fmt: skip
def test_bash_completes_detectors_with_colons(line, words, offered):
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        f'eval "$(odbench completion bash)"; COMP_LINE="{line}"; '
        f"COMP_POINT={len(line)}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
        "compopt() { :; }; _odbench_completion; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True,
        env=with_odbench(), check=True,
    )  # fmt: skip

    assert offered in done.stdout.splitlines()


REAL_LINES = [
    ("odbench run --suite oddbench-", "oddbench-representative"),
    ("odbench run -d dte_n", "dte_np"),
    ("odbench run -d knn,dte_n", "knn,dte_np"),
    ("odbench run -d gmm:comp", "gmm:components=1"),
    ("odbench score --refer", "--reference"),
    ("odbench score ./tab", "./table.csv"),
]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.skipif(not ODBENCH.exists(), reason="odbench is not installed")
def test_fish_completes_lines(tmp_path):
    (tmp_path / "table.csv").write_text("a\n1\n")
    asked = "; ".join(f"complete -C '{line}'; echo ---" for line, _ in REAL_LINES)
    script = f"odbench completion fish | source; {asked}"

    done = subprocess.run(
        ["fish", "--private", "--no-config", "-c", script], capture_output=True,
        text=True, env=with_odbench(), cwd=tmp_path, check=True,
    )  # fmt: skip

    answers = done.stdout.split("---\n")
    for (line, wanted), answer in zip(REAL_LINES, answers, strict=False):
        names = [text.partition("\t")[0] for text in answer.splitlines()]
        assert wanted in names, (line, names)


def typed_into_zsh(lines, folder):
    """Type lines, each with a tab at its end, into zsh; return what zsh made of them.

    Ctrl-A and Ctrl-E put ``print -r --`` and a mark around a line before it is run.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe("zsh", ["zsh", "-f", "-i"], with_odbench())
    try:
        _type(terminal, "bindkey -e; autoload -U compinit; compinit -u -D; stty -echo")
        _type(terminal, 'eval "$(odbench completion zsh)"; print rea""dy', "ready\r\n")
        return [_completed(terminal, line) for line in lines]
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _completed(terminal, line):
    os.write(terminal, line.encode() + b"\t")
    # zsh reads the keys after the tab when it has completed the line.
    text = _type(terminal, "\x01print -r -- \x05 do''ne", "done\r\n")
    return text.rpartition("\r\n")[0].rpartition("\r\n")[2]


def _type(terminal, keys, until=""):
    os.write(terminal, keys.encode() + b"\n")
    seen, deadline = "", time.monotonic() + 60
    while until not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 4096).decode(errors="replace")
    return seen


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
@pytest.mark.skipif(not ODBENCH.exists(), reason="odbench is not installed")
def test_zsh_completes_lines(tmp_path):
    (tmp_path / "table.csv").write_text("a\n1\n")

    found = typed_into_zsh([line for line, _ in REAL_LINES], tmp_path)

    for (line, wanted), completed in zip(REAL_LINES, found, strict=True):
        before = line.rpartition(" ")[0]
        assert completed.startswith(f"{before} {wanted}"), (line, completed)
