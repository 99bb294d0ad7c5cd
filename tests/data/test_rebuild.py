"""The maintainer's audit, and `datasets verify`."""

import dataclasses
import shutil

import numpy as np
import pytest

from odbench.data.catalog import ensure, select
from odbench.data.manifest import format_manifest, read_manifest
from odbench.data.rebuild import audit_suite
from odbench.data.store import Store
from odbench.data.subsets import rows_of
from odbench.data.verify import verify_all, verify_store
from odbench.errors import TransportError, UsageError


@pytest.fixture
def folder(tmp_path, archive):
    place = tmp_path / "mirror" / "MacrOData-CMU" / "OddBench" / "public"
    place.mkdir(parents=True)
    for i in range(3):
        (place / f"made{i}.npz").write_bytes(archive(n_train=50 + i))
    private = place.with_name("private")
    private.mkdir()
    (private / "hidden.npz").write_bytes(archive(without=("test_labels",)))
    return tmp_path / "mirror"


@pytest.fixture
def manifests(tmp_path):
    place = tmp_path / "manifests"
    place.mkdir()
    return place


def audit(folder, manifests, **options):
    return audit_suite("oddbench", str(folder), folder=manifests, **options)[0]


def test_without_write_nothing_is_written(folder, manifests):
    found = audit(folder, manifests)
    assert {r.name for r in found.new} == {"hidden", "made0", "made1", "made2"}
    assert not list(manifests.iterdir())


def test_twice_written_is_the_same_bytes(folder, manifests):
    audit(folder, manifests, write=True)
    first = (manifests / "oddbench.csv").read_bytes()
    found = audit(folder, manifests, write=True, jobs=1)
    assert (manifests / "oddbench.csv").read_bytes() == first
    assert (found.new, found.changed, found.kept, found.failed) == ((), (), (), ())


def test_a_row_whose_file_is_gone_is_kept_and_reported(folder, manifests):
    audit(folder, manifests, write=True)
    before = read_manifest("oddbench", manifests)
    next(folder.rglob("made1.npz")).unlink()
    found = audit(folder, manifests, write=True)
    assert [r.name for r in found.kept] == ["made1"]
    assert any("kept" in line and "made1" in line for line in found.report())
    assert read_manifest("oddbench", manifests) == before


def test_a_file_that_broke_is_reported_and_its_row_kept(folder, manifests):
    audit(folder, manifests, write=True)
    before = read_manifest("oddbench", manifests)
    next(folder.rglob("made1.npz")).write_bytes(b"broken")
    found = audit(folder, manifests, write=True)
    assert [name for name, _ in found.failed] == ["oddbench/made1"]
    assert read_manifest("oddbench", manifests) == before


def test_a_file_that_changed_is_reported_field_by_field(folder, manifests, archive):
    audit(folder, manifests, write=True)
    next(folder.rglob("made1.npz")).write_bytes(archive(n_train=99))
    found = audit(folder, manifests)
    ((old, new),) = found.changed
    assert (old.n_train, new.n_train) == (51, 99)
    assert any("n_train 51 -> 99" in line for line in found.report())


def test_what_was_entered_by_hand_stays(folder, manifests):
    audit(folder, manifests, write=True)
    rows = read_manifest("oddbench", manifests)
    edited = [dataclasses.replace(r, licence="X", parameters='{"a":1}') for r in rows]
    (manifests / "oddbench.csv").write_text(format_manifest(edited))
    audit(folder, manifests, write=True)
    again = read_manifest("oddbench", manifests)
    assert {(r.licence, r.parameters) for r in again} == {("X", '{"a":1}')}


def test_a_private_row_says_nothing_about_labels(folder, manifests):
    found = audit(folder, manifests)
    (hidden,) = (r for r in found.records if r.partition == "private")
    assert hidden.n_anomalies is None
    assert hidden.anomalies_in_train is None
    assert hidden.label_conflict is None
    assert hidden.trivial_share is hidden.ceiling_ap is hidden.n_distinct_test is None
    assert hidden.large_integers == 0
    assert hidden.duplicate_train is not None


def test_a_written_manifest_can_be_read_whatever_a_file_says(
    folder, manifests, archive
):
    place = folder / "MacrOData-CMU" / "OddBench" / "public"
    (place / " odd.npz").write_bytes(archive())
    with np.load(place / "made0.npz") as packed:
        members = dict(packed)
    members["tags"] = np.array(["two words", "", *(f"t{i}" for i in range(30_000))])
    members["origin"] = np.array("Science\n\x00" + "x" * 150_000)
    np.savez(place / "made0.npz", **members)

    found = audit(folder, manifests, write=True)

    assert [name for name, _ in found.failed] == ["oddbench/ odd"]
    assert "not a valid data set name" in found.failed[0][1]
    rows = {row.name: row for row in read_manifest("oddbench", manifests)}
    assert rows["made0"].tags[:2] == ("two_words", "t0")
    assert rows["made0"].domain.startswith("Science \\x00xxx")
    assert not audit(folder, manifests).changed


