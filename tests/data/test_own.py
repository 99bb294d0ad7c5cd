"""Suites in folders of one's own, and hostile ones."""

import dataclasses

import numpy as np
import pytest

import odbench
from odbench.cli import main
from odbench.data import catalog
from odbench.data.own import open_suite, split_id
from odbench.data.pull import ensure
from odbench.data.rebuild import audit_suite
from odbench.data.store import StoredDataset
from odbench.data.subsets import resolve
from odbench.data.transports.choose import label_places
from odbench.data.verify import verify_all
from odbench.errors import (
    ManifestError,
    OdbenchError,
    TransportError,
    UnknownDatasetError,
    UsageError,
)


@pytest.fixture
def folder(tmp_path, rng):
    """A suite of a whole table and a split one, without a manifest."""
    place = tmp_path / "lab"
    (place / "data").mkdir(parents=True)
    (place / "suite.toml").write_text('title = "Ours"\nlicence = "MIT"\n')
    X, y = rng.normal(size=(40, 3)), np.arange(40) % 8 == 0
    np.savez(place / "data" / "whole.npz", X=X, y=y)
    np.savez(place / "data" / "split.npz", train=X[:9], test=X[9:], test_labels=y[9:])
    return place


def pulled(place):
    """Pull a suite and return what came, by name."""
    records = catalog.select(str(place))
    return {r.name: stored for r, stored in ensure(records, progress=False)}


