"""Python users see short forms of data frames, lists, and the page."""

import inspect

import numpy as np
import pandas as pd
import pytest

import odbench
from odbench.api.frames import Results
from odbench.data.dataset import DatasetRecord
from odbench.errors import UsageError
from odbench.leaderboard import tables
from odbench.leaderboard.tables import Settings
from odbench.leaderboard.terminal import render_table
from tests.reference.trials import frame, place, random_trials

FAST = Settings(permutations=0)


@pytest.fixture
def results(rng):
    rows = list(random_trials(rng))
    for row in rows:
        row["detector"] = row["detector"].replace("method 0", "<b>bold")
    return frame(rows)


def test_a_leaderboard_is_the_table_of_the_terminal(results):
    board = odbench.build_leaderboard(results, settings=FAST)

    expected = tables.build_leaderboard(results, settings=FAST)
    pd.testing.assert_frame_equal(pd.DataFrame(board), expected)
    assert repr(board) == render_table(expected)


def test_results_that_are_no_data_frame_are_named(tmp_path):
    for other in (tmp_path, str(tmp_path), 3):
        with pytest.raises(UsageError, match="read_results"):
            odbench.build_leaderboard(other)


def test_a_leaderboard_in_a_notebook_is_a_short_table(results):
    shown = odbench.build_leaderboard(results, settings=FAST)._repr_html_()

    assert "toy / public, one-class: 12 data sets" in shown
    assert shown.count("<tr>") == 6
    assert "&lt;b&gt;bold" in shown
    assert "<b>bold" not in shown


def test_a_selection_of_columns_is_shown_as_pandas_does(results):
    board = odbench.build_leaderboard(results, settings=FAST)

    some = board[["detector", "mean_ap"]]
    assert repr(some) == repr(pd.DataFrame(some))
    assert repr(odbench.build_leaderboard(results.head(0))).startswith("No trials")


def test_results_say_how_many_trials_failed(results):
    shown = Results(results)

    failed = (results["status"] != "ok").sum()
    assert repr(shown) == (
        f"{len(results)} trials of 5 configurations on 12 data sets of toy; "
        f"{failed} failed"
    )
    assert repr(shown) in shown._repr_html_()
    assert "&lt;b&gt;bold" in shown._repr_html_()
    assert repr(Results(results.head(0))) == "no trials"


def test_a_data_set_is_short():
    record = DatasetRecord(name="a<b", suite="toy")
    dataset = odbench.Dataset(
        X_train=np.ones((3, 8)),
        X_test=np.ones((4, 8)),
        y_test=np.array([0, 1, 0, 1], dtype=np.int8),
        columns=tuple("ab&defgh"),
        record=record,
    )

    assert repr(dataset) == (
        "<Dataset toy/a<b: 3 train and 4 test rows x 8 columns, 2 anomalies>"
    )
    shown = dataset._repr_html_()
    assert "toy/a&lt;b" in shown
    assert "<th>&amp;</th>" in shown
    assert "2 more columns" in shown
    assert shown.count("<tr>") == 4


def test_lists_are_data_frames():
    suites, sets = odbench.list_suites(), odbench.list_datasets("adbench")
    detectors = odbench.list_detectors()

    assert suites.set_index("suite").loc["adbench", "public"] == len(sets)
    assert sets["id"].iloc[0].startswith("adbench/")
    assert len(odbench.list_datasets("adbench", datasets="Cardio*y")) == 1
    assert detectors.set_index("detector").loc["knn", "params"]["k"] == 5
    with pytest.raises(odbench.OdbenchError, match="nothing"):
        odbench.list_datasets("nothing")


def test_the_page_is_rendered_from_results_or_a_run(results, tmp_path):
    run = place(results, tmp_path / "run")

    page = odbench.render_page(run, out=tmp_path / "page.html")

    assert page == odbench.render_page(Results(results))
    assert (tmp_path / "page.html").read_text() == page
    assert page.startswith("<!doctype html>")


@pytest.mark.parametrize("name", odbench.__all__)
def test_public_functions_name_their_parameters(name):
    public = getattr(odbench, name)
    if not inspect.isfunction(public):
        pytest.skip("not a function")

    kinds = {p.kind for p in inspect.signature(public).parameters.values()}
    assert not kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