def test_what_cannot_be_audited_is_refused(tmp_path):
    for name in ("synbench", "synbench-2"):
        command = f"`odbench synbench manifest --suite {name} --write FILE`"
        with pytest.raises(UsageError, match=command):
            audit_suite(name, "hub", write=True)
    with pytest.raises(UsageError, match="wanted one of adbench"):
        audit_suite("odbench", str(tmp_path))
    with pytest.raises(TransportError, match="no such folder"):
        audit_suite("oddbench", str(tmp_path / "no"), folder=tmp_path)


@pytest.mark.mirror
@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("suite", ["oddbench", "ovrbench", "adbench"])
def test_every_real_file_measures_as_the_manifest_says(mirror, suite):
    """All facts of all files: content hash, audit fields, sizes, tags, source."""
    found = audit_suite(suite, str(mirror))[0]
    assert found.changed == ()
    assert found.new == ()
    assert found.failed == ()
    folders = {
        "oddbench": "MacrOData-CMU/OddBench",
        "ovrbench": "MacrOData-CMU/OvRBench",
        "adbench": "Minqi824/ADBench",
    }
    files = list((mirror / folders[suite]).rglob("*.npz"))
    assert len(found.records) - len(found.kept) == len(files) > 0


@pytest.mark.slow
@pytest.mark.mirror
def test_a_sample_of_real_files_measures_as_the_manifest_says(mirror, tmp_path):
    rows = {row.name: row for row in rows_of("oddbench") if row.partition == "public"}
    public = mirror / "MacrOData-CMU" / "OddBench" / "public"
    files = sorted(public.glob("*.npz"))[::13]
    place = tmp_path / "m" / "OddBench" / "public"
    place.mkdir(parents=True)
    for file in files:
        (place / file.name).symlink_to(file)
    found = audit_suite("oddbench", str(tmp_path / "m"), folder=tmp_path)[0]
    assert len(found.new) == len(files) == 20
    for measured in found.new:
        assert measured == rows[measured.name]


@pytest.fixture
def some(mirror, tmp_path):
    """A mirror of four real files with manifest rows."""
    public = mirror / "MacrOData-CMU" / "OddBench" / "public"
    place = tmp_path / "some" / "OddBench" / "public"
    place.mkdir(parents=True)
    for file in sorted(public.glob("A*.npz"))[:4]:
        shutil.copy(file, place / file.name)
    return tmp_path / "some"


def pull_all(folder):
    records = select("oddbench", mirror=folder)
    return [stored for _, stored in ensure(records, mirror=folder, progress=False)]


def statuses(**options):
    return [check.status for check in verify_all("oddbench", **options)]


@pytest.mark.mirror
def test_what_is_whole_verifies(some):
    assert statuses() == []
    pull_all(some)
    assert statuses() == ["ok"] * 4
    assert statuses(mirror=some) == ["ok"] * 8


@pytest.mark.mirror
def test_faults_of_store_and_mirror_are_found(some):
    first, second, *_ = pull_all(some)
    content = bytearray(first.features_path.read_bytes())
    content[len(content) // 2] ^= 1
    first.features_path.write_bytes(content)
    second.labels_path.unlink()
    victim = next((some / "OddBench" / "public").glob("*.npz"))
    data = bytearray(victim.read_bytes())
    data[len(data) // 3] ^= 1
    victim.write_bytes(data)
    checks = verify_all("oddbench", mirror=some)
    faults = [c for c in checks if c.status == "fault"]
    assert [c.place == "store" for c in faults] == [True, True, False]
    assert all(c.reason and "\n" not in c.reason for c in faults)
    assert len(checks) == 8


def test_any_byte_of_a_stored_file_is_verified(folder):
    ((_, stored),) = ensure(
        select("oddbench", mirror=folder, pattern="made0"), mirror=folder
    )
    (checked,) = verify_all("oddbench", pattern="made0")
    assert checked.status == "unpinned"
    content = stored.features_path.read_bytes()
    assert content.count(b'"f0", "f1"') == 2
    stored.features_path.write_bytes(content.replace(b'"f0", "f1"', b'"f0", "f9"'))

    (checked,) = verify_all("oddbench", pattern="made0")

    assert checked.status == "fault"
    assert "made0.arrow' is not as it was written; run" in checked.reason


def test_an_earlier_version_in_the_store_is_not_called_damaged(folder):
    ((record, _),) = ensure(
        select("oddbench", mirror=folder, pattern="made0"), mirror=folder
    )
    wanted = dataclasses.replace(record, content_sha256="0" * 64)

    (checked,) = verify_store([wanted], Store.default())

    assert checked.status == "fault"
    assert "another version of it is stored" in checked.reason
    assert "wanted 0000000000000000…; the next run or" in checked.reason


@pytest.mark.mirror
def test_labels_that_were_swapped_are_a_fault(some):
    first = pull_all(some)[0]
    labels = first.labels()
    content = bytearray(first.labels_path.read_bytes())
    at = content.rindex(labels.tobytes())
    content[at] ^= 1
    first.labels_path.write_bytes(content)
    assert statuses().count("fault") == 1
    assert Store.default().find(first.record) is not None
