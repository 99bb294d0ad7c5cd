"""A private partition is reproducible with the seed and reveals nothing without it."""

import json
import os
import stat
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from scipy import stats

from odbench.cli import main
from odbench.errors import UsageError
from odbench.submissions.dataset_list import DatasetList, ExpectedDataset
from odbench.submissions.labels import LabelFolder
from odbench.synbench import private, suite

ROOT = bytes(range(32))


@pytest.fixture(scope="module")
def partition(tmp_path_factory):
    out = tmp_path_factory.mktemp("private") / "out"
    names = private.write_partition(ROOT, count=4, out=out)
    return out, names


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_command_makes_seed_features_and_labels(tmp_path, capsys):
    seed, out = tmp_path / "a.seed", tmp_path / "out"
    command = ["synbench", "private", "--seed-file", str(seed), "--count", "2"]

    with pytest.raises(SystemExit) as done:
        main([*command, "--out", str(out)])

    assert done.value.code == 0
    assert mode(seed) == 0o600
    secret = seed.read_text().strip()
    assert len(secret) == 64
    shown = capsys.readouterr()
    assert secret not in shown.out + shown.err
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) == 2 + 2 + 2
    for path in written:
        content = path.read_bytes()
        assert secret.encode() not in content
        assert bytes.fromhex(secret) not in content


def test_the_same_seed_gives_the_same_bytes(partition, tmp_path):
    out, names = partition

    private.write_partition(ROOT, count=2, out=tmp_path / "again")

    for name in names[:2]:
        for part in (f"features/private/{name}.npz", f"labels/synbench/{name}.npy"):
            again = (tmp_path / "again" / part).read_bytes()
            assert again == (out / part).read_bytes()


def test_another_seed_gives_other_sets():
    one = private.draw_private(ROOT, 0)
    other = private.draw_private(b"\1" * 32, 0)

    assert not np.isin(one.X_test, other.X_test).any()


