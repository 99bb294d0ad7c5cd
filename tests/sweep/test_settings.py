"""Runs in each setting: the rows that a detector sees, and its trials' facts."""

from pathlib import Path

import numpy as np
import pytest

import odbench
from odbench.errors import UsageError
from odbench.scoring.settings import BATCH_TOLERANCE, Protocol, by_setting
from odbench.sweep.shown import ShownRows

FILE = Path(__file__).with_name("settings.py")


def run(mirror, names, **options):
    specs = [name if name.islower() else f"{FILE}:{name}" for name in names]
    return odbench.run(
        suite="oddbench", detectors=specs, mirror=mirror, seeds=1, jobs=1,
        show_progress=False, **options,
    )  # fmt: skip


@pytest.mark.slow
def test_every_trial_tells_how_far_scores_depend_on_the_batch(made_up):
    names = ["Naive", "Ranked", "NeedsMany", "Inductive", "Noisy", "knn", "cats"]
    results = run(made_up, names, limit=1)

    assert set(results["status"]) == {"ok"}, results["reason"].tolist()
    found = results.set_index("detector")["batch_difference"]
    assert (found[["Naive", "Ranked", "NeedsMany"]] > 0.01).all()
    assert (found[["Inductive", "Noisy", "knn", "cats"]] == 0).all()


def test_a_detector_that_writes_into_its_rows_does_not_depend_on_the_batch(made_up):
    results = run(made_up, ["WritesIntoItsRows"])

    assert set(results["batch_difference"]) == {0.0}


def test_rows_that_a_fit_has_shuffled_keep_their_scores(made_up):
    names = ["ShufflesItsRows", "Inductive"]
    results = run(made_up, names, protocol="unsupervised")

    aurocs = results.pivot(index="dataset", columns="detector", values="auroc")
    assert (aurocs["Inductive"] > 0.8).all()
    assert np.allclose(aurocs["ShufflesItsRows"], aurocs["Inductive"], atol=1e-9)


@pytest.mark.slow
def test_a_detector_that_hangs_on_few_rows_keeps_its_result(made_up, monkeypatch):
    monkeypatch.setattr("odbench.sweep.sandbox._REPEAT_SECONDS", 3.0)
    results = run(
        made_up, ["HangsOnFew", "Inductive"], limit=2, timeout=3, backend="threading"
    )

    assert set(results["status"]) == {"ok"}, results["reason"].tolist()
    hung = results[results["detector"] == "HangsOnFew"]
    assert (hung["batch_difference"] > BATCH_TOLERANCE).all()
    assert len(results) == 4


def test_unsupervised_shows_one_table_and_scores_its_rows(made_up):
    names = ["Inductive", "OwnRows", "knn"]
    results = run(made_up, names, protocol="unsupervised", limit=1)

    assert set(results["status"]) == {"ok"}, results["reason"].tolist()
    row = results.set_index("detector").loc["Inductive"]
    assert row["protocol"] == "unsupervised"
    assert row["n_train"] == row["n_test"] == 100 + 112
    assert row["n_anomalies"] == 12
    auroc = results.set_index("detector")["auroc"]
    # `fit_score` is used where there is one, and the other is its opposite.
    assert auroc["OwnRows"] == pytest.approx(1 - auroc["Inductive"])
    assert results["batch_difference"].isna().all()


def test_kept_scores_of_one_table_are_in_the_order_of_the_data_set(made_up, tmp_path):
    out = tmp_path / "run"
    run(
        made_up, ["Inductive"], protocol="unsupervised", limit=1, out=out,
        keep_scores=True,
    )  # fmt: skip

    (file,) = out.glob("scores/**/Inductive-*.npy")
    dataset = odbench.load_dataset("oddbench/Alpha", mirror=str(made_up))
    table = np.vstack([dataset.X_train, dataset.X_test])
    z = (table - table.mean(axis=0)) / table.std(axis=0)
    expected = np.abs(z - z.mean(axis=0)).sum(axis=1)
    np.testing.assert_allclose(np.load(file), expected, rtol=1e-5)


