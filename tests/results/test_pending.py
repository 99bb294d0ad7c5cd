"""Readers tell of results that are still in the journals of a run."""

import pytest

from odbench.errors import ResultsError
from odbench.leaderboard.load import load_leaderboard, read_present
from odbench.leaderboard.pairs import runs_below
from odbench.results import read_results
from odbench.sweep.journal import FOLDER
from tests.reference.sweep import row, write
from tests.reference.trials import frame, place, random_trials

TOLD = "has results in its journals.* the same `odbench run` again adds them"


def journaled(folder):
    (folder / FOLDER).mkdir(parents=True)
    write(folder, row())


@pytest.mark.parametrize("read", [read_results, load_leaderboard, runs_below])
def test_a_run_that_was_cut_off_is_told_from_a_wrong_name(tmp_path, read):
    journaled(tmp_path / "run")
    (tmp_path / "empty").mkdir()

    with pytest.raises(ResultsError, match=TOLD):
        read(tmp_path / "run")
    with pytest.raises(ResultsError, match=r"no such file|has neither|has no"):
        read(tmp_path / "empty")


def test_results_beside_the_ones_that_are_read_are_told(tmp_path, rng):
    run = place(frame(random_trials(rng)), tmp_path / "run")
    read_present(run)

    journaled(run)

    with pytest.warns(UserWarning, match=TOLD):
        read_present(run)
