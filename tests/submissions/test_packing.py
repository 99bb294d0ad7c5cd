"""Packing a run and checking an archive."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odbench.errors import ResultsError, SubmissionError
from odbench.submissions.checking import check, open_submission
from odbench.submissions.dataset_list import DatasetList, read_dataset_list
from odbench.submissions.packing import pack
from odbench.submissions.score_bytes import decode_scores, encode_scores
from odbench.submissions.statement import _LENGTHS, parse_statement
from tests.submissions.submission_world import make_world

FACTS = {
    "method": "Mine",
    "authors": ("A. Person",),
    "kind": "classical",
    "configuration": "fixed",
    "training_data": "none",
}


@pytest.fixture
def world(tmp_path, rng):
    return make_world(tmp_path, rng)


@pytest.mark.parametrize("n_rows", [1, 7, 1000, 123_456])
def test_scores_are_written_as_numpy_writes_them(n_rows, rng):
    scores = rng.normal(size=n_rows).astype(np.float32)
    by_numpy = io.BytesIO()
    np.save(by_numpy, scores)

    assert encode_scores(scores) == by_numpy.getvalue()
    np.testing.assert_array_equal(
        decode_scores(by_numpy.getvalue(), n_rows, where="x"), scores
    )


def test_bytes_behind_the_scores_are_counted():
    content = encode_scores(np.zeros(3, dtype=np.float32)) + b"more"

    with pytest.raises(SubmissionError, match="16 bytes of scores; wanted 12"):
        decode_scores(content, 3, where="x")


def test_a_packed_run_can_be_evaluated_and_holds_its_scores(world, rng, tmp_path):
    scores = world.scores(rng, 1.0)
    run = world.run(scores)

    made = pack(run, tmp_path / "mine.zip", sets=world.sets, facts=FACTS)

    assert made.missing == ()
    assert check(tmp_path / "mine.zip", world.sets) == []
    with open_submission(tmp_path / "mine.zip", world.sets) as submission:
        for name, values in scores.items():
            np.testing.assert_array_equal(submission.scores(name, 0), values)
        said = submission.statement
    assert (said.version, said.parameters) == ("1.2", "mine[default]")
    assert said.hardware == "a chip, 2 cores, 24 GiB"
    assert (said.fit_seconds, said.score_seconds) == (1.0, 0.5)
    assert said.sets_sha256 == world.sets.sha256


def test_packing_twice_gives_the_same_bytes(world, rng, tmp_path):
    run = world.run(world.scores(rng, 1.0))

    pack(run, tmp_path / "a.zip", sets=world.sets, facts=FACTS)
    pack(run, tmp_path / "b.zip", sets=world.sets, facts=FACTS)

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_every_seed_is_packed_and_failed_trials_are_left_out(world, rng, tmp_path):
    scores = {
        (name, seed): values
        for seed in range(3)
        for name, values in world.scores(rng, 1.0).items()
    }
    scores["hidden_00", 1] = None
    for seed in range(3):
        scores["hidden_01", seed] = None

    made = pack(world.run(scores), tmp_path / "m.zip", sets=world.sets, facts=FACTS)

    assert made.missing == ("hidden_00", "hidden_01")
    with open_submission(tmp_path / "m.zip", world.sets) as submission:
        assert submission.statement.seeds == (0, 1, 2)
        assert submission.has("hidden_00", 0)
        assert not submission.has("hidden_00", 1)
        assert not submission.has("hidden_01", 2)


def test_a_run_without_scores_says_what_to_do(world, rng, tmp_path):
    run = world.run(world.scores(rng, 1.0))
    (file,) = (run / "scores/synbench/private/hidden_03").iterdir()
    file.unlink()

    with pytest.raises(SubmissionError, match="--keep-scores"):
        pack(run, tmp_path / "mine.zip", sets=world.sets, facts=FACTS)
    assert not (tmp_path / "mine.zip").exists()


def test_a_run_on_other_data_is_refused(world, rng, tmp_path):
    run = world.run(world.scores(rng, 1.0))

    with pytest.raises(SubmissionError, match=r"hidden_00.*run on the listed data"):
        pack(run, tmp_path / "mine.zip", sets=world.other_list(), facts=FACTS)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"protocol": "contaminated=0.1"}, "protocol contaminated=0.1"),
        ({"suite": "oddbench"}, "no trials of synbench"),
    ],
)
def test_a_run_of_another_kind_is_refused(world, rng, tmp_path, changes, match):
    run = world.run(world.scores(rng, 1.0), **changes)

    with pytest.raises(SubmissionError, match=match):
        pack(run, tmp_path / "mine.zip", sets=world.sets, facts=FACTS)


def test_an_unknown_configuration_lists_the_available_ones(world, rng, tmp_path):
    run = world.run(world.scores(rng, 1.0))

    with pytest.raises(SubmissionError, match=r"with --config: mine\[default\]"):
        pack(run, tmp_path / "m.zip", sets=world.sets, facts=FACTS, config="knn")
    for config in ("mine", "mine[default]", "0123456789ab"):
        pack(run, tmp_path / "m.zip", sets=world.sets, facts=FACTS, config=config)


def test_a_missing_run_is_a_results_error(world, tmp_path):
    with pytest.raises(ResultsError, match="no such file"):
        pack(tmp_path / "nothing", tmp_path / "m.zip", sets=world.sets, facts=FACTS)


def test_missing_data_sets_are_allowed(world, rng):
    scores = world.scores(rng, 1.0)
    del scores["hidden_05"]

    assert check(world.submit(scores), world.sets) == []


def test_numpy_and_zipfile_are_enough_to_make_a_submission(world, rng, tmp_path):
    scores = world.scores(rng, 1.0)
    packed = world.submit(scores)
    with zipfile.ZipFile(packed) as archive:
        said = archive.read("submission.json")
    by_hand = tmp_path / "by_hand.zip"
    with zipfile.ZipFile(by_hand, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("submission.json", said)
        for name, values in scores.items():
            with archive.open(f"scores/{name}/0.npy", "w") as member:
                np.save(member, values)

    assert check(by_hand, world.sets) == []


WRONG = {
    "no method": ({"method": " "}, "method"),
    "a formula": ({"method": "=1+1"}, "does not start with one of"),
    "two lines": ({"method": "a\nb"}, "a line of at most 80"),
    "a right-to-left mark": ({"method": "a\u202eb"}, "a line of at most 80"),
    "a space without width": ({"version": "a\u200bb"}, "visible characters"),
    "a soft hyphen": ({"hardware": "a\u00adb"}, "visible characters"),
    "an Arabic mark": ({"method": "a\u061cb"}, "visible characters"),
    "a left-to-right mark": ({"method": "a\u200eb"}, "visible characters"),
    "a hidden formula": ({"method": "\u200b=1+1"}, "visible characters"),
    "a full-width formula": ({"method": "\uff1d1+1"}, "does not start with one of"),
    "an indented formula": ({"method": "\u3000=1+1"}, "does not start with one of"),
    "half a character": ({"method": "a\ud800"}, "a line of at most 80"),
    "a long name": ({"method": "a" * 81}, "at most 80"),
    "no author": ({"authors": []}, "author"),
    "authors that are not a list": ({"authors": "A. Person"}, "authors must be a list"),
    "a script for a link": ({"code_url": "javascript:x"}, "code_url"),
    "an unknown kind": ({"kind": "magic"}, "wanted one of classical"),
    "an unknown configuration": ({"configuration": "best"}, "wanted one of reference"),
    "no seed": ({"seeds": []}, "seeds"),
    "a seed twice": ({"seeds": [0, 0]}, "seeds"),
    "eleven seeds": ({"seeds": list(range(11))}, "seeds"),
    "a true seed": ({"seeds": [True]}, "seeds"),
    "negative seconds": ({"fit_seconds": -1}, "fit_seconds"),
    "seconds as text": ({"fit_seconds": "1"}, "fit_seconds"),
    "sets of another shape": ({"sets": {"hidden_00": 1}}, "sets must map"),
    "an unknown field": ({"extra": 1}, "unknown field"),
    "another format": ({"format": "x"}, "wanted the format"),
}


@pytest.mark.parametrize(("changes", "match"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_statement_is_one_fault_that_names_the_field(
    world, rng, changes, match
):
    path = world.submit(world.scores(rng, 1.0), **changes)

    (fault,) = check(path, world.sets)

    assert match in fault
    assert "\n" not in fault


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e300, 1e300) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(field=st.sampled_from([*_LENGTHS, "authors", "seeds", "sets"]), value=JSON)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_statement_breaks_the_check(world, field, value):
    scores = {name: np.zeros(60, np.float32) for name in list(world.truth)[:1]}

    for fault in check(world.submit(scores, **{field: value}), world.sets):
        assert "\n" not in fault
        fault.encode()


def test_a_missing_field_is_named(world, rng):
    said = world.statement({})
    del said["training_data"]

    with pytest.raises(SubmissionError, match="missing field 'training_data'"):
        parse_statement(said)


def test_a_data_set_list_is_read_as_it_was_written(world, tmp_path):
    world.sets.write(tmp_path / "sets.json")

    again = read_dataset_list(tmp_path / "sets.json")

    assert again == world.sets
    assert again.sha256 == world.sets.sha256
    assert world.other_list().sha256 != world.sets.sha256


def test_the_order_of_a_data_set_list_does_not_matter(world):
    turned = DatasetList(
        suite="synbench", partition="private", sets=tuple(reversed(world.sets.sets))
    )

    assert turned.sha256 == world.sets.sha256


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "../x"},
        {"dataset": ""},
        {"n_test": 0},
        {"n_test": 10**12},
        {"n_scored": 61},
        {"n_train": "60"},
        {"content_sha256": "xyz"},
    ],
)
def test_an_impossible_data_set_is_refused(world, changes):
    with pytest.raises(SubmissionError, match="set list"):
        replace(world.sets.sets[0], **changes)


def test_data_sets_that_differ_only_in_case_are_refused(world):
    one = world.sets.sets[0]

    with pytest.raises(SubmissionError, match="twice"):
        DatasetList(
            suite="synbench",
            partition="private",
            sets=(one, replace(one, dataset=one.dataset.upper())),
        )


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": "odbench-sets-1"}', "\x00", '{"a":1,"a":2}', "NaN"],
)
def test_a_broken_data_set_list_is_refused(tmp_path, content):
    file = tmp_path / "sets.json"
    file.write_text(content)

    with pytest.raises(SubmissionError, match="set list"):
        read_dataset_list(file)


def test_deeply_nested_json_is_refused(tmp_path):
    file = tmp_path / "sets.json"
    file.write_text("[" * 100_000)

    with pytest.raises(SubmissionError, match="not readable as JSON"):
        read_dataset_list(file)


def test_the_statement_is_written_as_it_is_read(world, rng):
    path = world.submit(world.scores(rng, 1.0))
    with zipfile.ZipFile(path) as archive:
        content = archive.read("submission.json")

    assert parse_statement(json.loads(content)).as_json() == json.loads(content) | {
        "authors": ("A. Person",),
        "seeds": (0,),
    }


def test_a_check_refuses_too_few_data_sets_as_an_evaluation_does(world, rng, tmp_path):
    scores = dict(list(world.scores(rng, 1.0).items())[:3])
    packed = tmp_path / "few.zip"
    pack(world.run(scores), packed, sets=world.sets, facts=FACTS)

    (fault,) = check(packed, world.sets)

    assert "3 data sets under every seed; wanted at least 20" in fault
