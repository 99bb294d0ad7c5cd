"""The plan: trials, their keys, and the batches and their order."""

import dataclasses
import pickle

import pytest

from odbench.data.dataset import DatasetRecord
from odbench.detector import DetectorInfo
from odbench.plugins.configuration import Configuration
from odbench.scoring.settings import Protocol
from odbench.sweep import trials
from odbench.sweep.keys import Keys
from odbench.sweep.plan import make_batches, make_plan, why_pending
from odbench.sweep.trial_times import TrialTimes
from odbench.sweep.trials import key_of


def info(name, **more):
    return DetectorInfo(name=name, summary="", build=dict, **more)


def configuration(name, version="1", **more):
    return Configuration(info(name, **more), version, name)


RECORD = DatasetRecord(
    name="a", suite="oddbench", n_train=100, n_test=100, n_columns=2, content_sha256="c"
)


def plan_of(configurations, records=(RECORD,), *, done=(), seeds=None):
    known = Keys()
    known.add(done)
    return make_plan(
        records, configurations, seeds=seeds, protocol=Protocol(), done=known
    )


def keys(plan):
    return [trial.key for batch in plan.pending for trial in batch.trials()]


def test_deterministic_detectors_run_once_and_others_with_five_seeds():
    plan = plan_of([configuration("a"), configuration("b", deterministic=False)])

    assert plan.total == 6
    assert len(set(keys(plan))) == 6


def test_seeds_can_be_chosen():
    assert plan_of([configuration("b", deterministic=False)], seeds=2).total == 2


def test_finished_trials_are_left_out():
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
    before = keys(plan_of([configuration("a")]))
    known = ("a", configuration("a").id, 0, "c", "1", "ok", *before)
    earlier = ("oddbench", "public", "a", *known)
    record = RECORD
    if "content_sha256" in change:
        record = dataclasses.replace(RECORD, **change)

    plan = plan_of(
        [configuration("a", change.get("version", "1"))], [record], done=before
    )

    assert plan.done == 0
    assert dict(why_pending(plan, [earlier])) == {reason: 1}


@pytest.mark.parametrize(
    ("status", "reason"), [("ok", "scores not kept"), ("timeout", "failed before")]
)
def test_the_same_trial_once_more_is_named(status, reason):
    plan = plan_of([configuration("a")])
    known = ("oddbench", "public", "a", "a", configuration("a").id, 0, "c", "1")
    earlier = [(*known, status, *keys(plan)), (*known, "ok", "of another protocol")]

    assert dict(why_pending(plan, earlier)) == {reason: 1}


def test_the_newest_result_says_why_a_trial_must_run():
    def tried(name, content, version="1"):
        known = configuration(name)
        key = f"of {version} on {content}"
        trial = (name, known.id, 0, content, version, "ok", key)
        return ("oddbench", "public", "a", *trial)

    plan = plan_of([configuration(name) for name in "abcd"])
    earlier = [
        tried("a", "c"),
        tried("a", "d"),
        tried("b", "d"),
        tried("b", "c", "2"),
        tried("c", "c"),
        tried("other", "c"),
    ]

    assert dict(why_pending(plan, earlier)) == {
        "data set changed": 1,
        "detector changed": 1,
        "protocol changed": 1,
        "new": 1,
    }


def test_a_key_does_not_depend_on_what_else_is_asked():
    alone = keys(plan_of([configuration("b")]))
    among = keys(plan_of([configuration("a"), configuration("b")]))

    assert alone == among[1:]


def test_a_small_data_set_is_one_batch_and_a_large_one_is_cut_by_shared_work():
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

    batches = make_batches(plan_of(configurations, [RECORD, large]), TrialTimes())

    groups = [
        (batch.record.name, sorted(t.facts["detector"] for t in batch.trials()))
        for batch in batches
    ]
    assert ("a", ["cats", "ecod", "iforest", "knn", "lof"]) in groups
    assert ("large", ["cats", "knn", "lof"]) in groups
    assert ("large", ["ecod"]) in groups
    assert ("large", ["iforest"]) in groups
    assert [batch.seconds for batch in batches] == sorted(
        (batch.seconds for batch in batches), reverse=True
    )


