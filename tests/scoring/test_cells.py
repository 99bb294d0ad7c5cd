"""Results become matrices without losing trials or mixing groups."""

import numpy as np
import pytest

from odbench.errors import ResultsError
from odbench.results import REQUIRED
from odbench.scoring.cells import ENDS, split_results
from tests.reference import scoring as reference
from tests.reference.trials import frame, random_trials, trial


def only(results):
    (cells,) = split_results(results)
    return cells


def test_every_trial_is_counted(rng):
    trials = list(random_trials(rng, datasets=15, methods=6, seeds=3))

    cells = only(frame(trials))

    for d, name in enumerate(cells.datasets):
        for m, method in enumerate(cells.methods):
            mine = [
                t
                for t in trials
                if t["dataset"] == name and t["detector"] == method.detector
            ]
            good = [t for t in mine if t["status"] == "ok"]
            assert cells.trials[d, m] == len(mine)
            assert cells.succeeded[d, m] == len(good)
            assert cells.failed[d, m] == len(mine) - len(good)
            assert cells.sums["auroc"][d, m] == pytest.approx(
                sum(t["auroc"] for t in good)
            )
            assert cells.sums["ap"][d, m] == pytest.approx(sum(t["ap"] for t in good))
            if good:
                seconds = np.mean([t["fit_seconds"] for t in good])
                assert cells.fit_seconds[d, m] == pytest.approx(seconds)
            else:
                assert np.isnan(cells.fit_seconds[d, m])


def test_facts_and_base_rates_belong_to_their_data_set():
    cells = only(
        frame(
            [
                trial("b", "knn", 0.5, n_anomalies=20, domain="Human"),
                trial("a", "knn", 0.5, n_anomalies=5, domain=None),
                trial("a", "lof", 0.5, n_anomalies=5, domain="Science"),
            ]
        )
    )

    assert list(cells.datasets) == ["a", "b"]
    assert cells.base_rate.tolist() == [0.05, 0.2]
    assert list(cells.facts["domain"]) == ["Science", "Human"]


def test_a_trial_that_never_ran_changes_no_fact():
    file = {"n_test": 500, "n_anomalies": 9, "status": "killed", "auroc": None}
    rows = [
        trial("a", "alpha", None, ap=None) | file,
        trial("a", "knn", 0.5, n_test=100, n_anomalies=5),
    ]

    assert only(frame(rows)).base_rate.tolist() == [0.05]


def test_suites_partitions_and_protocols_never_meet():
    results = frame(
        [
            trial("a", "knn", 0.5),
            trial("a", "knn", 0.6, partition="private"),
            trial("a", "knn", 0.7, protocol="contaminated"),
            trial("a", "knn", 0.8, suite="other"),
        ]
    )

    found = [(c.suite, c.partition, c.protocol) for c in split_results(results)]

    assert found == [
        ("other", "public", "one-class"),
        ("toy", "private", "one-class"),
        ("toy", "public", "contaminated"),
        ("toy", "public", "one-class"),
    ]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"detector_version": "2.0"}, "2 versions.*1.0, 2.0"),
        ({"config_id": "other"}, "parameters under one name"),
        ({"dataset": "a", "seed": 1, "content_sha256": "x"}, "contents"),
    ],
    ids=["versions", "parameters", "contents"],
)
def test_what_does_not_belong_together_is_refused(change, named):
    results = frame([trial("a", "knn", 0.5), trial("b", "knn", 0.5) | change])

    with pytest.raises(ResultsError, match=named):
        only(results)


def test_the_same_trial_of_two_runs_counts_once():
    results = frame([trial("a", "knn", 0.5), trial("a", "knn", 0.5, fit_seconds=9.0)])

    assert only(results).trials.tolist() == [[1]]


def test_two_outcomes_of_one_trial_are_refused():
    results = frame([trial("a", "knn", 0.5), trial("a", "knn", 0.6)])

    with pytest.raises(ResultsError, match=r"trial 'a knn default 0'.*two different"):
        only(results)


def test_a_missing_version_conflicts_with_nothing():
    results = frame(
        [trial("a", "knn", 0.5), trial("b", "knn", None, detector_version=None)]
    )

    assert only(results).trials.sum() == 2


def test_data_sets_without_public_labels_are_left_out_and_named():
    results = frame(
        [
            trial("a", "knn", 0.5),
            trial("b", "knn", None, status="ok"),
            trial("b", "lof", None),
            trial("c", "knn", None, n_anomalies=None),
            trial("a", "lof", None),
        ]
    )

    cells = only(results)

    assert cells.unscored == ("b", "c")
    assert list(cells.datasets) == ["a"]


