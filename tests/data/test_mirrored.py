"""Tables that are corrected in a mirror: their content decides, not their size."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from odbench.data import mirrored
from odbench.data.catalog import ensure, load_dataset, select
from odbench.data.dataset import DatasetRecord
from odbench.data.show import describe, identify
from odbench.data.store import Store
from odbench.data.transports import mirror as transport
from odbench.errors import TransportError
from odbench.results import read_results
from odbench.suites import load_suites

ID = "oddbench/Mine"


def table(seed, *, n=60):
    """An uncompressed archive: the same shape has the same size."""
    rng = np.random.default_rng(seed)
    sink = io.BytesIO()
    np.savez(
        sink,
        train=rng.normal(size=(n, 3)),
        train_labels=np.zeros(n),
        test=rng.normal(size=(n, 3)),
        test_labels=np.repeat([0, 1], [n - 8, 8]),
    )
    return sink.getvalue()


@pytest.fixture
def place(tmp_path):
    return make_mirror(tmp_path / "mirror")


def make_mirror(root, seed=1):
    file = root / "MacrOData-CMU" / "OddBench" / "public" / "Mine.npz"
    file.parent.mkdir(parents=True)
    file.write_bytes(table(seed))
    return root, file


def pull(root):
    ((_, stored),) = ensure(
        select("oddbench", mirror=root), mirror=root, progress=False
    )
    return stored


def expected(seed):
    return np.load(io.BytesIO(table(seed)))["train"]


def restore_time(file, before):
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def in_place(file, content):
    """Write over a file and set its time back; the inode stays."""
    before = file.stat()
    file.write_bytes(content)
    restore_time(file, before)
    assert file.stat().st_ino == before.st_ino


def replaced(file, content):
    """Replace a file as editors do, with the old time; the inode is another."""
    before = file.stat()
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)
    restore_time(file, before)
    assert file.stat().st_ino != before.st_ino


def relinked(file, content):
    """Lead a link to another file."""
    before = file.stat()
    other = file.with_suffix(".elsewhere")
    other.write_bytes(content)
    file.unlink()
    file.symlink_to(other.name)
    restore_time(file, before)


@pytest.fixture
def hashed(monkeypatch):
    """The files of mirrors that were hashed again, in order."""
    files = []
    real = mirrored.file_sha256
    monkeypatch.setattr(
        mirrored, "file_sha256", lambda path: files.append(path) or real(path)
    )
    return files


@pytest.mark.parametrize("correct", [in_place, replaced, relinked])
@pytest.mark.parametrize("read", ["pull", "load"])
def test_a_corrected_table_is_measured_anew(place, caplog, correct, read):
    root, file = place
    first = pull(root)
    correct(file, table(2))

    if read == "pull":
        second = pull(root)
        train, record = second.features()[0], second.record
    else:
        dataset = load_dataset(ID, mirror=root)
        train, record = dataset.X_train, dataset.record

    np.testing.assert_array_equal(train, expected(2))
    assert record.content_sha256 != first.record.content_sha256
    assert caplog.messages == [
        f"data set {ID}: the file in mirror '{file.parent.parent}' has changed; "
        f"measured anew"
    ]
    caplog.clear()
    assert pull(root).record == record
    assert not caplog.messages


def test_the_same_content_is_not_measured_again(place, caplog, hashed, monkeypatch):
    root, file = place
    first = pull(root)
    assert not hashed
    pull(root)
    assert not hashed, "the stamp was noted when the table was stored"
    monkeypatch.setattr(transport, "read_file", None)
    for change in (file.touch, lambda: replaced(file, table(1))):
        change()
        assert pull(root).record == first.record
        assert hashed == [file]
        hashed.clear()
        assert pull(root).record == first.record
        assert not hashed, "the new stamp is remembered"
    assert not caplog.messages


def test_a_copy_stored_without_notes_is_hashed_once(place, hashed):
    root, file = place
    stored = pull(root)
    stored.features_path.with_suffix(".json").unlink()
    for _ in range(3):
        assert pull(root).record == stored.record
    assert hashed == [file]


def test_a_copy_without_notes_of_a_corrected_table_is_replaced(place):
    root, file = place
    stored = pull(root)
    stored.features_path.with_suffix(".json").unlink()
    replaced(file, table(2))
    np.testing.assert_array_equal(pull(root).features()[0], expected(2))


def test_two_mirrors_with_a_table_of_the_same_name(place, tmp_path, caplog, hashed):
    root, _ = place
    other, _ = make_mirror(tmp_path / "other", seed=2)
    for turn in range(3):
        np.testing.assert_array_equal(pull(root).features()[0], expected(1))
        np.testing.assert_array_equal(pull(other).features()[0], expected(2))
        assert len(caplog.messages) == 1 + 2 * turn
    assert "is another one than that from mirror" in caplog.text
    assert len(hashed) == 1, "each is hashed as it is read, or once"


def test_two_mirrors_with_the_same_table(place, tmp_path, caplog, hashed):
    root, _ = place
    other, copy = make_mirror(tmp_path / "other")
    for _ in range(3):
        assert pull(root).record == pull(other).record
    assert hashed == [copy]
    assert not caplog.messages


@pytest.mark.parametrize("gone", ["file", "mirror"])
def test_the_stored_copy_outlives_the_mirrors_file(place, gone):
    root, file = place
    pull(root)
    file.unlink() if gone == "file" else root.rename(root.with_name("moved"))
    dataset = load_dataset(ID, mirror=root)
    np.testing.assert_array_equal(dataset.X_train, expected(1))
    np.testing.assert_array_equal(load_dataset(ID).X_train, expected(1))


def test_a_broken_correction_is_an_error_of_this_table(place):
    root, file = place
    pull(root)
    replaced(file, table(1)[:-30] + b"x" * 30)
    outcome = pull(root)
    assert "archive Mine.npz: not a readable npz archive" in str(outcome)
    # Without the mirror, the stored copy is what there is.
    np.testing.assert_array_equal(load_dataset(ID).X_train, expected(1))


def replace_after_reading(monkeypatch, file, seeds):
    real = transport.read_file
    left = list(seeds)

    def read(*arguments):
        obtained = real(*arguments)
        if left:
            replaced(file, table(left.pop(0)))
        return obtained

    monkeypatch.setattr(transport, "read_file", read)


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(place, monkeypatch):
    root, file = place
    replace_after_reading(monkeypatch, file, [2])
    stored = pull(root)
    np.testing.assert_array_equal(stored.features()[0], expected(2))
    assert pull(root).record == stored.record


def test_a_file_that_never_rests_is_refused(place, monkeypatch):
    root, file = place
    replace_after_reading(monkeypatch, file, range(2, 9))
    outcome = pull(root)
    assert isinstance(outcome, TransportError)
    assert "changes while it is read" in str(outcome)


def test_a_store_that_cannot_be_written_still_compares(place, hashed, monkeypatch):
    root, file = place
    first = pull(root)
    file.touch()
    folder = first.features_path.parents[3]
    real = Store.lock

    def lock(self, record):
        blocked = Store(folder / "features" / "oddbench" / "public" / "Mine.arrow")
        return real(blocked, record)

    monkeypatch.setattr(Store, "lock", lock)
    assert pull(root).record == first.record
    assert pull(root).record == first.record
    assert hashed == [file, file]


def test_the_licence_of_an_own_table_is_unknown(place):
    root, _ = place
    (listed,) = select("oddbench", mirror=root)
    record = pull(root).record
    for one in (listed, record, identify(ID, None)):
        assert (one.licence, one.source, one.source_url) == ("", "", "")
    facts, _ = describe(record, mirror=root)
    assert not facts.keys() & {"licence", "source", "source_url"}


def test_the_licence_that_earlier_versions_stored_is_not_shown(place):
    root, _ = place
    wrong = DatasetRecord(
        name="Mine", suite="oddbench", licence="CC-BY-4.0", path="public/Mine.npz"
    )
    stored = pull(root)
    mirror = transport.Mirror(root, load_suites()["oddbench"])
    raw = mirror.obtain(wrong, tick=lambda _: None).raw
    origin = Store.default().provenance(stored.record)
    Store.default().put(wrong, raw, provenance=origin)
    assert Store.default().read(wrong).record.licence == "CC-BY-4.0"
    assert load_dataset(ID).record.licence == ""


def run(root, out, *more):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "odbench", "run", "--suite", "oddbench"),
            *("--mirror", str(root), "-d", "ecod", "-j", "1", "-q"),
            *("--out", str(out), *more),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.slow
def test_a_run_again_gives_the_figures_of_the_corrected_table(place, tmp_path):
    root, file = place
    out = tmp_path / "out"
    run(root, out)
    replaced(file, table(2))

    said = run(root, out)

    assert said.count("has changed; measured anew") == 1
    results = read_results(out)
    assert set(results["licence"]) == {""}
    assert set(results["source_url"]) == {""}
    run(make_mirror(tmp_path / "fresh", seed=2)[0], tmp_path / "fresh-out")
    fresh = read_results(tmp_path / "fresh-out")
    same = ["content_sha256", "auroc", "ap"]
    assert results[same].values.tolist() == fresh[same].values.tolist()
    assert "measured anew" not in run(root, out)


def test_the_command_line_lists_no_licence(place):
    root, _ = place
    pull(root)
    for action in (
        ["list", "--suite", "oddbench", "--mirror", str(root), "--format", "json"],
        ["show", ID, "--format", "json"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "odbench", "datasets", *action],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "CC-BY" not in done.stdout
        json.loads(done.stdout)
