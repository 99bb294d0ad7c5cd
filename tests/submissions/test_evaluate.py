"""Evaluation by the maintainer: numbers, Ladder, rate limits, log and table."""

import csv
import fcntl
import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from odbench.errors import RunLockedError, SubmissionError, UsageError
from odbench.submissions.audit_log import FIRST, AuditLog
from odbench.submissions.checking import open_submission
from odbench.submissions.dataset_list import DatasetList
from odbench.submissions.evaluate import EvaluationRequest, Evaluator
from odbench.submissions.labels import LabelFolder
from odbench.submissions.ladder import climbs
from odbench.submissions.private_table import COLUMNS
from odbench.submissions.rescoring import Rescorer
from odbench.submissions.rules import Rules
from tests.submissions.submission_world import START, make_world


@pytest.fixture
def world(tmp_path, rng):
    return make_world(tmp_path, rng)


def table(world) -> list[dict]:
    with (world.leaderboard / "synbench" / "private.csv").open() as file:
        return list(csv.DictReader(file))


def slow_means(world, scores, *, n_seeds=1) -> tuple[float, float]:
    """Return mean AUROC and AP by scikit-learn, with failures counted as documented."""
    aurocs, aps = [], []
    for name, y in world.truth.items():
        trials = [scores.get((name, seed)) for seed in range(n_seeds)]
        aurocs.append(
            np.mean([0.0 if s is None else roc_auc_score(y, s) for s in trials])
        )
        aps.append(
            np.mean(
                [0.0 if s is None else average_precision_score(y, s) for s in trials]
            )
        )
    return float(np.mean(aurocs)), float(np.mean(aps))


def test_the_row_holds_rounded_means_over_all_sets(world, rng):
    scores = {(name, 0): s for name, s in world.scores(rng, 1.0).items()}

    row = world.evaluate(world.submit(scores))

    auroc, ap = slow_means(world, scores)
    assert row["mean_auroc"] == round(auroc, 3)
    assert row["mean_ap"] == round(ap, 3)
    assert (row["n_datasets"], row["n_failed"], row["tier"]) == (24, 0, "re-scored")
    assert tuple(row) == COLUMNS
    assert table(world) == [{name: str(value) for name, value in row.items()}]


def test_seeds_are_averaged_and_missing_trials_count_as_zero(world, rng):
    scores = {
        (name, seed): values
        for seed in range(3)
        for name, values in world.scores(rng, 1.0).items()
    }
    del scores["hidden_00", 1]
    for seed in range(3):
        del scores["hidden_01", seed]

    row = world.evaluate(world.submit(scores, seeds=[0, 1, 2]))

    auroc, ap = slow_means(world, scores, n_seeds=3)
    assert row["mean_auroc"] == round(auroc, 3)
    assert row["mean_ap"] == round(ap, 3)
    assert row["n_failed"] == 2


def test_leaving_out_a_data_set_never_pays(world, rng):
    full = {name: -s for name, s in world.scores(rng, 2.0).items()}
    with open_submission(world.submit(full), world.sets) as submission:
        before = world.rescorer.score(submission)

    for name in rng.choice(sorted(full), size=4, replace=False):
        del full[name]
        with open_submission(world.submit(full), world.sets) as submission:
            after = world.rescorer.score(submission)

        assert after.n_failed == before.n_failed + 1
        assert after.mean_auroc < before.mean_auroc < 0.5
        assert after.mean_ap < before.mean_ap
        assert after.mean_ap_adjusted < before.mean_ap_adjusted
        before = after


