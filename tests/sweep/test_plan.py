"""The plan: what runs, under which key, in which groups and order."""

import dataclasses

import pytest

from odbench.configuration import Configuration
from odbench.data.dataset import DatasetRecord
from odbench.detector import DetectorInfo
from odbench.sweep.estimate import Estimator
from odbench.sweep.plan import Protocol, make_plan, tasks_of


def info(name, **more):
    return DetectorInfo(name=name, summary="", build=dict, **more)


def configuration(name, version="1", **more):
    return Configuration(info(name, **more), version, name)


RECORD = DatasetRecord(
    name="a", suite="oddbench", n_train=100, n_test=100, n_columns=2, content_sha256="c"
)


def plan_of(configurations, records=(RECORD,), *, done=(), seeds=None, earlier=None):
    return make_plan(
        records,
        configurations,
        seeds=seeds,
        protocol=Protocol(),
        done=dict.fromkeys(done, "ok"),
        earlier=earlier or {},
    )


def keys(plan):
    return [trial.key for _, pending in plan.pending for trial, _ in pending]


def test_deterministic_detectors_run_once_and_others_with_five_seeds():
    plan = plan_of([configuration("a"), configuration("b", deterministic=False)])

    assert plan.total == 6
    assert len(set(keys(plan))) == 6


def test_seeds_can_be_chosen():
    assert plan_of([configuration("b", deterministic=False)], seeds=2).total == 2


def test_what_is_done_is_left_out():
    first = plan_of([configuration("a"), configuration("b")])

    second = plan_of([configuration("a"), configuration("b")], done=keys(first)[:1])

    assert (second.total, second.done) == (2, 1)
    assert keys(second) == keys(first)[1:]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "2"}, "detector changed"),
        ({"content_sha256": "d"}, "data set changed"),
    ],
)
def test_a_change_gives_another_key_and_is_named(change, reason):
    earlier = {
        ("oddbench/public/a", "a", configuration("a").id, 0): {
            "content_sha256": "c",
            "detector_version": "1",
        }
    }
    before = keys(plan_of([configuration("a")]))
    record = RECORD
    if "content_sha256" in change:
        record = dataclasses.replace(RECORD, **change)

    plan = plan_of(
        [configuration("a", change.get("version", "1"))],
        [record],
        done=before,
        earlier=earlier,
    )

    assert plan.done == 0
    assert dict(plan.reasons) == {reason: 1}


def test_a_key_does_not_depend_on_what_else_is_asked():
    alone = keys(plan_of([configuration("b")]))
    among = keys(plan_of([configuration("a"), configuration("b")]))

    assert alone == among[1:]


def test_a_small_data_set_is_one_task_and_a_large_one_is_cut_by_shared_work():
    large = dataclasses.replace(
        RECORD, name="large", n_train=50_000, n_test=50_000, n_columns=1000
    )
    configurations = [
        configuration("knn", shares=("near",)),
        configuration("ecod", shares=("columns",)),
        configuration("lof", shares=("near", "more")),
        configuration("cats", shares=("more",)),
        configuration("iforest"),
    ]

    tasks = tasks_of(plan_of(configurations, [RECORD, large]), Estimator())

    groups = [
        (task.record.name, sorted(t.facts["detector"] for t in task.trials))
        for task in tasks
    ]
    assert ("a", ["cats", "ecod", "iforest", "knn", "lof"]) in groups
    assert ("large", ["cats", "knn", "lof"]) in groups
    assert ("large", ["ecod"]) in groups
    assert ("large", ["iforest"]) in groups
    assert [t.seconds for t in tasks] == sorted(
        (t.seconds for t in tasks), reverse=True
    )


def test_estimates_come_from_earlier_trials_and_survive_a_process(tmp_path):
    file = tmp_path / "timings.json"
    first = Estimator(file)
    first.learn([("knn", "default", 100.0, 0.1), ("knn", "default", 10_000.0, 10.0)])
    first.save()

    again = Estimator(file)

    assert again.knows("knn", "default")
    assert not again.knows("lof", "default")
    middle = dataclasses.replace(RECORD, n_train=250, n_test=250)
    assert again.seconds("knn", "default", middle) == pytest.approx(1.0)
    beyond = dataclasses.replace(RECORD, n_train=25_000, n_test=25_000)
    assert again.seconds("knn", "default", beyond) == pytest.approx(100.0)


def test_a_broken_file_of_estimates_is_no_reason_to_stop(tmp_path):
    file = tmp_path / "timings.json"
    file.write_text('{"knn": [[1')

    assert not Estimator(file).knows("knn", "default")