def test_parts_of_a_large_data_set_last_seconds_and_have_every_trial():
    # 0.2 s each; 300 trials that share nothing take a minute.
    large = dataclasses.replace(
        RECORD, name="large", n_train=50_000, n_test=50_000, n_columns=10
    )
    configurations = [configuration(f"d{i:03d}") for i in range(300)]

    batches = make_batches(plan_of(configurations, [large]), TrialTimes())

    seconds = [batch.seconds for batch in batches]
    assert 12 <= len(batches) <= 13
    assert 4.5 < min(seconds) <= max(seconds) < 5.1
    tried = [t.facts["detector"] for batch in batches for t in batch.trials()]
    assert sorted(tried) == [one.info.name for one in configurations]


def test_a_worker_gets_the_trials_that_are_left_seed_by_seed():
    configurations = [configuration("b", deterministic=False), configuration("a")]
    everything = keys(plan_of(configurations))

    (batch,) = make_batches(plan_of(configurations, done=everything[1:3]), TrialTimes())
    trials = tuple(batch.trials())

    assert [(t.seed, t.facts["detector"]) for t in trials] == [
        (0, "a"), (0, "b"), (3, "b"), (4, "b"),
    ]  # fmt: skip
    assert len(batch) == 4
    assert [t.key for t in trials] == [
        key_of(RECORD, t.facts, t.seed, Protocol()) for t in trials
    ]
    assert len({t.random_state for t in trials}) == 4
    done = Keys()
    done.add([trials[1].key])
    assert tuple(batch.without(done).trials()) == (trials[0], *trials[2:])


def test_a_trial_is_made_only_when_it_runs(monkeypatch):
    made = []

    class Counted(trials.Trial):
        def __init__(self, *given):
            made.append(given)
            super().__init__(*given)

    monkeypatch.setattr(trials, "Trial", Counted)
    records = [dataclasses.replace(RECORD, name=f"{i}") for i in range(50)]
    many = [configuration(f"{i}", deterministic=False) for i in range(20)]

    plan = plan_of(many, records)
    batches = make_batches(plan, TrialTimes())
    left = [batch.without(Keys()) for batch in batches]

    assert plan.total == sum(map(len, left)) == 5000
    assert not made
    assert sum(batch.indices.nbytes for batch in batches) == 4 * 5000
    assert len(list(batches[0].trials())) == len(made) == 100


def test_a_worker_is_sent_no_configuration():
    (batch,) = plan_of([configuration("a")]).pending

    sent = pickle.dumps((batch.record, tuple(batch.trials())))

    assert b"Configuration" not in sent


def test_a_key_stays_what_it_was_so_that_old_results_count():
    (trial,) = plan_of([configuration("a")]).pending[0].trials()

    assert trial.key == "af9177dcbe9bf5b4aa1fb64169173444"
    assert trial.random_state == 1716913948


def test_estimates_come_from_earlier_trials_and_survive_a_process(tmp_path):
    file = tmp_path / "timings.json"
    first = TrialTimes(file)
    columns = RECORD.n_columns
    first.learn(
        ("mine", "default", "one-class", n_rows, columns, n_rows / 500)
        for n_rows in (50, 50_000)
    )
    first.save()

    again = TrialTimes(file)

    assert again.knows("mine", "default")
    assert not again.knows("yours", "default")
    for n_rows in (500, 5000):
        size = {"n_rows": n_rows, "n_columns": columns}
        assert again.seconds("mine", "default", **size) == pytest.approx(
            n_rows / 500, rel=0.25
        )


def test_a_broken_file_of_estimates_is_ignored(tmp_path):
    file = tmp_path / "timings.json"
    file.write_text('{"mine": [[1')

    assert not TrialTimes(file).knows("mine", "default")


def test_a_trial_says_whether_its_weights_have_seen_the_data_set():
    other = dataclasses.replace(RECORD, name="b")
    trained = configuration("net", trained_on=("oddbench/a", "adbench/*"))
    plan = plan_of([trained, configuration("knn")], (RECORD, other))

    seen = {
        (trial.facts["detector"], batch.record.name): trial.facts["seen_in_training"]
        for batch in plan.pending
        for trial in batch.trials()
    }

    assert [pair for pair, has_seen in seen.items() if has_seen] == [("net", "a")]
    assert len(seen) == 4