def test_over_the_row_limit_the_evaluator_chooses_the_rows(world, rng):
    first, *others = world.sets.sets
    world.sets = DatasetList(
        suite="synbench",
        partition="private",
        sets=(replace(first, n_scored=50), *others),
    )
    rows = np.sort(rng.choice(60, size=50, replace=False))
    rows[0] = np.flatnonzero(world.truth[first.dataset])[0]
    scores = world.scores(rng, 0.0)
    # These scores are correct only if exactly the chosen rows are scored.
    scores[first.dataset] = world.truth[first.dataset][rows].astype(np.float32)
    asked = []

    def choose(expected, seed, labels):
        asked.append((expected.dataset, seed, labels))
        return rows

    rescorer = Rescorer(
        sets=world.sets,
        labels=LabelFolder(world.labels, world.sets),
        choose_rows=choose,
    )
    with open_submission(world.submit(scores), world.sets) as submission:
        exact = rescorer.score(submission)

    rest = [roc_auc_score(world.truth[s.dataset], scores[s.dataset]) for s in others]
    assert exact.mean_auroc == pytest.approx((1.0 + sum(rest)) / 24, abs=1e-12)
    assert asked == [(first.dataset, 0, None)]


def test_without_a_row_chooser_a_large_set_cannot_be_scored(world, rng):
    first, *others = world.sets.sets
    world.sets = DatasetList(
        suite="synbench",
        partition="private",
        sets=(replace(first, n_scored=50), *others),
    )
    scores = world.scores(rng, 1.0)
    scores[first.dataset] = scores[first.dataset][:50]

    with pytest.raises(SubmissionError, match="row limit"):
        world.evaluate(world.submit(scores))


def test_fewer_than_twenty_sets_are_not_evaluated(world, rng):
    scores = dict(list(world.scores(rng, 1.0).items())[:19])

    with pytest.raises(SubmissionError, match=r"scores 19 data sets.*at least 20"):
        world.evaluate(world.submit(scores))
    assert AuditLog(world.leaderboard / "audit.jsonl").entries == []


@pytest.mark.parametrize(
    "changes", [{"decimals": 4}, {"min_sets": 19}, {"step": 0.0005}, {"step": 0.0}]
)
def test_rules_cannot_be_weaker_than_the_minimum(changes):
    with pytest.raises(UsageError, match="rules"):
        Rules(**changes)


def test_a_real_improvement_replaces_the_row(world, rng):
    world.evaluate(world.submit(world.scores(rng, 0.5)))

    row = world.evaluate(world.submit(world.scores(rng, 2.0), version="2"))

    assert row["version"] == "2"
    assert len(table(world)) == 1


@pytest.mark.parametrize(
    "strength", [1.0, 0.0, -1.0], ids=["slightly better", "chance", "inverted"]
)
def test_without_improvement_the_old_row_is_returned(world, rng, strength):
    scores = world.scores(rng, 1.0)
    first = world.evaluate(world.submit(scores))
    before = (world.leaderboard / "synbench" / "private.csv").read_bytes()
    if strength == 1.0:
        # Slightly better: two scores of one data set are swapped into the right order.
        y = world.truth["hidden_00"]
        changed = scores["hidden_00"].copy()
        lowest, highest = changed[y == 1].argmin(), changed[y == 0].argmax()
        i, j = np.flatnonzero(y == 1)[lowest], np.flatnonzero(y == 0)[highest]
        changed[i], changed[j] = changed[j], changed[i]
        scores = {**scores, "hidden_00": changed}
    else:
        scores = world.scores(rng, strength)

    row = world.evaluate(world.submit(scores, version="2", hardware="another"))

    assert row == first
    assert (world.leaderboard / "synbench" / "private.csv").read_bytes() == before


def test_the_same_archive_gets_the_same_answer_and_costs_nothing(world, rng):
    path = world.submit(world.scores(rng, 1.0))
    first = world.evaluate(path)
    log = (world.leaderboard / "audit.jsonl").read_bytes()
    world.days -= 14

    assert world.evaluate(path) == first
    assert (world.leaderboard / "audit.jsonl").read_bytes() == log


def test_rerun_numbers_replace_better_ones(world, rng):
    claimed = world.evaluate(world.submit(world.scores(rng, 2.0)))

    row = world.evaluate(world.submit(world.scores(rng, 1.0)), tier="re-run")

    assert row["tier"] == "re-run"
    assert row["mean_auroc"] < claimed["mean_auroc"]
    with pytest.raises(SubmissionError, match="tier"):
        world.evaluate(world.submit(world.scores(rng, 1.0)), tier="self-reported")


