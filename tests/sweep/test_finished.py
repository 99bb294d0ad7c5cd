"""Finding finished trials in results and journals, with little memory."""

import hashlib
import random

import numpy as np
import pytest

from odbench.results import scores_file
from odbench.sweep import finished as finding
from odbench.sweep.finished import dependencies, finished, journaled
from odbench.sweep.fold import fold
from odbench.sweep.journal import FOLDER
from odbench.sweep.keys import Keys, key_array
from tests.reference.sweep import row, write


def key(number):
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / FOLDER).mkdir()
    write(tmp_path, row("a", key=key(1)), row("b", key=key(2), status="failed"))
    fold(tmp_path)
    write(tmp_path, row("c", key=key(3), status="timeout"), row("d", key=key(4)))
    return tmp_path


def known(keys):
    return [number for number in range(9) if key(number) in keys]


def test_finished_knows_results_and_journals(folder):
    assert known(finished(folder)) == [1, 2, 3, 4]


def test_failed_trials_can_be_left_out(folder):
    assert known(finished(folder, only_ok=True)) == [1, 4]


def test_a_trial_without_its_scores_is_not_done_where_they_are_wanted(folder):
    write(folder, row("e", key=key(5)), row("f", key=key(6), detector="oracle"))
    kept = scores_file(folder, row("d", key=key(4)))
    kept.parent.mkdir(parents=True)
    kept.touch()
    (kept.parent / f".{key(5)}.npy.1.tmp").touch()
    (kept.parent / "test-rows-one-class-c-0.npy").touch()

    assert known(finished(folder, with_scores=True)) == [2, 3, 4, 6]
    assert known(finished(folder, with_scores=True, only_ok=True)) == [4, 6]


def test_journals_alone(folder):
    assert known(journaled(folder)) == [3, 4]


def test_journals_of_one_generation(folder):
    write(folder, row("c", key=key(3)), row("e", key=key(5)), generation=2)

    assert known(journaled(folder, generation=2)) == [3, 5]
    assert known(journaled(folder)) == [3, 4, 5]


def test_a_missing_folder_has_no_finished_trials(tmp_path):
    assert len(finished(tmp_path / "none")) == 0


def test_dependencies_come_newest_last(folder, monkeypatch):
    monkeypatch.setattr(finding, "_LINES", 1)

    found = list(dependencies(folder))

    assert [one[2] for one in found] == ["a", "b", "c", "d"]
    assert found[0][3:] == ("knn", "0" * 12, 0, "c", "1", "ok", key(1))


def test_keys_are_a_set():
    """Compare with a Python set; keys are added in random chunks, with repeats."""
    rng, keys, slow = random.Random(20260101), Keys(), set()
    for _ in range(200):
        piece = [rng.choice("abc") * rng.randrange(2) + key(rng.randrange(900))
                 for _ in range(rng.randrange(40))]  # fmt: skip
        expected = []
        for one in piece:
            expected.append(one not in slow)
            slow.add(one)

        assert keys.add(piece).tolist() == expected
    assert len(keys) == len(slow)
    assert all((key(number) in keys) == (key(number) in slow) for number in range(999))


def test_keys_that_end_or_differ_in_zero_bytes_are_told_apart():
    keys = Keys()
    alike = [f"{number:032x}" for number in (0, 1 << 120, 1, 1 << 64)]

    assert keys.add(alike[:3]).all()

    asked = key_array(bytes.fromhex(one) for one in alike)
    assert keys.contains(asked).tolist() == [True, True, True, False]


def test_a_key_takes_sixteen_bytes():
    keys = Keys()
    for start in range(0, 20_000, 500):
        keys.add(map(key, range(start, start + 500)))

    assert isinstance(keys._sorted, np.ndarray)
    assert keys._sorted.nbytes == 20_000 * 16
