"""Stored files are what was stored: damage is noticed, reported and mended."""

import json
import logging
import os
import subprocess
import sys

import numpy as np
import pytest

from odbench.data import intact
from odbench.data.catalog import ensure, load_dataset, select
from odbench.data.dataset import DatasetRecord
from odbench.data.store import Store
from odbench.errors import UnknownDatasetError
from odbench.results import read_results

ID = "oddbench/Mine"


@pytest.fixture
def folder(tmp_path, archive):
    """A mirror with one table that no manifest describes."""
    place = tmp_path / "mirror" / "MacrOData-CMU" / "OddBench" / "public"
    place.mkdir(parents=True)
    (place / "Mine.npz").write_bytes(archive(n_train=300))
    return tmp_path / "mirror"


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    """Forget what was compared before, as a new process does."""
    monkeypatch.setattr(intact, "_intact", {})


def pull(folder):
    ((_, stored),) = ensure(
        select("oddbench", mirror=folder), mirror=folder, progress=False
    )
    return stored


def flip(path, at, *, bit=0, keep_times=True):
    """Flip one bit in place, as a failing disk does: the times stay."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)
    if keep_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def body_of(path, values):
    return path.read_bytes().index(np.ascontiguousarray(values).tobytes())


def damage(stored, kind):
    if kind == "features":
        at = body_of(stored.features_path, stored.features()[0][:, 1])
        flip(stored.features_path, at + 3)
    else:
        flip(stored.labels_path, body_of(stored.labels_path, stored.labels()) + 29)


@pytest.mark.parametrize("kind", ["features", "labels"])
def test_one_flipped_bit_is_reported_and_fetched_again(folder, caplog, kind):
    stored = pull(folder)
    good = stored.dataset()
    train, labels = np.array(good.X_train), good.y_test
    damage(stored, kind)
    intact._intact.clear()

    with caplog.at_level(logging.WARNING, "odbench"):
        again = load_dataset(ID, mirror=folder)

    np.testing.assert_array_equal(again.X_train, train)
    np.testing.assert_array_equal(again.y_test, labels)
    assert again.record == good.record
    (line,) = caplog.messages
    assert f"data set {ID}: the stored file" in line
    assert f"/{kind}/oddbench/public/Mine.arrow" in line
    assert "fetched again" in line
    caplog.clear()
    load_dataset(ID, mirror=folder)
    assert not caplog.messages


def test_a_bit_flipped_in_this_process_is_noticed_by_the_stamp(folder, caplog):
    stored = pull(folder)
    pull(folder)
    damage(stored, "labels")
    labels = pull(folder).labels()
    assert labels.sum() == 5
    assert len(caplog.messages) == 1


def test_a_file_is_hashed_once_per_process(folder, monkeypatch):
    hashed = []
    real = intact.file_sha256
    monkeypatch.setattr(
        intact, "file_sha256", lambda path: hashed.append(path.parts[-4]) or real(path)
    )
    pull(folder)
    for _ in range(3):
        pull(folder)
    assert hashed == ["features", "labels"]


@pytest.mark.slow
def test_any_byte_of_either_file_may_be_damaged(folder, rng):
    stored = pull(folder)
    train, labels = np.array(stored.features()[0]), stored.labels()
    for path in (stored.features_path, stored.labels_path):
        size = path.stat().st_size
        # The ends hold Arrow's framing and the facts as JSON.
        ends = [*range(0, 2400, 97), *range(size - 2400, size, 61)]
        for at in [at for at in ends if 0 <= at < size]:
            flip(path, at, bit=int(rng.integers(8)))
            intact._intact.clear()
            again = load_dataset(ID, mirror=folder)
            np.testing.assert_array_equal(again.X_train, train)
            np.testing.assert_array_equal(again.y_test, labels)
            assert again.record == stored.record


def test_damage_that_cannot_be_mended_is_an_error_once(folder, caplog):
    damage(pull(folder), "labels")
    intact._intact.clear()
    next(folder.rglob("*.npz")).unlink()
    with pytest.raises(UnknownDatasetError, match="oddbench/Mine"):
        load_dataset(ID, mirror=folder)
    assert not Store.default().names("oddbench", "public")
    assert len(caplog.messages) == 1


def test_a_copy_that_lost_its_labels_is_fetched_again(folder, caplog):
    pull(folder).labels_path.unlink()
    assert pull(folder).labels().sum() == 5
    assert "cannot be used; it is fetched again" in caplog.text


def notes_of(stored):
    return stored.features_path.with_suffix(".json")


def test_files_stored_without_hashes_are_compared_with_the_content_hash(folder, caplog):
    stored = pull(folder)
    noted = json.loads(notes_of(stored).read_bytes())["files"]
    notes_of(stored).unlink()
    intact._intact.clear()

    pull(folder)

    assert json.loads(notes_of(stored).read_bytes())["files"] == noted
    assert not caplog.messages
    for kind in ("features", "labels"):
        notes_of(stored).unlink()
        damage(stored, kind)
        intact._intact.clear()
        assert pull(folder).record == stored.record
        assert "is damaged" in caplog.messages.pop()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"files": 1, "sources": []}', "{"])
def test_damaged_notes_are_no_notes(folder, caplog, text):
    stored = pull(folder)
    noted = notes_of(stored).read_bytes()
    notes_of(stored).write_text(text)
    intact._intact.clear()
    pull(folder)
    files = json.loads(notes_of(stored).read_bytes())["files"]
    assert files == json.loads(noted)["files"]
    assert not caplog.messages


def test_a_copied_cache_needs_no_fetching(folder, caplog):
    stored = pull(folder)
    content = stored.features_path.read_bytes()
    for path in (stored.features_path, stored.labels_path):
        copy = path.with_suffix(".copy")
        copy.write_bytes(path.read_bytes())
        copy.replace(path)
    intact._intact.clear()
    next(folder.rglob("*.npz")).unlink()
    load_dataset(ID)
    assert stored.features_path.read_bytes() == content
    assert not caplog.messages


def test_an_official_set_is_mended_under_its_pinned_hash(caplog):
    (record,) = select("synbench", limit=1)
    ((_, stored),) = ensure([record], progress=False)
    damage(stored, "labels")
    intact._intact.clear()
    ((_, again),) = ensure([record], progress=False)
    again.check()
    assert "is damaged" in caplog.text


@pytest.mark.slow
def test_a_run_over_damaged_labels_gives_the_true_figures(tmp_path, folder):
    def run(out):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "odbench", "run", "--suite", "oddbench"),
                *("--mirror", str(folder), "-d", "ecod", "-j", "1", "-q"),
                *("--out", str(out)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return read_results(out)[["content_sha256", "auroc"]].values.tolist(), done

    true, _ = run(tmp_path / "a")
    damage(Store.default().find(DatasetRecord(name="Mine", suite="oddbench")), "labels")
    found, done = run(tmp_path / "b")
    assert found == true
    assert done.stderr.count("is damaged; it is removed and fetched again") == 1