@pytest.mark.slow
def test_contaminated_reports_its_share_and_keeps_the_test(made_up):
    tables = {
        share: run(made_up, ["Inductive"], protocol=f"contaminated={share}")
        for share in (0, 0.02, 0.05)
    }

    for share, results in tables.items():
        assert results["contamination"].between(share - 0.01, share + 0.01).all()
        assert set(results["protocol"]) == {f"contaminated={share:g}"}
        assert set(results["n_anomalies"]) == {6}
        assert results["n_test"].tolist() == tables[0]["n_test"].tolist()


def test_a_set_that_cannot_reach_the_share_is_left_out(made_up):
    results = run(made_up, ["Inductive"], protocol="contaminated=0.06")

    # Six of the twelve anomalies may move: enough for 100 and 101 rows, not for 102.
    assert results["dataset"].tolist() == ["Alpha", "Beta"]
    with pytest.raises(UsageError, match="smaller share"):
        run(made_up, ["Inductive"], protocol="contaminated=0.3")


@pytest.mark.slow
def test_transductive_uses_inductive_results_without_running_again(made_up, tmp_path):
    out = tmp_path / "run"
    names = ["Naive", "Inductive"]
    with pytest.warns(UserWarning, match="Naive: not ranked in the setting one-class"):
        run(made_up, names, out=out)
    # Only the setting that was asked for is judged.
    results = run(made_up, names, out=out, protocol="transductive")

    mine = results[results["protocol"] == "transductive"]
    assert set(mine["detector"]) == {"Naive"}
    assert len(mine) == 3


@pytest.mark.slow
def test_scores_of_a_batch_are_used_in_the_transductive_setting_alone(
    made_up, tmp_path
):
    out = tmp_path / "run"
    run(made_up, ["Both", "Inductive"], out=out)
    results = run(made_up, ["Both", "Inductive"], out=out, protocol="transductive")

    both = results[results["detector"] == "Both"].set_index("protocol")
    assert set(both.index) == {"one-class", "transductive"}
    alone, batch = both.loc["one-class"], both.loc["transductive"]
    np.testing.assert_allclose(batch["auroc"], 1 - alone["auroc"])
    assert (alone["batch_difference"] == 0).all()
    assert (batch["batch_difference"] > BATCH_TOLERANCE).all()
    assert alone["inductive"].all()
    assert not batch["inductive"].any()
    # The other detector's scores would be the same, so it is not run again.
    assert set(results["detector"][results["protocol"] == "transductive"]) == {"Both"}
    ranked = by_setting(results)
    assert set(ranked["detector"][ranked["protocol"] == "one-class"]) == {
        "Both",
        "Inductive",
    }


def test_contamination_is_short_for_the_protocol(made_up):
    short = run(made_up, ["Inductive"], contamination=0.05, limit=1)
    long = run(made_up, ["Inductive"], protocol="contaminated=0.05", limit=1)

    assert short["key"].tolist() == long["key"].tolist()
    with pytest.raises(UsageError, match="one of the two"):
        run(made_up, ["Inductive"], protocol="unsupervised", contamination=0.05)


def test_one_table_is_shuffled_as_a_whole():
    class Record:
        id, n_train, n_test = "toy/set", 60, 50

    class Stored:
        @staticmethod
        def features():
            rng = np.random.default_rng(0)
            return rng.normal(size=(60, 2)), rng.normal(size=(50, 2)), None

    labels = np.repeat([0, 1], [40, 10]).astype(np.int8)
    shown = ShownRows(Record, Protocol.parse("unsupervised"), labels)
    shown.select(0)
    table, test = shown.tables(Stored)

    assert test is None
    assert table.shape == (110, 2)
    assert shown.labels.tolist() == [0] * 100 + [1] * 10
    np.testing.assert_allclose(table.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(table.std(axis=0), 1)
    whole = np.vstack(Stored.features()[:2])
    restored = shown.restore_order(table[:, 0])
    np.testing.assert_array_equal(np.argsort(restored), np.argsort(whole[:, 0]))
    # Rows of train and test are mixed, so that their order says nothing.
    places = np.argsort(np.argsort(restored))
    assert abs(np.corrcoef(np.arange(110), places)[0, 1]) < 0.5
