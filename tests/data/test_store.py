"""The store: writing, reading, faults on disk."""

import dataclasses
import errno
import gc
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from odbench import files
from odbench.data.dataset import DatasetRecord, RawDataset
from odbench.data.store import Store, default_cache, read_features
from odbench.errors import DiskFullError, HashMismatchError, ManifestError, StoreError

RECORD = DatasetRecord(name="one", suite="tiny", n_anomalies=4, tags=("few_anomalies",))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache")


@pytest.fixture
def raw(rng):
    labels = np.zeros(30, dtype=np.int8)
    labels[-4:] = 1
    return RawDataset(
        train=rng.normal(size=(41, 5)),
        test=np.asfortranarray(rng.normal(size=(30, 5))),
        labels=labels,
        columns=("a", "b", "a", "", "größe"),
        facts={"anomaly_count": 4, "origin": "Science", "ifor_auc": 0.9},
        skipped=("meta_info",),
    )


def test_what_is_put_in_comes_out(store, raw):
    put = store.put(RECORD, raw, provenance={"commit": "abc"})
    found = store.find(RECORD)
    assert found == put
    train, test, columns = found.features()
    np.testing.assert_array_equal(train, raw.train)
    np.testing.assert_array_equal(test, raw.test)
    np.testing.assert_array_equal(found.labels(), raw.labels)
    assert found.labels().dtype == np.int8
    assert columns == raw.columns
    assert found.facts() == raw.facts
    assert store.provenance(RECORD) == {"commit": "abc", "skipped": ["meta_info"]}


def test_features_are_read_only_views_of_the_map(store, raw):
    path = store.put(RECORD, raw).features_path
    for table in read_features(path)[:2]:
        assert table.flags.f_contiguous
        assert not table.flags.writeable
        assert not table.flags.owndata
        assert table.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            table[0, 0] = 1


def test_reading_copies_nothing(store, rng):
    big = rng.normal(size=(200_000, 20))
    raw = RawDataset(train=big, test=big[:10], labels=None, columns=tuple("x" * 20))
    path = store.put(DatasetRecord(name="big", suite="tiny"), raw).features_path
    before = pa.total_allocated_bytes()
    train, _, _ = read_features(path)
    assert pa.total_allocated_bytes() - before < 1 << 20
    assert train[199_999, 19] == big[199_999, 19]


def test_a_view_outlives_everything_but_itself(store, raw):
    train = read_features(store.put(RECORD, raw).features_path)[0]
    gc.collect()
    np.testing.assert_array_equal(train, raw.train)


@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (1, 9), (1000, 3), (3, 1024)])
def test_every_shape_survives(store, rng, shape):
    raw = RawDataset(
        train=rng.normal(size=shape),
        test=rng.normal(size=(2, shape[1])),
        labels=None,
        columns=tuple(f"x{j}" for j in range(shape[1])),
    )
    train, test, _ = store.put(RECORD, raw).features()
    np.testing.assert_array_equal(train, raw.train)
    np.testing.assert_array_equal(test, raw.test)


def test_nothing_about_labels_is_stored_with_the_features(store, raw):
    record = dataclasses.replace(
        RECORD,
        anomalies_in_train=0.123,
        label_conflict=1,
        archetype="local",
        n_distinct_test=7531,
        n_distinct_anomalies=9753,
        ceiling_auroc=0.4321,
        ceiling_ap=0.5432,
        trivial_share=0.6543,
    )
    path = store.put(record, raw).features_path
    content = path.read_bytes()
    for word in (b"anomaly_count", b"few_anomalies", b"0.123", b"ifor_auc", b"local"):
        assert word not in content
    for word in (b"7531", b"9753", b"0.4321", b"0.5432", b"0.6543"):
        assert word not in content
    assert b"Science" in content
    labels = store.place("labels", record)
    assert labels.parent.parent.parent.name == "labels"
    assert not labels.is_relative_to(store.root / "features")


def test_a_set_without_labels_has_no_labels_file(store, raw):
    private = dataclasses.replace(RECORD, partition="private", n_anomalies=None)
    stored = store.put(private, dataclasses.replace(raw, labels=None))
    assert stored.labels_path is None
    assert stored.labels() is None
    assert not (store.root / "labels").exists()
    assert store.find(private) == stored