def test_a_method_waits_between_evaluations(world, rng):
    world.evaluate(world.submit(world.scores(rng, 0.5)))
    world.days -= 14 - 6

    with pytest.raises(SubmissionError, match="next one is possible from 2026-01-22"):
        world.evaluate(world.submit(world.scores(rng, 1.0)))


def test_new_names_do_not_circumvent_the_limit(world, rng):
    for number in range(4):
        world.evaluate(world.submit(world.scores(rng, 1.0), method=f"M{number}"))
        world.days -= 13

    with pytest.raises(SubmissionError, match="submitter 'person': too many"):
        world.evaluate(world.submit(world.scores(rng, 1.0), method="M4"))
    with pytest.raises(SubmissionError, match="submitter 'Person ': too many"):
        world.evaluate(
            world.submit(world.scores(rng, 1.0), method="M5"), submitter="Person "
        )
    world.evaluate(world.submit(world.scores(rng, 1.0), method="M6"), submitter="q")


@pytest.mark.parametrize(
    "method",
    [
        "m-i N\uff45",
        "M\u0131ne",
        "M\u04cfne",
        "\u041c\u0456n\u0435",
        "rnine",
        "Mi\u03b7e",
    ],
)
def test_nobody_can_take_over_a_method(world, rng, method):
    world.evaluate(world.submit(world.scores(rng, 0.5)))

    with pytest.raises(SubmissionError, match="belongs to another submitter"):
        world.evaluate(
            world.submit(world.scores(rng, 2.0), method=method), submitter="rival"
        )


def test_a_look_alike_is_not_a_new_method(world, rng):
    """It would escape the wait and get a row of its own."""
    world.evaluate(world.submit(world.scores(rng, 0.5)))
    world.days -= 13

    with pytest.raises(SubmissionError, match="too many evaluations"):
        world.evaluate(world.submit(world.scores(rng, 2.0), method="M\u0131ne"))


def test_the_ladder_gives_a_new_value_only_above_the_step(rng):
    released, answers = None, []
    values = np.cumsum(rng.uniform(-0.01, 0.012, size=300)) * 0.1 + 0.5
    for value in values:
        if climbs(value, released, step=0.005):
            released = round(float(value), 3)
        answers.append(released)

    new = sorted(set(answers))
    assert answers == sorted(answers)
    assert np.diff(new).min() > 0.005 - 0.0005
    assert len(new) <= 1 + (1.0 - new[0]) / 0.0045


def test_a_table_is_ordered_and_leaves_rotated_lists_out(world, rng):
    world.evaluate(world.submit(world.scores(rng, 0.5), method="Low"))
    world.evaluate(world.submit(world.scores(rng, 2.0), method="High"))
    assert [row["method"] for row in table(world)] == ["High", "Low"]

    world.sets = world.other_list()
    world.evaluate(world.submit(world.scores(rng, 0.1), method="Low"))

    assert [row["method"] for row in table(world)] == ["Low"]
    assert len(AuditLog(world.leaderboard / "audit.jsonl").entries) == 3


