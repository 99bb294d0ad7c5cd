"""Shell completion of suites, data sets, detectors and parameters."""

import os
import shutil
import subprocess
import sys
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
    path = f"{ODBENCH.parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True,
        env={**os.environ, "PATH": path}, check=True,
    )  # fmt: skip

    assert offered in done.stdout.splitlines()
