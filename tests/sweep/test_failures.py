"""Failed trials, one line per configuration."""

from odbench.sweep.failures import read_failures
from odbench.sweep.fold import fold
from odbench.sweep.journal import FOLDER
from tests.reference.sweep import row, write


def test_one_line_per_configuration_with_its_most_common_reason(tmp_path):
    (tmp_path / FOLDER).mkdir()
    ends = [("failed", "one"), ("failed", "two"), ("failed", "two"), ("timeout", "3")]
    write(
        tmp_path,
        row("a", detector="good"),
        *(row("a", seed=s, status=e, reason=r) for s, (e, r) in enumerate(ends)),
        row("a", config="k=3", config_id="1", status="failed", reason="b"),
        row("b", config="k=3", config_id="1", status="failed", reason="a"),
        row("c", config="k=3", config_id="1"),
        row("a", detector="quiet", status="killed", reason=None),
    )
    fold(tmp_path)

    found = read_failures(tmp_path)

    assert found.trials == 9
    assert found.lines() == [
        "knn: 3 failed, 1 timeout, mostly: two",
        "knn:k=3: 2 failed, mostly: a",
        "quiet: 1 killed",
    ]


def test_a_reason_cannot_move_the_cursor(tmp_path):
    (tmp_path / FOLDER).mkdir()
    write(tmp_path, row("a", status="failed", reason="x\x1b[2J\ny"))
    fold(tmp_path)

    assert read_failures(tmp_path).lines() == ["knn: 1 failed, mostly: x\\x1b[2J\\ny"]


def test_failures_of_an_earlier_version_are_not_told(tmp_path):
    (tmp_path / FOLDER).mkdir()
    broken = {"status": "failed", "reason": "a typo"}
    write(tmp_path, row("a", **broken), row("b", **broken), generation=1)
    fold(tmp_path)
    write(tmp_path, row("a", detector_version="2"), generation=2)
    fold(tmp_path)

    found = read_failures(tmp_path)

    assert found.trials == 2
    assert found.lines() == []


def test_only_failures_of_what_was_asked_are_told(tmp_path):
    (tmp_path / FOLDER).mkdir()
    write(
        tmp_path,
        *(row(name, status="failed", reason=f"on {name}") for name in "abb"),
        row("c", protocol="transductive", status="failed", reason="setting"),
    )
    fold(tmp_path)
    first = row("a")
    asked = {(first["suite"], first["partition"], "a")}

    found = read_failures(tmp_path, datasets=asked, protocol=first["protocol"])
    others = read_failures(tmp_path, datasets=[], protocol=first["protocol"])

    assert found.lines() == ["knn: 1 failed, mostly: on a"]
    assert others.lines() == []
