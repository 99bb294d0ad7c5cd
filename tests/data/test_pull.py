"""Pulls: several at a time, two at once, interrupted."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from odbench.data import pull
from odbench.data.catalog import ensure, load_dataset, select
from odbench.data.dataset import DatasetRecord
from odbench.data.store import Store, StoredDataset
from odbench.errors import (
    ArchiveError,
    DataError,
    ManifestError,
    TransportError,
    UnknownDatasetError,
    UsageError,
)


@pytest.fixture
def folder(tmp_path, archive):
    """A mirror with three sets without manifest rows, and a broken one."""
    place = tmp_path / "mirror" / "MacrOData-CMU" / "OddBench" / "public"
    place.mkdir(parents=True)
    for i in range(3):
        (place / f"made{i}.npz").write_bytes(archive(n_train=50 + i))
    (place / "made_broken.npz").write_bytes(b"PK nothing")
    return tmp_path / "mirror"


def test_a_failure_is_yielded_and_the_others_go_on(folder):
    records = select("oddbench", mirror=folder)
    outcomes = {r.name: o for r, o in ensure(records, mirror=folder, progress=False)}
    assert isinstance(outcomes.pop("made_broken"), ArchiveError)
    sizes = {name: stored.record.n_train for name, stored in outcomes.items()}
    assert sizes == {"made0": 50, "made1": 51, "made2": 52}


def test_a_name_that_no_file_may_have_is_one_failure(folder, archive):
    place = next(folder.rglob("made0.npz")).parent
    (place / "bell\a.npz").write_bytes(archive())
    records = select("oddbench", mirror=folder)
    outcomes = {r.name: o for r, o in ensure(records, mirror=folder, progress=False)}
    assert isinstance(outcomes["bell\a"], ManifestError)
    assert isinstance(outcomes["made0"], StoredDataset)


def test_a_link_that_leads_nowhere_is_one_failure(folder):
    place = next(folder.rglob("made0.npz")).parent
    (place / "gone.npz").symlink_to(place / "nowhere")
    (place / "folder.npz").mkdir()
    records = select("oddbench", mirror=folder)
    outcomes = {r.name: o for r, o in ensure(records, mirror=folder, progress=False)}
    for name in ("gone", "folder"):
        assert isinstance(outcomes[name], TransportError)
        assert f"public/{name}.npz" in str(outcomes[name])
    assert isinstance(outcomes["made0"], StoredDataset)


def test_what_nobody_thought_of_is_one_failure(folder, monkeypatch):
    real = pull.measure

    def surprised(record, obtained):
        if record.name == "made1":
            return 1 // 0
        return real(record, obtained)

    monkeypatch.setattr(pull, "measure", surprised)
    records = select("oddbench", mirror=folder)
    outcomes = {r.name: o for r, o in ensure(records, mirror=folder, progress=False)}
    error = outcomes["made1"]
    assert isinstance(error, DataError)
    assert "oddbench/made1: 'public/made1.npz'" in str(error)
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert isinstance(outcomes["made2"], StoredDataset)


def test_again_nothing_is_read(folder, tmp_path):
    records = select("oddbench", mirror=folder, pattern="made?")
    first = dict(ensure(records, mirror=folder, progress=False))
    elsewhere = tmp_path / "nothing"
    again = dict(ensure(records, mirror=elsewhere, progress=False))
    assert {r: o.record for r, o in again.items()} == {
        r: o.record for r, o in first.items()
    }


def test_a_mirror_that_is_not_there_is_a_failure_of_each(tmp_path):
    record = DatasetRecord(name="x", suite="oddbench", path="public/x.npz")
    ((_, outcome),) = ensure([record], mirror=tmp_path / "no", progress=False)
    assert isinstance(outcome, TransportError)
    assert "no such folder" in str(outcome)


def test_two_processes_that_pull_the_same_sets_both_succeed(folder):
    command = [
        *(sys.executable, "-m", "odbench", "datasets", "pull", "--suite", "oddbench"),
        *("--mirror", str(folder), "--datasets", "made?"),
    ]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in running:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert "3 of 3 data sets" in out
    records = select("oddbench", mirror=folder, pattern="made?")
    for _, stored in ensure(records, mirror=folder, progress=False):
        stored.check()
    assert not list(Store.default().root.rglob("*.tmp"))


def test_threads_that_want_the_same_set_share_one(folder):
    (record,) = select("oddbench", mirror=folder, pattern="made0")
    outcomes = [o for _, o in ensure([record] * 8, mirror=folder, progress=False)]
    assert len(outcomes) == 8
    assert all(isinstance(o, StoredDataset) for o in outcomes)


@pytest.mark.mirror
def test_an_interrupted_pull_keeps_what_is_whole(mirror, own_cache):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "odbench", "datasets", "pull"),
            *("--suite", "oddbench", "--mirror", str(mirror), "--jobs", "1"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    features = own_cache / "features" / "oddbench" / "public"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if features.is_dir() and len(list(features.glob("*.arrow"))) > 5:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    kept = [r for r in select("oddbench", mirror=mirror) if Store.default().find(r)]
    assert 5 < len(kept) < 260
    for record in kept:
        Store.default().find(record).check()
    assert not [p for p in own_cache.rglob("*") if p.name.endswith(".tmp")]


def test_a_caller_that_stops_early_stops_the_transfers(folder):
    records = select("oddbench", mirror=folder, pattern="made?")
    pulled = ensure(records, mirror=folder, progress=False, jobs=1)
    _, first = next(pulled)
    pulled.close()

    first.check()
    assert not [t for t in threading.enumerate() if t.name.startswith("pull")]


def test_a_slow_pull_says_its_last_line_once(folder, monkeypatch, capsys):
    monkeypatch.setattr("odbench.data.bar._PLAIN_SECONDS", -1.0)
    records = select("oddbench", mirror=folder, pattern="made?")

    assert len(list(ensure(records, mirror=folder, jobs=1))) == 3

    lines = capsys.readouterr().err.splitlines()
    counts = [line.split()[1] for line in lines if line.startswith("pull: ")]
    assert counts == ["1/3", "2/3", "3/3"]


def test_load_dataset_gives_everything_at_once(folder):
    dataset = load_dataset("oddbench/made1", mirror=folder)
    assert dataset.X_train.shape == (51, 3)
    assert dataset.y_test.sum() == 5
    assert dataset.columns == ("f0", "f1", "f2")
    assert dataset.record.source_url.startswith("https://github.com/")
    np.testing.assert_array_equal(
        dataset.X_train, load_dataset("oddbench/made1", mirror=folder).X_train
    )


def test_an_unknown_name_gets_a_suggestion(folder):
    with pytest.raises(UnknownDatasetError, match=r"made1"):
        load_dataset("oddbench/mad1", mirror=folder)
    with pytest.raises(UnknownDatasetError, match=r"did you mean oddbench/ALLPatient"):
        load_dataset("oddbench/ALLPatientDat", mirror=folder)
    with pytest.raises(UnknownDatasetError, match="SUITE/NAME"):
        load_dataset("made1", mirror=folder)
    with pytest.raises(UnknownDatasetError, match='partition="private"'):
        load_dataset("oddbench/AllegationAnalysis", mirror=folder)
    with pytest.raises(UsageError, match="oddbench"):
        load_dataset("odbench/made1", mirror=folder)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["made0", "made1", "made2", "made_broken"]),
        ({"pattern": "MADE?"}, ["made0", "made1", "made2"]),
        ({"pattern": "*0, *2"}, ["made0", "made2"]),
        ({"pattern": "made?", "limit": 2}, ["made0", "made1"]),
    ],
)
def test_selections(folder, options, names):
    assert [r.name for r in select("oddbench", mirror=folder, **options)] == names


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"pattern": "nothing*"}, UnknownDatasetError),
        ({"partition": "secret"}, UsageError),
        ({"limit": 0}, UsageError),
        ({"partition": "private"}, UnknownDatasetError),
    ],
)
def test_selections_that_make_no_sense(folder, options, error):
    with pytest.raises(error):
        select("oddbench", mirror=folder, **options)


def test_the_environment_names_the_mirror(folder, monkeypatch):
    monkeypatch.setenv("ODBENCH_MIRROR", str(folder))
    assert load_dataset("oddbench/made2").X_train.shape == (52, 3)
    assert os.environ["ODBENCH_MIRROR"] == str(folder)
