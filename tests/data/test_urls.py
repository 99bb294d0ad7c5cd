"""Suites whose files are under a URL."""

import io

import numpy as np
import pytest

from odbench.data.catalog import ensure, load_dataset
from odbench.data.dataset import DatasetRecord
from odbench.data.store import StoredDataset
from odbench.errors import TransportError

pytestmark = pytest.mark.usefixtures("quick")
PATH = "adbench/datasets/Classical/99_made.npz"


@pytest.fixture
def made(hub, rng, monkeypatch):
    """A table at the suite's base URL, which is on the loopback."""
    sink = io.BytesIO()
    y = np.r_[np.zeros(90, dtype=int), np.ones(10, dtype=int)]
    np.savez_compressed(sink, X=rng.normal(size=(100, 4)), y=y)
    repository = hub.Repository()
    sha = repository.commit({PATH: sink.getvalue()})
    hub.repositories["Minqi824/ADBench"] = repository
    base = f"{hub.url}/cdn/Minqi824/ADBench/{sha}"
    monkeypatch.setenv("ODBENCH_ADBENCH_URL", base)
    return DatasetRecord(name="made", suite="adbench", path=PATH)


def outcome_of(record):
    ((_, outcome),) = ensure([record], progress=False)
    return outcome


def test_a_table_is_fetched_and_split(made):
    stored = outcome_of(made)
    assert isinstance(stored, StoredDataset), stored
    record = stored.record
    assert (record.n_train, record.n_test, record.n_anomalies) == (45, 55, 10)


def test_errors_that_pass_are_waited_for_and_a_cut_is_resumed(hub, made):
    hub.faults = {PATH: [503, ("wait", 0), "cut", "ok"]}
    assert isinstance(outcome_of(made), StoredDataset)
    assert sum("range" in headers for _, _, headers in hub.requests) == 1


def test_a_wrong_byte_is_fetched_again(hub, made):
    hub.faults = {PATH: ["flip"]}
    assert isinstance(outcome_of(made), StoredDataset)


@pytest.mark.parametrize("script", [[404], [503] * 9, ["cut"] * 9])
def test_what_does_not_pass_is_one_line(hub, made, script):
    hub.faults = {PATH: script * 9}
    outcome = outcome_of(made)
    assert isinstance(outcome, TransportError)
    assert "adbench/made" in str(outcome)
    assert "\n" not in str(outcome)


def test_nobody_there_is_one_line(made, monkeypatch):
    monkeypatch.setenv("ODBENCH_ADBENCH_URL", "http://127.0.0.1:9/x")
    step = "check the network and ODBENCH_ADBENCH_URL, or use --mirror"
    assert step in str(outcome_of(made))


def test_only_the_web_is_asked(made, monkeypatch, tmp_path):
    monkeypatch.setenv("ODBENCH_ADBENCH_URL", tmp_path.as_uri())
    assert "http" in str(outcome_of(made))


@pytest.mark.mirror
def test_the_classical_tables_are_not_resampled(mirror):
    """Hepatitis has 80 rows, and each is used once."""
    dataset = load_dataset("adbench/Hepatitis", mirror=mirror)
    place = mirror / "Minqi824" / "ADBench" / "Classical" / "15_Hepatitis.npz"
    with np.load(place) as archive:
        X = archive["X"]
    rows = np.concatenate([dataset.X_train, dataset.X_test])
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, X.tolist()))