def test_a_trial_without_its_metric_takes_no_data_set_from_the_others():
    trials = [
        trial("a", "knn", 0.5),
        trial("a", "lof", None, status="ok"),
        trial("a", "pca", 0.7),
        trial("a", "pca", None, status="ok", seed=1),
    ]

    cells = only(frame(trials))

    assert cells.unscored == ()
    assert cells.failed.tolist() == [[0, 1, 1]]
    assert cells.sums["auroc"].tolist() == [[0.5, 0.0, 0.7]]


def test_a_trial_that_failed_early_takes_no_data_set_from_the_others():
    trials = [trial("a", "knn", 0.5), trial("a", "lof", None, n_anomalies=None)]

    cells = only(frame(trials))

    assert cells.unscored == ()
    assert cells.failed.tolist() == [[0, 1]]
    assert cells.base_rate.tolist() == [0.1]


def test_nothing_but_unlabelled_data_sets_leaves_no_rows():
    cells = only(frame([trial("a", "knn", None, status="ok")]))

    assert len(cells.datasets) == 0
    assert cells.methods == ()


def test_complete_data_sets_are_those_without_any_failure():
    cells = only(
        frame(
            [
                trial("all well", "knn", 0.5),
                trial("all well", "lof", 0.5),
                trial("one failed", "knn", 0.5),
                trial("one failed", "lof", None),
                trial("one absent", "knn", 0.5),
            ]
        )
    )

    names = cells.datasets[cells.complete]
    assert list(names) == ["all well"]


def test_parts_keep_their_rows_and_columns(rng):
    cells = only(frame(random_trials(rng)))
    rows = np.arange(len(cells.datasets)) % 2 == 0

    part = cells.select_datasets(rows).select_methods(np.array([2, 0]))

    assert [m.detector for m in part.methods] == ["method 2", "method 0"]
    np.testing.assert_array_equal(part.trials, cells.trials[rows][:, [2, 0]])
    assert list(part.facts.index) == list(part.datasets) == list(cells.datasets[rows])


def test_seeds_are_counted_per_method():
    results = frame(
        [trial("a", "forest", 0.5, seed=s) for s in (0, 1, 7)]
        + [trial("a", "knn", 0.5, seed=0), trial("b", "knn", 0.5, seed=0)]
    )

    cells = only(results)

    assert cells.seeds.tolist() == [3, 1]


def test_labels_name_a_method_in_running_text():
    results = frame([trial("a", "knn", 0.5), trial("a", "knn", 0.5, config="k=20")])

    assert [m.label for m in only(results).methods] == ["knn", "knn[k=20]"]


def test_the_last_bits_of_another_machine_are_no_conflict():
    results = frame([trial("a", "knn", 0.7), trial("a", "knn", 0.7 + 1e-15)])

    assert only(results).sums["auroc"].tolist() == [[0.7]]


def test_results_without_a_needed_column_are_refused():
    results = frame([trial("a", "knn", 0.7)]).drop(columns=["auroc", "seed"])

    with pytest.raises(ResultsError, match="without the columns seed, auroc"):
        only(results)


def test_results_without_an_optional_column_are_taken():
    results = frame([trial("a", "knn", 0.7)])[list(REQUIRED)]

    assert only(results).sums["auroc"].tolist() == [[0.7]]


def with_ends(rng, trials, kept=0.9):
    """Give some of the trials intervals, as a run that keeps scores does."""
    for one in trials:
        known = one["status"] == "ok" and rng.random() < kept
        ends = sorted(rng.random(2)) + sorted(rng.random(2)) if known else [None] * 4
        yield one | dict(zip(ENDS, ends, strict=True))


def test_intervals_are_means_over_trials_that_all_have_one(rng):
    trials = list(with_ends(rng, random_trials(rng, datasets=15, methods=6, seeds=3)))

    cells = only(frame(trials))

    found = 0
    for d, name in enumerate(cells.datasets):
        for m, method in enumerate(cells.methods):
            mine = [
                {k: float("nan") if v is None else v for k, v in t.items()}
                for t in trials
                if (t["dataset"], t["detector"]) == (name, method.detector)
            ]
            wanted = reference.mean_ends(mine)
            found += wanted is not None
            np.testing.assert_allclose(
                cells.intervals[d, m], [np.nan] * 4 if wanted is None else wanted
            )
    assert 10 < found < 85


def test_intervals_stay_with_their_data_sets_and_methods(rng):
    trials = with_ends(rng, random_trials(rng, datasets=6, methods=4), kept=1.0)
    cells = only(frame(trials))

    part = cells.select_datasets(np.array([4, 1])).select_methods(np.array([2, 0, 3]))

    np.testing.assert_array_equal(part.intervals, cells.intervals[[4, 1]][:, [2, 0, 3]])


def test_without_kept_scores_there_are_no_intervals(rng):
    cells = only(frame(random_trials(rng)))

    assert cells.intervals is None
    assert (
        cells.select_datasets(cells.complete).select_methods(np.array([0])).intervals
        is None
    )
