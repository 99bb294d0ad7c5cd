"""Present trials: the newest version counts, by generation and never by a clock."""

import numpy as np
import pandas as pd
import pytest

from odbench.errors import ResultsError
from odbench.leaderboard.build import build_files
from odbench.leaderboard.tables import Settings, build_leaderboard
from odbench.results import present, select_present
from odbench.results.present import Versions
from tests.reference.trials import frame, place, table, trial

QUICK = Settings(permutations=20)


def rows(generation, names="abc", detector="knn", **change):
    """Return trials of one generation on the data sets with these names."""
    return [
        trial(name, detector, 0.5, generation=generation, **change) for name in names
    ]


def kept(trials, **change):
    results, remarks = select_present(frame(trials), **change)
    places = zip(results["dataset"], results["detector_version"], strict=True)
    return sorted(places), remarks


def test_without_earlier_versions_nothing_is_copied_or_said():
    results = frame([*rows(1), *rows(2, "de"), *rows(3, detector="lof")])

    assert select_present(results) == (results, [])


def test_the_version_of_the_latest_generation_counts():
    old = rows(1, started_at="2999-01-01T00:00:00")

    found, (remark,) = kept([*old, *rows(2, "a", detector_version="0.9")])

    assert found == [("a", "0.9")]
    assert remark == (
        "3 rows of an earlier version of knn are ignored; "
        "`odbench runs drop RUN --detector knn --old` removes them"
    )


def test_another_config_id_under_the_same_name_counts_as_a_version():
    other = {"config_id": "new default"}

    found, (remark,) = kept([*rows(1, "ab"), *rows(2, "ab", **other)], run="my runs/x")

    assert len(found) == 2
    assert "2 rows of an earlier version of knn are ignored" in remark
    assert "`odbench runs drop 'my runs/x' --detector knn --old`" in remark


def test_an_earlier_content_is_left_out_for_every_detector():
    results = [*rows(1), *rows(1, detector="lof"), *rows(2, "b", content_sha256="new")]

    found, (remark,) = kept(results)

    assert found == [("a", "1.0"), ("a", "1.0"), ("b", "1.0"), ("c", "1.0"),
                     ("c", "1.0")]  # fmt: skip
    assert "2 rows of an earlier content of b are ignored" in remark
    assert "--dataset b --old" in remark


def test_one_remark_names_all_kinds():
    olds = [row for name in "vwxyz" for row in rows(1, "a", detector=name)]
    news = [row for name in "vwxyz"
            for row in rows(2, "b", detector=name, detector_version="2")]  # fmt: skip
    contents = [*rows(1, "c"), *rows(2, "c", detector="lof", content_sha256="new")]

    _, (remark,) = kept([*olds, *news, *contents])

    assert remark == (
        "5 rows of earlier versions of v, w, x and 2 more and 1 row of an earlier "
        "content of c are ignored; `odbench runs drop RUN --old` removes them"
    )


def test_suites_and_protocols_have_versions_of_their_own():
    new = {"detector_version": "2"}

    for apart in ({"suite": "other"}, {"protocol": "contaminated=0.05"}):
        assert len(kept([*rows(1), *rows(2, **new, **apart)])[0]) == 6


def test_a_missing_version_conflicts_with_nothing():
    results = [*rows(1, "a", detector_version=None), *rows(2, "b")]

    assert len(select_present(frame(results))[0]) == 2


def test_rows_without_a_generation_are_the_oldest():
    old = rows(None, detector_version="9")

    assert kept([*old, *rows(1, "a")])[0] == [("a", "1.0")]


def test_versions_of_one_generation_are_left_to_the_reader_to_tell_apart():
    results = frame([*rows(1), *rows(1, "d", detector_version="2")])

    assert len(select_present(results)[0]) == 4
    in_parts = Versions()
    in_parts.add(results)
    assert not in_parts.earlier()
    assert in_parts.earlier(contested=True).holds(results).all()
    with pytest.raises(ResultsError, match=r"2 versions \(1.0, 2\).*odbench runs drop"):
        build_leaderboard(results)


def test_words_and_texts_are_selected_alike():
    """`read_results` gives categories where it is asked for few columns."""
    texts = frame(
        [*rows(1), *rows(2, "ab", detector_version="2"), *rows(1, "c", "lof")]
    )
    words = texts.astype(dict.fromkeys(["detector", "detector_version"], "category"))

    present = select_present(words)[0]

    pd.testing.assert_index_equal(present.index, select_present(texts)[0].index)
    assert len(present) == 3


def test_runs_that_disagree_are_refused_and_one_run_is_not(tmp_path):
    mixed = [*rows(1, "bc"), *rows(2, detector_version="2")]
    one = place(frame(mixed), tmp_path / "one")
    other = place(frame(rows(7, detector="knn")), tmp_path / "other")

    with pytest.warns(UserWarning, match="2 rows of an earlier version of knn"):
        built = build_files([one], settings=QUICK)
    with (
        pytest.warns(UserWarning, match=f"drop {one} --detector knn"),
        pytest.raises(ResultsError, match="leave out the other runs"),
    ):
        build_files([one, other], settings=QUICK)

    assert built.tables["n_trials"].tolist() == [3]


@pytest.mark.parametrize("few", [0, 20_000], ids=["by Arrow", "row by row"])
def test_a_selection_of_many_rows_equals_that_of_a_loop(few, monkeypatch):
    monkeypatch.setattr(present, "_FEW_ROWS", few)
    rng = np.random.default_rng(20260101)
    trials = [
        trial(
            f"set {rng.integers(6)}",
            f"method {rng.integers(3)}",
            0.5,
            detector_version=str(rng.integers(3)),
            config_id=str(rng.integers(2)),
            content_sha256=str(rng.integers(2)),
            generation=int(rng.integers(1, 40)),
        )
        for _ in range(60)
    ]

    def newest(keys, version, row):
        alike = [t for t in trials if all(t[key] == row[key] for key in keys)]
        return max(t["generation"] for t in alike if t[version] == row[version]) == max(
            t["generation"] for t in alike
        )

    method = ("detector", "config")
    expected = [
        newest(method, "detector_version", row)
        and newest(method, "config_id", row)
        and newest(("dataset",), "content_sha256", row)
        for row in trials
    ]

    found = select_present(frame(trials))[0].index.tolist()
    in_parts = Versions()
    for start in range(0, len(trials), 7):
        in_parts.add_table(table(trials[start : start + 7]))
    earlier = in_parts.earlier().holds(frame(trials))

    assert found == np.flatnonzero(expected).tolist()
    assert found == np.flatnonzero(~earlier).tolist()