def test_content_that_the_manifest_does_not_know_is_refused(store, raw):
    wanted = dataclasses.replace(RECORD, content_sha256="0" * 64)
    with pytest.raises(HashMismatchError, match=r"tiny/one.*0000.*fetch") as caught:
        store.put(wanted, raw)
    assert "\n" not in str(caught.value)
    assert store.find(RECORD) is None


def test_other_content_under_the_name_is_not_what_was_asked_for(store, raw):
    stored = store.put(RECORD, raw)
    assert store.find(stored.record) is not None
    other = dataclasses.replace(stored.record, content_sha256="1" * 64)
    assert store.find(other) is None


def test_what_the_manifest_learned_since_is_used(store, raw):
    stored = store.put(dataclasses.replace(RECORD, n_train=41), raw)
    wanted = dataclasses.replace(stored.record, family="github:a/b")
    assert store.find(wanted).record.family == "github:a/b"


@pytest.mark.parametrize("keep", [0, 100, 0.5, -1])
@pytest.mark.parametrize("kind", ["features", "labels"])
def test_a_cut_file_is_as_good_as_none(store, raw, kind, keep):
    store.put(RECORD, raw)
    path = store.place(kind, RECORD)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep) if keep == 0.5 else keep])
    assert store.find(RECORD) is None
    if kind == "features":
        with pytest.raises(StoreError, match="pull"):
            read_features(path)
    store.put(RECORD, raw)
    assert store.find(RECORD) is not None


def test_names_that_do_not_fit_the_columns_are_a_fault(store, raw):
    stored = store.put(RECORD, raw)
    content = stored.features_path.read_bytes()
    names = b'"a", "b", "a", ""'
    assert names in content
    stored.features_path.write_bytes(content.replace(names, b'"a", "b, a, b, a"'))
    with pytest.raises(StoreError, match=r"3 names of 5 columns.*pull"):
        stored.features()


def test_features_and_labels_of_different_contents_do_not_mix(store, raw):
    store.put(RECORD, raw)
    old = store.place("labels", RECORD).read_bytes()
    store.put(RECORD, dataclasses.replace(raw, train=raw.train + 1))
    store.place("labels", RECORD).write_bytes(old)
    assert store.find(RECORD) is None


@pytest.mark.parametrize(
    "other", [{"name": "One"}, {"suite": "small"}, {"partition": "private"}]
)
def test_files_of_another_data_set_are_not_taken_for_it(store, raw, other):
    store.put(RECORD, raw)
    wanted = dataclasses.replace(RECORD, **other)
    for kind in ("features", "labels"):
        place = store.place(kind, wanted)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(store.place(kind, RECORD).read_bytes())
    assert store.find(wanted) is None
    with pytest.raises(StoreError, match=r"of another data set; run .* pull"):
        store.read(wanted)


def test_a_changed_byte_on_disk_is_noticed(store, raw):
    stored = store.put(RECORD, raw)
    stored.check()
    content = bytearray(stored.features_path.read_bytes())
    at = content.index(raw.train[:, 0].tobytes())
    content[at] ^= 1
    stored.features_path.write_bytes(content)
    with pytest.raises(HashMismatchError, match=r"one\.arrow"):
        stored.check()


def test_a_replaced_file_does_not_disturb_who_reads_the_old_one(store, raw):
    train = store.put(RECORD, raw).features()[0]
    store.put(RECORD, dataclasses.replace(raw, train=raw.train * 2))
    np.testing.assert_array_equal(train, raw.train)


@pytest.mark.parametrize(
    "name",
    [
        *("../up", "a/b", "a\\b", ".hidden", "", "a\nb", "x" * 201, "nul\0", "end."),
        *(" begin", "esc\x1b[2J", "not utf-8: \udcff", "è" * 101),
    ],
)
def test_a_name_cannot_leave_its_folder(store, name):
    record = DatasetRecord(name=name, suite="tiny")
    with pytest.raises(ManifestError, match="not a valid data set name"):
        store.place("features", record)
    assert store.find(record) is None