def test_the_log_chains_every_evaluation(world, rng):
    for strength in (1.0, 0.0, 2.0):
        world.evaluate(world.submit(world.scores(rng, strength)))

    lines = (world.leaderboard / "audit.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    log = AuditLog(world.leaderboard / "audit.jsonl")

    assert [entry["index"] for entry in entries] == [0, 1, 2]
    assert entries[0]["previous"] == FIRST
    assert entries[2]["previous"] == entries[1]["hash"]
    assert log.head == entries[2]["hash"]
    assert entries[0]["row"] == entries[1]["row"] != entries[2]["row"]


def change_a_number(lines):
    return [lines[0].replace('"n_failed":0', '"n_failed":1'), *lines[1:]]


TAMPERED = {
    "a number changed": change_a_number,
    "the first line removed": lambda lines: lines[1:],
    "a middle line removed": lambda lines: [lines[0], lines[2]],
    "lines swapped": lambda lines: [lines[1], lines[0], lines[2]],
    "a line twice": lambda lines: [*lines, lines[2]],
    "a line of garbage": lambda lines: [*lines, "{}"],
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_log_stops_everything(world, rng, tamper):
    for strength in (0.5, 1.0, 2.0):
        world.evaluate(world.submit(world.scores(rng, strength)))
    file = world.leaderboard / "audit.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(tamper(lines)) + "\n")

    with pytest.raises(SubmissionError, match="audit log"):
        world.evaluate(world.submit(world.scores(rng, 3.0)))


def test_an_incomplete_line_is_not_reported_as_tampering(world, rng):
    world.evaluate(world.submit(world.scores(rng, 0.5)))
    file = world.leaderboard / "audit.jsonl"
    file.write_bytes(file.read_bytes() + b'{"index":1,"prev')

    with pytest.raises(
        SubmissionError, match=r"last line is incomplete.*remove that line"
    ):
        world.evaluate(world.submit(world.scores(rng, 1.0)))


def test_a_table_edited_by_hand_is_refused(world, rng):
    world.evaluate(world.submit(world.scores(rng, 0.5)))
    file = world.leaderboard / "synbench" / "private.csv"
    file.write_text(file.read_text().replace("Mine", "Yours"))

    with pytest.raises(SubmissionError, match="does not match the audit log"):
        world.evaluate(world.submit(world.scores(rng, 1.0)))


def test_a_table_that_leaderboard_build_wrote_is_not_touched(world, rng):
    file = world.leaderboard / "synbench" / "private.csv"
    file.parent.mkdir(parents=True)
    file.write_text("suite,partition,detector,config\n")

    with pytest.raises(SubmissionError, match="evaluate into another folder"):
        world.evaluate(world.submit(world.scores(rng, 1.0)))
    assert file.read_text() == "suite,partition,detector,config\n"


def test_a_time_without_a_zone_is_refused(tmp_path):
    with pytest.raises(SubmissionError, match="has no zone"):
        EvaluationRequest(path=tmp_path, submitter="p", now=START.replace(tzinfo=None))


def test_an_interruption_between_log_and_table_is_repaired(world, rng, monkeypatch):
    world.evaluate(world.submit(world.scores(rng, 0.5)))
    path = world.submit(world.scores(rng, 2.0), version="2")

    def power_cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("odbench.submissions.evaluate.write_table", power_cut)
        with pytest.raises(KeyboardInterrupt):
            world.evaluate(path)
    assert table(world)[0]["version"] == "1"

    row = world.evaluate(path)

    assert row["version"] == table(world)[0]["version"] == "2"
    assert len(AuditLog(world.leaderboard / "audit.jsonl").entries) == 2


def test_two_evaluations_at_once_do_not_mix(world, rng):
    world.leaderboard.mkdir()
    with (world.leaderboard / ".evaluation.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        with pytest.raises(RunLockedError, match="another evaluation is running"):
            world.evaluate(world.submit(world.scores(rng, 1.0)))


def test_public_labels_decide_rows_only_in_the_public_partition(world, rng):
    sets = DatasetList(suite="synbench", partition="public", sets=world.sets.sets)
    world.sets = sets
    row = Evaluator(
        rescorer=Rescorer(sets=sets, labels=LabelFolder(world.labels, sets)),
        leaderboard=world.leaderboard,
    ).evaluate(
        EvaluationRequest(
            path=world.submit(world.scores(rng, 1.0)),
            submitter="person",
            now=START + timedelta(days=1),
        )
    )

    assert row["partition"] == "public"
    assert (world.leaderboard / "synbench" / "submissions.csv").is_file()
    assert not (world.leaderboard / "synbench" / "private.csv").exists()


def test_a_second_answer_has_its_fields_in_the_order_of_the_table(world, rng):
    archive = world.submit(world.scores(rng, 1.0))

    rows = [world.evaluate(archive) for _ in range(2)]

    assert [tuple(row) for row in rows] == [COLUMNS, COLUMNS]
