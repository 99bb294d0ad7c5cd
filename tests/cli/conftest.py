"""Fixtures for tests of the command line: broken files, and advice in its errors."""

import sys

import pytest

from odbench import cli
from odbench.cli import main
from tests.cli.advice import foreign_options
from tests.cli.fuzzing import DETECTOR


@pytest.fixture
def ends_well(capsys):
    def ends_well(case, *arguments, codes=(0, 2)):
        __tracebackhide__ = True
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as done:
            code = done.code or 0
        except BaseException as error:
            msg = f"mutation {case!r} raised {error!r}"
            raise AssertionError(msg) from error
        said = capsys.readouterr()
        assert "Traceback" not in said.err, case
        assert code in codes, (case, code, said.err)
        # Lines that warn of another thing may come before that of the error.
        assert code == 0 or said.err.strip(), case
        return code

    return ends_well


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A small run of two configurations."""
    folder = tmp_path_factory.mktemp("fuzz") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        with pytest.raises(SystemExit) as done:
            main(["run", "-s", "synbench-mini", "-d", f"{DETECTOR},{DETECTOR}:k=4",
                  "--limit", "3", "-j", "1", "-q", "--keep-scores", "--out",
                  str(folder)])  # fmt: skip
    assert done.value.code in (0, None)
    return folder


@pytest.fixture
def interrupted(tmp_path):
    """A run whose results are still in its journal."""
    folder = tmp_path / "interrupted"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("odbench.sweep.run.fold", lambda *_, **__: None)
        with pytest.raises(SystemExit):
            main(["run", "-s", "synbench-mini", "-d", DETECTOR, "--limit", "3", "-j",
                  "1", "-q", "--out", str(folder)])  # fmt: skip
    assert not (folder / "results.parquet").exists()
    return folder


@pytest.fixture(autouse=True)
def advice_fits(monkeypatch):
    """Fail a test if an error advises an option that its command does not have."""
    run, complain = cli._run, cli._complain
    called = []

    def run_and_note(arguments):
        called[:] = sys.argv[1:] if arguments is None else arguments
        return run(arguments)

    def complain_and_check(message, code=2):
        assert foreign_options(called, message) == set(), message
        return complain(message, code)

    monkeypatch.setattr(cli, "_run", run_and_note)
    monkeypatch.setattr(cli, "_complain", complain_and_check)