def test_25_sets_hold_each_archetype_in_each_bin():
    cells = set()
    for i in range(25):
        order = private.secret(ROOT, (0, i // 25)).permutation(25)
        cells.add(int(order[i]))

    assert cells == set(range(25))
    facts = private.draw_private(ROOT, 3).metadata
    cell = int(private.secret(ROOT, (0, 0)).permutation(25)[3])
    assert facts["archetype"] == suite.ARCHETYPES[cell // 5]


def test_labels_are_readable_by_their_owner_alone_and_by_the_evaluator(partition):
    out, names = partition
    tests = {n: np.load(out / f"features/private/{n}.npz")["test"] for n in names}
    expected = [
        ExpectedDataset(
            dataset=name, content_sha256="", n_train=1,
            n_test=len(tests[name]), n_scored=len(tests[name]),
        )
        for name in names
    ]  # fmt: skip
    sets = DatasetList(suite="synbench", partition="private", sets=tuple(expected))

    folder = LabelFolder(out / "labels", sets)

    for item in expected:
        assert folder.read(item).sum() >= 30
    for path in (out / "labels").rglob("*"):
        assert mode(path) == (0o700 if path.is_dir() else 0o600)
    assert mode(out / "labels") == 0o700


def test_the_public_part_holds_features_and_nothing_else(partition):
    out, names = partition
    public = out / "features"

    files = sorted(path.relative_to(public) for path in public.rglob("*.*"))
    assert [str(file) for file in files] == [
        "about.json", *(f"private/{name}.npz" for name in names),
    ]  # fmt: skip
    about = json.loads((public / "about.json").read_text())
    assert set(about) == {
        "generator", "generator_version", "count", "seed_commitment",
    }  # fmt: skip
    for name in names:
        with np.load(public / f"private/{name}.npz", allow_pickle=False) as archive:
            assert set(archive) == {"train", "train_labels", "test", "feature_names"}
            assert not archive["train_labels"].any()
            assert archive["test"].dtype == archive["train"].dtype == np.float64
            assert archive["test"].flags.c_contiguous


def test_dates_and_packing_tell_nothing(partition):
    out, names = partition

    dates = {path.stat().st_mtime for path in (out / "features").rglob("*.*")}
    assert len(dates) == 1
    for name in names:
        with zipfile.ZipFile(out / f"features/private/{name}.npz") as archive:
            for member in archive.infolist():
                assert member.date_time == (1980, 1, 1, 0, 0, 0)
                assert member.compress_type == zipfile.ZIP_STORED
                assert member.comment == member.extra == b""


def test_neither_order_nor_repeats_tell_the_label(partition):
    out, names = partition
    p = []
    for name in names:
        test = np.load(out / f"features/private/{name}.npz")["test"]
        labels = np.load(out / f"labels/synbench/{name}.npy")
        place = np.flatnonzero(labels) / len(labels)
        p.append(stats.kstest(place, "uniform").pvalue)
        for column in test.T:
            assert len(np.unique(column)) == len(column)

    assert min(p) > 1e-3


def test_the_commitment_is_checkable_and_no_seed():
    import hashlib

    found = private.seed_commitment(ROOT)

    assert found == hashlib.sha256(b"odbench-synbench-seed-1" + ROOT).hexdigest()
    assert ROOT.hex() not in found


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_seed_that_others_may_read_is_refused_and_not_shown(tmp_path):
    seed = tmp_path / "open.seed"
    seed.write_text("ab" * 32)
    seed.chmod(0o644)

    with pytest.raises(UsageError, match="others may read it") as caught:
        private.read_seed(seed)

    assert "abab" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "ab" * 31, "xy" * 32, "ab" * 33])
def test_a_file_that_is_no_seed_is_refused_and_not_shown(tmp_path, content):
    seed = tmp_path / "bad.seed"
    seed.write_text(content)
    seed.chmod(0o600)

    with pytest.raises(UsageError, match="64 hexadecimal digits") as caught:
        private.read_seed(seed)

    assert not content or content not in str(caught.value)


def test_a_missing_seed_is_only_made_when_asked(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        private.read_seed(tmp_path / "none.seed")
    with pytest.raises(UsageError, match="cannot be made"):
        private.read_seed(tmp_path / "no-folder" / "a.seed", create=True)


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_impossible_counts(tmp_path, count):
    with pytest.raises(UsageError, match=f"got {count}; wanted 1 to 1000"):
        private.write_partition(ROOT, count=count, out=tmp_path / "out")


def test_a_refused_call_makes_no_seed(partition, tmp_path):
    seed = tmp_path / "a.seed"
    for count, out in (("0", tmp_path / "out"), ("1", partition[0])):
        words = ["--seed-file", str(seed), "--count", count, "--out", str(out)]
        with pytest.raises(SystemExit) as done:
            main(["synbench", "private", *words])
        assert done.value.code == 2
    assert not seed.exists()


def listed(capsys, *words):
    with pytest.raises(SystemExit):
        main(["datasets", *words, "--partition", "private"])
    return capsys.readouterr()


def test_a_partition_is_its_suites_alone(partition, capsys):
    mirror = ("--mirror", str(partition[0] / "features"))
    ids = [f"synbench/{name}" for name in partition[1]]

    for words in ((), ("--suite", "synbench")):
        shown = listed(capsys, "list", *mirror, *words, "--format", "json")
        assert [row["id"] for row in json.loads(shown.out)] == ids
    for other in ("synbench-2", "synbench-severity", "oddbench"):
        shown = listed(capsys, "list", *mirror, "--suite", other)
        assert shown.out == ""
    assert "is a private partition of 'synbench'; use --suite synbench" in shown.err
    assert listed(capsys, "pull", *mirror).out.startswith("4 of 4 data sets")
    shown = listed(capsys, "verify", *mirror, "--suite", "synbench")
    assert shown.err == "verify: 8 unpinned\n"


def test_a_partition_is_never_overwritten(partition):
    with pytest.raises(UsageError, match="holds a partition already"):
        private.write_partition(ROOT, count=1, out=partition[0])


def test_an_interrupted_draw_leaves_nothing_and_can_be_repeated(tmp_path, monkeypatch):
    out, real = tmp_path / "out", private.draw_private

    def interrupted(root, i):
        if i == 2:
            raise KeyboardInterrupt
        return real(root, i)

    monkeypatch.setattr(private, "draw_private", interrupted)
    with pytest.raises(KeyboardInterrupt):
        private.write_partition(ROOT, count=3, out=out)
    assert not out.exists()
    monkeypatch.undo()

    assert len(private.write_partition(ROOT, count=3, out=out)) == 3
    assert sorted(path.name for path in out.iterdir()) == ["features", "labels"]


def test_a_partition_may_stand_beside_its_seed(tmp_path):
    (tmp_path / "a.seed").write_text("ab" * 32)

    private.write_partition(ROOT, count=1, out=tmp_path)

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.seed", "features", "labels"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    # A limit on a file's size acts like a full disk.
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "from odbench.cli import main\n"
        "main(sys.argv[1:])"
    )
    seed, out = tmp_path / "a.seed", tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", code, "synbench", "private", "--seed-file", str(seed),
         "--count", "1", "--out", str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be made" in done.stderr
    assert not out.exists()
