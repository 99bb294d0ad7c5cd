"""Estimates from earlier trials, and files of them that are broken."""

import json
import math

import pyarrow as pa
import pytest

from odbench.sweep.trial_times import TrialTimes


def seconds(times, rows=1000, columns=10):
    return times.seconds("mine", "default", n_rows=rows, n_columns=columns)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "timings.json"


def point(n_rows, n_columns, taken, protocol="one-class"):
    return "mine", "default", protocol, n_rows, n_columns, taken


@pytest.mark.parametrize("powers", [(1.0, 0.0), (1.0, 1.0), (2.0, 0.5), (0.0, 0.0)])
def test_growth_with_rows_and_with_columns_is_learnt_apart(file, powers):
    def truth(n_rows, n_columns):
        return (n_rows / 1e3) ** powers[0] * (n_columns / 10) ** powers[1]

    times = TrialTimes(file)
    sizes = [(rows, columns) for rows in (1e3, 1e4, 5e4) for columns in (3, 30, 300)]
    times.learn(point(*size, truth(*size)) for size in sizes)
    times.save()
    for known in (times, TrialTimes(file)):
        assert known.knows("mine", "default")
        for size in [*sizes, (3000, 100), (300, 10), (100_000, 30)]:
            assert seconds(known, *size) == pytest.approx(truth(*size), rel=0.25)
        # Larger tables are drawn down to 100,000 rows.
        assert seconds(known, 10**7, 30) == seconds(known, 100_000, 30)


def test_many_trials_are_estimated_as_one_by_one(file):
    times = TrialTimes(file)
    times.learn([point(1000, 10, 0.5), point(50_000, 20, 9.0)])
    sizes = [(10, 2), (1000, 10), (10, 2), (70_000, 300), (0, 0)]
    names = [("mine", "default"), ("yours", "default"), ("knn", "default")]

    found = times.expected(names, sizes)

    for row, (n_rows, n_columns) in zip(found, sizes, strict=True):
        size = {"n_rows": n_rows, "n_columns": n_columns}
        alone = [times.seconds(*name, **size) for name in names]
        assert row == pytest.approx(alone)


def test_each_setting_has_its_own_times(file):
    times = TrialTimes(file)
    times.learn([point(1000, 10, 1.0)])
    size = {"n_rows": 1000, "n_columns": 10}

    def of(protocol):
        return times.seconds("mine", "default", **size, protocol=protocol)

    # Until a setting has its own, the one-class times are the best guess.
    assert of("unsupervised") == of("one-class")
    times.learn([point(1000, 10, 5.0, "unsupervised")])
    times.learn([point(1000, 10, 1.0, "contaminated=0.1")])
    assert of("unsupervised") == pytest.approx(5.0)
    assert of("contaminated=0.05") == of("one-class") == pytest.approx(1.0)


# The file's text, and whether a usable point is left in it.
BROKEN = {
    "zeros": ('{"mine:default": [[0, 0, 0], [0, 0, 0]]}', False),
    "one zero": ('{"mine:default": [[0, 0, 0], [100, 5, 2]]}', True),
    "NaN": ('{"mine:default": [[NaN, 1, NaN], [1, 1, NaN], [NaN, 1, 1]]}', False),
    "infinite": ('{"mine:default": [[Infinity, 1, 1], [1, 1, Infinity]]}', False),
    "negative": ('{"mine:default": [[-5, 1, 1], [5, 1, -1], [5, -1, 1]]}', False),
    "huge": ('{"mine:default": [[1e300, 1, 1e300], [1, 1e308, 1]]}', False),
    "huge integers": ('{"mine:default": [[1, 1, 1%s]]}' % ("0" * 400), False),
    "too many digits": ('{"mine:default": [[1%s, 1, 1]]}' % ("0" * 9000), False),
    "tiny": ('{"mine:default": [[1, 5e-324, 5e-324], [1e-323, 1, 1]]}', False),
    "neighbours": (
        '{"mine:default": [[99.99999999999998, 3, 1], [100.00000000000002, 3, 2]]}',
        True,
    ),
    "repeated": ('{"mine:default": [[1000, 10, 1], [1000, 10, 3]]}', True),
    "extreme": ('{"mine:default": [[1, 1, 1e-9], [1e12, 1e12, 1e9]]}', True),
    "texts": ('{"mine:default": [["1", 1, "1"], [null, 1, 1], [true, 1, 1]]}', False),
    "pairs": ('{"mine:default": [[1, 2], [], [[1], 2, 3], [1, 2, 3, 4]]}', False),
    "no list": ('{"mine:default": {"1": 2}}', False),
    "a number": ('{"mine:default": 5}', False),
    "a list": ("[[1, 2, 3]]", False),
    "null": ("null", False),
    "nested": ("[" * 100_000, False),
    "empty": ("", False),
    "cut": ('{"mine:default": [[1, 2, 3], [3', False),
    "not UTF-8": (b'{"mine:default\xff": [[1, 2, 3]]}', False),
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
    times.learn([point(1000, 10, 1.0)])
    times.save()
    assert json.loads(file.read_text())["mine:default"]


def test_impossible_trials_are_not_learnt(file):
    times = TrialTimes(file)
    times.learn(
        [
            point(1000, 10, float("nan")),
            point(1000, 10, float("inf")),
            point(float("inf"), 10, 1.0),
            point(0, 10, 1.0),
            point(1000, 0, 1.0),
            point(1000, 10, -1.0),
        ]
    )
    assert not times.knows("mine", "default")


def test_rows_without_a_size_are_not_learnt(file):
    whole = {
        "detector": "mine", "config": "default", "protocol": "one-class",
        "n_train": 500, "n_test": 500, "n_columns": 10,
        "fit_seconds": 1.0, "score_seconds": 1.0,
    }  # fmt: skip
    sizes = ("n_train", "n_test", "n_columns")
    rows = [whole, *({**whole, size: None, "fit_seconds": 1e6} for size in sizes)]
    times = TrialTimes(file)

    times.learn_rows(pa.Table.from_pylist(rows))

    assert seconds(times) == pytest.approx(2.0)


def test_a_folder_in_its_place_breaks_nothing(file):
    file.mkdir()
    times = TrialTimes(file)
    times.learn([point(1000, 10, 1.0)])
    times.save()
    assert seconds(times) == pytest.approx(1.0)


def test_a_new_machine_expects_what_the_published_runs_took(file):
    new = TrialTimes(file)

    small, large = (
        new.seconds("knn", "default", n_rows=rows, n_columns=20)
        for rows in (1000, 50_000)
    )
    assert 1e-4 < small < 0.1 < large < 30
    assert new.knows("knn", "default")
    new.learn([("knn", "default", "one-class", 1000, 20, 7.0)])
    again = new.seconds("knn", "default", n_rows=1000, n_columns=20)
    assert again == pytest.approx(7.0)
