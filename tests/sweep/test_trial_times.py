"""Estimates from earlier trials, and files of them that are broken."""

import json
import math

import pytest

from odbench.sweep.trial_times import TrialTimes


def seconds(times, rows=1000, columns=10):
    return times.seconds("mine", "default", n_rows=rows, n_columns=columns)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "timings.json"


def test_points_are_interpolated_on_logarithmic_scales(file):
    times = TrialTimes(file)
    times.learn([("mine", "default", 1e4, 1.0), ("mine", "default", 1e6, 100.0)])
    times.save()
    for known in (times, TrialTimes(file)):
        assert known.knows("mine", "default")
        assert seconds(known, 1000, 10) == pytest.approx(1.0)
        assert seconds(known, 10_000, 10) == pytest.approx(10.0)
        assert seconds(known, 100_000, 100) == pytest.approx(1000.0)
        assert seconds(known, 1, 1) == 1.0


# The file's text, and whether a usable point is left in it.
BROKEN = {
    "zeros": ('{"mine:default": [[0, 0], [0, 0]]}', False),
    "one zero": ('{"mine:default": [[0, 0], [100, 2]]}', True),
    "NaN": ('{"mine:default": [[NaN, NaN], [1, NaN], [NaN, 1]]}', False),
    "infinite": ('{"mine:default": [[Infinity, 1], [1, Infinity]]}', False),
    "negative": ('{"mine:default": [[-5, 1], [5, -1], [-5, -1]]}', False),
    "huge": ('{"mine:default": [[1e300, 1e300], [1e308, 1]]}', False),
    "huge integers": ('{"mine:default": [[1, 1%s]]}' % ("0" * 400), False),
    "too many digits": ('{"mine:default": [[1%s, 1]]}' % ("0" * 9000), False),
    "tiny": ('{"mine:default": [[5e-324, 5e-324], [1e-323, 1e-323]]}', False),
    "neighbours": (
        '{"mine:default": [[9999.999999999998, 1], [10000.000000000002, 2]]}',
        True,
    ),
    "repeated": ('{"mine:default": [[10000, 1], [10000, 3]]}', True),
    "texts": ('{"mine:default": [["1", "1"], [null, 1], [true, true]]}', False),
    "triples": ('{"mine:default": [[1, 2, 3], [], [[1], 2]]}', False),
    "no list": ('{"mine:default": {"1": 2}}', False),
    "a number": ('{"mine:default": 5}', False),
    "a list": ("[[1, 2]]", False),
    "null": ("null", False),
    "nested": ("[" * 100_000, False),
    "empty": ("", False),
    "cut": ('{"mine:default": [[1, 2], [3', False),
    "not UTF-8": (b'{"mine:default\xff": [[1, 2]]}', False),
    "NUL": (b"\0" * 100, False),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_only_makes_the_estimate_worse(file, fault):
    text, usable = BROKEN[fault]
    file.write_bytes(text if isinstance(text, bytes) else text.encode())

    times = TrialTimes(file)

    assert times.knows("mine", "default") is usable
    for rows in (1, 10, 1000, 100_000, 10**9):
        for columns in (0, 1, 10, 100_000):
            estimate = seconds(times, rows, columns)
            assert estimate > 0
            assert math.isfinite(estimate)
    times.learn([("mine", "default", 1e4, 1.0)])
    times.save()
    assert json.loads(file.read_text())["mine:default"]


def test_impossible_trials_are_not_learnt(file):
    times = TrialTimes(file)
    times.learn(
        [
            ("mine", "default", 1e4, float("nan")),
            ("mine", "default", 1e4, float("inf")),
            ("mine", "default", float("inf"), 1.0),
            ("mine", "default", 0, 1.0),
            ("mine", "default", 1e4, -1.0),
        ]
    )
    assert not times.knows("mine", "default")


def test_a_folder_in_its_place_breaks_nothing(file):
    file.mkdir()
    times = TrialTimes(file)
    times.learn([("mine", "default", 1e4, 1.0)])
    times.save()
    assert seconds(times) == 1.0


def test_a_new_machine_expects_what_the_published_runs_took(file):
    new = TrialTimes(file)

    small, large = (
        new.seconds("knn", "default", n_rows=rows, n_columns=20)
        for rows in (1000, 50_000)
    )
    assert 1e-4 < small < 0.1 < large < 30
    assert new.knows("knn", "default")
    new.learn([("knn", "default", 2e4, 7.0)])
    assert new.seconds("knn", "default", n_rows=1000, n_columns=20) == 7.0
