"""The published results that travel with odbench, and a run's place among them."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from odbench.errors import ResultsError, UsageError
from odbench.leaderboard.published import (
    join_published,
    mark_own,
    rank_published,
    read_published,
    write_published,
)
from odbench.leaderboard.tables import Settings, build_leaderboard
from odbench.results import read_results
from tests.reference.trials import frame, place, trial

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "leaderboard" / "runs"
FAST = Settings(permutations=0)


def trials(detectors, datasets=4, **other):
    """One trial per data set and detector; later detectors are better."""
    return [
        trial(f"set {d}", name, 0.5 + 0.1 * m + 0.01 * d, inductive=True, **other)
        for d in range(datasets)
        for m, name in enumerate(detectors)
    ]


@pytest.fixture
def published(tmp_path):
    def made(rows):
        run = place(frame(rows), tmp_path / "published")
        path = tmp_path / "published.parquet"
        write_published([run], path, note="version, date, machine")
        return read_published(path)

    return made


def names(beside):
    return set(beside.results["detector"])


@pytest.mark.slow
@pytest.mark.skipif(not RUNS.is_dir(), reason="the published runs are not at hand")
def test_the_shipped_file_holds_the_published_runs():
    shipped = read_published()
    runs = sorted(RUNS.iterdir())
    files = {run.name: run / "results.parquet" for run in runs}
    keys = ["suite", "partition", "protocol", "dataset", "content_sha256",
            "detector", "config", "config_id", "detector_version", "seed"]  # fmt: skip
    values = ["status", "auroc", "ap"]

    whole = pd.concat([read_results(file) for file in files.values()])

    digests = {n: hashlib.sha256(f.read_bytes()).hexdigest() for n, f in files.items()}
    assert shipped.runs == digests
    pd.testing.assert_frame_equal(
        shipped.trials[keys + values].sort_values(keys, ignore_index=True),
        whole[keys + values].sort_values(keys, ignore_index=True),
        check_dtype=False,
    )


def test_the_page_says_how_much_travels():
    trials = read_published().trials
    page = (ROOT / "docs/around-a-run.md").read_text(encoding="utf-8")
    n_sets = len(trials[["suite", "dataset"]].drop_duplicates())

    assert f"{len(trials):,} trials on {n_sets:,} data sets" in " ".join(page.split())


def test_a_run_is_ranked_among_published_results_on_common_tables(published):
    others = published(trials(["a", "b", "c"], datasets=4))
    own = frame(trials(["mine"], datasets=6))

    beside = join_published(own, others)
    board = mark_own(build_leaderboard(beside.results, settings=FAST), beside.own)

    assert list(board["n_total"]) == [4] * 4
    assert dict(zip(board["detector"], board["source"], strict=True)) == {
        "mine": "run", "a": "published", "b": "published", "c": "published",
    }  # fmt: skip
    assert beside.lines[0].endswith(
        "compared on 4 data sets, of the run's 6 and the published 4"
    )
    assert beside.lines[-1] == "Published results: version, date, machine"


def test_one_common_table_is_counted_in_the_singular(published):
    own = frame(trials(["mine"], datasets=1))

    beside = join_published(own, published(trials(["a"], datasets=4)))

    assert beside.lines[0].endswith(
        "compared on 1 data set, of the run's 1 and the published 4"
    )


def test_the_table_is_that_of_both_results_together(published):
    other_rows, own_rows = trials(["a", "b"]), trials(["mine"])

    beside = join_published(frame(own_rows), published(other_rows))

    pd.testing.assert_frame_equal(
        build_leaderboard(beside.results, settings=FAST),
        build_leaderboard(frame(own_rows + other_rows), settings=FAST),
        check_dtype=False,
    )


def test_a_table_of_other_content_is_left_out_and_counted(published):
    own = frame(trials(["mine"]))
    own.loc[own["dataset"] == "set 2", "content_sha256"] = "corrected"

    beside = join_published(own, published(trials(["a"])))

    assert "set 2" not in set(beside.results["dataset"])
    assert "compared on 3 data sets" in beside.lines[0]
    assert beside.lines[0].endswith("; 1 has other content")


def test_another_setting_does_not_match(published):
    own = frame(trials(["mine"], protocol="unsupervised"))

    with pytest.raises(UsageError, match=r"got toy \(unsupervised\), published are "):
        join_published(own, published(trials(["a"])))


def test_a_configuration_of_the_same_version_is_shown_once(published):
    own = frame(trials(["a", "mine"]))

    beside = join_published(own, published(trials(["a", "b"])))

    assert names(beside) == {"a", "b", "mine"}
    assert len(beside.results) == 12
    assert any("left out: 1 (the run has them" in line for line in beside.lines)


@pytest.mark.parametrize(
    "own", [trials(["a"], detector_version="2.0"), trials(["a"])[:3] + trials(["m"])]
)
def test_another_version_or_fewer_tables_stand_beside_the_published_one(own, published):
    beside = join_published(frame(own), published(trials(["a"])))

    assert {"a", "a (published)"} <= names(beside)
    assert ("a", "default") in beside.own
    assert ("a (published)", "default") not in beside.own


@pytest.mark.parametrize(
    ("change", "shown"), [(0.0, {"a"}), (1e-9, {"a", "a (published)"})]
)
def test_an_editable_install_with_the_same_scores_is_the_same_version(
    change, shown, published
):
    own = frame(trials(["a"], detector_version="1.0 + 0123456789ab"))
    own.loc[2, "auroc"] += change

    beside = join_published(own, published(trials(["a"], detector_version="1.0")))

    assert names(beside) == shown
    assert set(own["detector_version"]) == {"1.0 + 0123456789ab"}


@pytest.mark.parametrize(
    "told",
    [{"inductive": False}, {"inductive": True, "batch_difference": 2.8}],
    ids=["declared", "measured"],
)
def test_results_that_depend_on_the_batch_open_no_other_setting(published, told):
    dependent = [row | told for row in trials(["b"])]
    others = published(trials(["a"]) + dependent)

    beside = join_published(frame(trials(["mine"])), others)

    assert names(beside) == {"a", "mine"}
    assert any("scores depend on the batch" in line for line in beside.lines)


@pytest.mark.parametrize("also", [[], trials(["a"])], ids=["alone", "both settings"])
def test_one_class_results_count_beside_a_transductive_run(published, also):
    moves = trials(["b"], protocol="transductive")
    own = frame(trials(["mine"], protocol="transductive") + also)

    beside = join_published(own, published([*trials(["a", "b", "c"]), *moves]))

    board = build_leaderboard(beside.results, settings=FAST)
    board = board[board["protocol"] == "transductive"]
    assert sorted(board["detector"]) == ["a", "b", "c", "mine"]
    assert board.set_index("detector")["mean_auroc"]["b"] == pytest.approx(0.515)


def test_a_damaged_file_is_one_line(tmp_path):
    path = tmp_path / "published.parquet"
    path.write_bytes(b"PAR1 and nothing else")

    with pytest.raises(ResultsError, match="cannot be read; install odbench again"):
        read_published(path)


@pytest.mark.filterwarnings("ignore:.*not ranked in the setting one-class")
@pytest.mark.skipif(not RUNS.is_dir(), reason="the published tables are not at hand")
def test_published_results_are_ranked_as_in_the_published_table():
    path = RUNS.parent / "oddbench" / "public.csv"
    columns = ["detector", "config", "n_datasets", "n_failed", "mean_auroc", "mean_ap"]
    expected = pd.read_csv(path, keep_default_na=False)

    found = rank_published(read_published(), "oddbench")

    pd.testing.assert_frame_equal(found[columns], expected[columns], atol=1e-6)