def test_a_folder_is_a_suite_of_its_own(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("ODBENCH_MIRROR", str(tmp_path / "nowhere"))
    found = pulled(folder)
    assert {s.record.id for s in found.values()} == {"lab/split", "lab/whole"}
    assert {s.record.licence for s in found.values()} == {"MIT"}
    record = found["whole"].record
    assert (record.n_train, record.n_test, record.n_anomalies) == (17, 23, 5)
    suite = resolve(str(folder / "suite.toml"))[0]
    assert (suite.title, dict(suite.sizes)) == ("Ours", {})
    assert catalog.load_dataset(f"{folder}/split").record.n_train == 9
    assert folder.resolve() in label_places()


@pytest.mark.parametrize("member", ["train", "test_labels"])
def test_a_corrected_file_is_measured_anew_and_alone(folder, member, caplog):
    before = pulled(folder)
    file = folder / "data" / "split.npz"
    with np.load(file) as archive:
        members = dict(archive)
    members[member][0] = 1 - members[member][0]
    np.savez(file, **members)
    after = pulled(folder)
    hashes = [
        {name: s.record.content_sha256 for name, s in one.items()}
        for one in (before, after)
    ]
    assert hashes[0]["whole"] == hashes[1]["whole"]
    assert hashes[0]["split"] != hashes[1]["split"]
    assert "lab/split: the file in folder" in caplog.text
    assert catalog.load_dataset("lab/split").record == after["split"].record


def test_a_link_out_of_the_folder_fails_for_its_set_alone(folder, tmp_path):
    outside = tmp_path / "outside.npz"
    (folder / "data" / "whole.npz").rename(outside)
    (folder / "data" / "whole.npz").symlink_to(outside)
    found = pulled(folder)
    assert isinstance(found["whole"], TransportError)
    assert "is a link out of folder" in str(found["whole"])
    assert isinstance(found["split"], StoredDataset)


def test_a_data_folder_that_is_a_link_out_is_refused(folder, tmp_path):
    (folder / "data").rename(tmp_path / "data")
    (folder / "data").symlink_to(tmp_path / "data")
    with pytest.raises(TransportError, match="is not a folder in it"):
        catalog.select(str(folder))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "oddbench"', "is that of the suite oddbench"),
        ('name = "adbench-mine"', "is that of the suite adbench"),
        ('name = "../x"', "wanted 1 to 40 of"),
        ("title = 3", "title is 3; wanted a text"),
        ('root = "/"', "'root' is unknown"),
        ('protocol = "none"', "protocol"),
        ("title =", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
        ("#" * 70_000, "more than 65536 bytes"),
        ("\udcff", "is not UTF-8"),
    ],
)
def test_a_bad_description_is_one_line(folder, text, words):
    (folder / "suite.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ManifestError) as caught:
        open_suite(folder)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_manifest_of_another_suite_lends_no_name(folder):
    found = pulled(folder)
    row = dataclasses.replace(found["whole"].record, suite="oddbench")
    from odbench.data.manifest import write_manifest

    write_manifest([row], folder / "manifest.csv")
    assert {r.id for r in catalog.select(str(folder))} == {"lab/split", "lab/whole"}


def test_a_name_that_cannot_be_stored_fails_for_its_set_alone(folder):
    (folder / "data" / "whole.npz").rename(folder / "data" / " odd.npz")

    found = pulled(folder)

    assert isinstance(found["split"], StoredDataset)
    assert "' odd' is not a valid data set name" in str(found[" odd"])
    faults = {c.id: c.status for c in verify_all(str(folder)) if c.place == "store"}
    assert faults == {"lab/ odd": "fault", "lab/split": "unpinned"}


def test_a_suite_of_another_name_says_how_its_splits_are_measured(folder):
    audit_suite(str(folder), "hub", write=True)
    other = folder.rename(folder.with_name("bench"))

    found = pulled(other)

    assert isinstance(found["split"], StoredDataset)
    again = f"measure it anew with `odbench datasets audit --suite {other} --write`"
    assert again in str(found["whole"])
    (fault,) = [c.reason for c in verify_all(str(other)) if c.status == "fault"]
    assert again in fault
    audit_suite(str(other), "hub", write=True)
    assert isinstance(pulled(other)["whole"], StoredDataset)


def test_a_run_says_that_a_suite_is_meant_for_another_setting(folder, capsys):
    (folder / "suite.toml").write_text('protocol = "unsupervised"\n')

    def told(*more):
        words = ["run", "--suite", str(folder), "--detectors", "ecod", "--dry-run"]
        with pytest.raises(SystemExit) as done:
            main([*words, "--out", str(folder.parent / "run"), *more])
        assert done.value.code == 0
        return capsys.readouterr().err

    meant = "meant for the setting 'unsupervised', and this run is 'one-class'; add"
    assert meant in told()
    assert "meant for" not in told("--protocol", "unsupervised")


def test_a_path_is_a_place_as_a_text_is(folder):
    listed = odbench.list_datasets(folder)

    assert list(listed["id"]) == ["lab/split", "lab/whole"]
    assert odbench.load_dataset(folder / "split").record.id == "lab/split"


@pytest.mark.parametrize("place", ["lab", "lab/"])
def test_a_suite_alone_is_no_data_set(folder, place):
    named = f"{folder.parent}/{place}"
    with pytest.raises(UnknownDatasetError, match=f"such as {folder}/NAME"):
        odbench.load_dataset(named)


def test_a_row_without_a_file_is_not_sent_to_the_hub(folder):
    audit_suite(str(folder), "hub", write=True)
    file = folder / "data" / "split.npz"
    file.unlink()
    file.mkdir()
    assert "put the npz file there" in str(pulled(folder)["split"])


@pytest.mark.parametrize("given", [None, 5, ["oddbench"]])
def test_anything_but_a_text_or_a_path_is_one_line(given):
    with pytest.raises(UsageError, match=r"id: got .*, wanted SUITE/NAME, such as"):
        odbench.load_dataset(given)
    with pytest.raises(UsageError, match=r"suite: got .*, wanted a name or the path"):
        odbench.list_datasets(given)


def test_values_that_select_nothing_are_one_line(folder):
    with pytest.raises(UsageError, match=r"datasets: got 5, wanted a glob"):
        odbench.list_datasets(folder, datasets=5)
    with pytest.raises(UsageError, match=r"partition 'secret': unknown; wanted one of"):
        odbench.load_dataset(folder / "split", partition="secret")


def test_a_folder_without_a_description_is_one_line(tmp_path):
    for place, words in ((tmp_path, "has no suite.toml"), (tmp_path / "no", "no such")):
        with pytest.raises(UsageError, match=words):
            resolve(str(place))


def test_ids_split_at_the_last_slash():
    assert split_id("/a/b/c") == ("/a/b", "c")
    assert split_id("adbench/x") == ("adbench", "x")


def test_representative_sets_are_those_of_the_mirrors_folder(tmp_path, archive):
    public = tmp_path / "OddBench" / "public"
    public.mkdir(parents=True)
    for name in ("One", "Two"):
        (public / f"{name}.npz").write_bytes(archive())
    options = {"mirror": tmp_path}
    with pytest.raises(OdbenchError, match="has no folder 'representative'"):
        catalog.select("oddbench-representative", **options)
    (tmp_path / "OddBench" / "representative").mkdir()
    (public.parent / "representative" / "Two.npz").write_bytes(archive())
    (record,) = catalog.select("oddbench-representative", **options)
    assert (record.id, record.path) == ("oddbench/Two", "public/Two.npz")


def test_a_folder_needs_no_dot_in_front(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    described, members = resolve(folder.name)

    assert (described.root, members) == (str(folder.resolve()), None)
    for place in (folder.name, f"{folder.name}/suite.toml", f"./{folder.name}"):
        assert {r.id for r in catalog.select(place)} == {"lab/split", "lab/whole"}
    assert catalog.load_dataset(f"{folder.name}/split").record.id == "lab/split"


def test_a_suites_name_wins_over_a_folder_and_says_so(tmp_path, monkeypatch, caplog):
    (tmp_path / "synbench").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("synbench")[0].transport == "generated"
    assert not caplog.records

    (tmp_path / "synbench" / "suite.toml").write_text('name = "mine"')
    for _ in range(2):
        assert resolve("synbench")[0].transport == "generated"
    assert [r.getMessage() for r in caplog.records] == [
        "suite 'synbench': taken as the name of a known suite; for the folder, write "
        "./synbench"
    ]
    assert resolve("./synbench")[0].name == "mine"


def test_a_folder_without_a_description_is_no_suite_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "fraud").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"the folder of that name has no suite\.toml"):
        resolve("fraud")
    for odd in ("no", "x" * 5000, "a\0b"):
        with pytest.raises(UsageError, match="unknown; wanted one of"):
            resolve(odd)