@pytest.mark.parametrize(
    "name", ["a (b) 10.5GHz", "-dash", "_x", "[k]=1,2?*", "naïve データ", "è" * 100]
)
def test_a_name_that_prints_is_a_name(store, raw, name):
    record = dataclasses.replace(RECORD, name=name)
    store.put(record, raw)
    found = store.find(record)
    np.testing.assert_array_equal(found.features()[0], raw.train)
    assert found.record.name == name


def fail_with(number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("number", "kind", "word"),
    [
        (errno.ENOSPC, DiskFullError, "no space left"),
        (errno.EDQUOT, DiskFullError, "no space left"),
        (errno.EIO, StoreError, "cannot write"),
    ],
)
def test_a_failing_disk_leaves_nothing_half_written(
    store, raw, monkeypatch, *, number, kind, word
):
    monkeypatch.setattr(files.os, "fsync", fail_with(number))
    with pytest.raises(kind, match=word) as caught:
        store.put(RECORD, raw)
    assert "ODBENCH_CACHE" in str(caught.value)
    assert not [p for p in store.root.rglob("*") if p.is_file()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_a_disk_that_is_really_full(tmp_path, archive):
    """A tmpfs of 256 KiB: two sets fit, the third does not."""
    mirror = tmp_path / "mirror" / "MacrOData-CMU" / "OddBench" / "public"
    mirror.mkdir(parents=True)
    for i in range(3):
        (mirror / f"made{i}.npz").write_bytes(archive(n_train=4000))
    cache = tmp_path / "cache"
    cache.mkdir()
    script = (
        f"mount -t tmpfs -o size=256k none {cache} || exit 77\n"
        f"{sys.executable} -m odbench datasets pull --suite oddbench --jobs 1 "
        f"--mirror {tmp_path / 'mirror'} 2>&1; echo exit $?; find {cache} -type f"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "ODBENCH_CACHE": str(cache)},
        check=False,
    )
    if done.returncode == 77 or done.stderr.startswith("unshare: "):
        pytest.skip("this container may not mount")
    assert "exit 1" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("no space left") == 1
    assert ".tmp" not in done.stdout
    assert "Traceback" not in done.stdout


def test_the_cache_is_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("ODBENCH_CACHE", "/somewhere/else")
    assert default_cache() == Path("/somewhere/else")
    monkeypatch.setenv("ODBENCH_CACHE", "here")
    assert default_cache() == Path.cwd() / "here"
    monkeypatch.delenv("ODBENCH_CACHE")
    assert default_cache().name == "odbench"


def test_reading_features_loads_neither_labels_nor_much_else(store, raw):
    path = store.put(RECORD, raw).features_path
    code = (
        "import sys; from odbench.data.features import read_features\n"
        f"read_features({str(path)!r})\n"
        "heavy = {'pandas', 'sklearn', 'numba', 'huggingface_hub', 'tqdm', 'click',\n"
        "  'odbench.data.store', 'odbench.data.catalog'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's size")
@pytest.mark.parametrize("reader", ["features.read_features", "store_files.read_truth"])
def test_a_lack_of_memory_says_nothing_about_a_stored_file(tmp_path, reader):
    path = tmp_path / "large.arrow"
    with path.open("wb") as file:
        file.truncate(8 << 30)
    module, name = reader.split(".")
    code = (
        "import resource\n"
        "from pathlib import Path\n"
        "import pyarrow.ipc\n"
        f"from odbench.data.{module} import {name}\n"
        "size = int(Path('/proc/self/statm').read_text().split()[0])\n"
        "most = size * resource.getpagesize() + (1 << 30)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "try:\n"
        f"    {name}(Path({str(path)!r}))\n"
        "except MemoryError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"not enough memory to read {str(path)!r}\n"


def test_the_written_file_is_plain_arrow(store, raw):
    path = store.put(RECORD, raw).features_path
    reader = pa.ipc.open_file(io.BytesIO(path.read_bytes()))
    assert reader.num_record_batches == 2
    assert [f.type for f in reader.schema] == [pa.float64()] * 5
    np.testing.assert_array_equal(reader.get_batch(1).column(4), raw.test[:, 4])
