"""Generated sets: made in processes, or here if they are few; interrupted pulls."""

import os
import signal
import subprocess
import sys
import time

import pytest

from odbench import provenance
from odbench.data.catalog import ensure, select
from odbench.data.store import Store, StoredDataset
from odbench.data.transports import makers
from odbench.data.transports.makers import Makers
from odbench.errors import DataError


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(provenance, "cores", lambda: 2)


@pytest.fixture
def eager(monkeypatch, two_cores):
    """Two cores, and processes even for little work."""
    monkeypatch.setattr(makers, "_WORTHWHILE", 0)


def die() -> int:
    """End the process, unless it is the one that runs the tests."""
    if os.environ.get("PYTEST_CURRENT_TEST") and os.getpid() == int(os.environ["ME"]):
        return 7
    os._exit(1)


def fail() -> None:
    msg = "broken"
    raise DataError(msg)


def test_processes_and_this_one_make_the_same_sets(eager, tmp_path):
    records = select("synbench", pattern="*-00[05]")
    there = Store(tmp_path / "there")
    here = Store(tmp_path / "here")

    made = dict(ensure(records, progress=False, store=there))
    assert list(made.values())
    for record in records:
        made[record].check()
        ((_, alone),) = ensure([record], progress=False, store=here)
        assert (
            alone.features_path.read_bytes() == made[record].features_path.read_bytes()
        )
        assert alone.labels_path.read_bytes() == made[record].labels_path.read_bytes()
        assert alone.record == made[record].record


def test_work_is_done_elsewhere_by_two(eager):
    together = Makers(select("synbench", limit=2), jobs=4)
    try:
        assert together.do(os.getpid) != os.getpid()
    finally:
        together.close()


@pytest.mark.parametrize(
    ("names", "jobs", "cores", "least"),
    [
        ("gmm-subspace-000", 4, 2, 0),
        ("gmm-subspace-00?", 1, 2, 0),
        ("gmm-subspace-00?", 4, 1, 0),
        ("gmm-subspace-04[05]", 4, 2, None),
    ],
)
def test_what_is_not_worth_a_process_is_done_here(
    monkeypatch, names, jobs, cores, least
):
    monkeypatch.setattr(provenance, "cores", lambda: cores)
    if least is not None:
        monkeypatch.setattr(makers, "_WORTHWHILE", least)
    alone = Makers(select("synbench", pattern=names), jobs)
    assert alone.do(os.getpid) == os.getpid()
    alone.close()


def test_what_a_process_raises_is_raised_here_and_a_death_is_made_good(
    eager, monkeypatch
):
    monkeypatch.setenv("ME", str(os.getpid()))
    together = Makers(select("synbench", limit=2), jobs=2)
    try:
        with pytest.raises(DataError, match="broken"):
            together.do(fail)
        assert together.do(die) == 7
    finally:
        together.close()


def test_a_store_that_cannot_be_written_is_one_failure_per_set(eager, tmp_path):
    (tmp_path / "features").write_text("in the way")
    records = select("synbench", pattern="gmm-subspace-00[05]")
    outcomes = list(ensure(records, progress=False, store=Store(tmp_path)))
    assert len(outcomes) == 2
    for record, outcome in outcomes:
        assert isinstance(outcome, DataError)
        assert record.name in str(outcome)


@pytest.mark.slow
def test_an_interrupted_pull_of_the_generated_keeps_what_is_whole(own_cache):
    process = subprocess.Popen(
        [sys.executable, "-m", "odbench", "datasets", "pull", "--suite", "synbench"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    features = own_cache / "features" / "synbench" / "public"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if features.is_dir() and len(list(features.glob("*.arrow"))) > 4:
            break
        time.sleep(0.01)
    # A terminal sends the signal to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    kept = [Store.default().find(record) for record in select("synbench")]
    whole = [stored for stored in kept if isinstance(stored, StoredDataset)]
    assert 4 < len(whole) < 400
    for stored in whole:
        stored.check()
    assert not [p for p in own_cache.rglob("*") if p.name.endswith(".tmp")]
