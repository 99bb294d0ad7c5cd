"""The commands `suites` and `datasets`, as users type them."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from odbench.cli import main


@pytest.fixture
def run(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as done:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return done.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def some(mirror, tmp_path):
    """A mirror of three real files."""
    public = mirror / "MacrOData-CMU" / "OddBench" / "public"
    place = tmp_path / "some" / "MacrOData-CMU" / "OddBench" / "public"
    place.mkdir(parents=True)
    for file in sorted(public.glob("A*.npz"))[:3]:
        (place / file.name).symlink_to(file)
    return tmp_path / "some"


def test_suites_are_listed(run):
    code, out, _ = run("suites")
    assert code == 0
    assert "oddbench" in out
    rows = json.loads(run("suites", "--format", "json")[1])
    sizes = {row["suite"]: row["public"] for row in rows}
    assert sizes["oddbench"] == 729
    assert all(row["citation"] and row["title"] for row in rows)


def test_a_list_needs_no_network_and_no_data(run):
    code, out, _ = run("datasets", "list", "--suite", "oddbench", "--limit", 3)
    assert code == 0
    assert len(out.splitlines()) == 4
    assert "oddbench/ALLPatientData" in out


def test_a_list_as_csv_has_every_field(run):
    _, out, _ = run(
        "datasets", "list", "--suite", "oddbench,adbench", "--format", "csv"
    )
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 729 + 43
    assert rows[0]["content_sha256"]


def test_a_glob_chooses(run):
    _, out, _ = run("datasets", "list", "--datasets", "*cover*", "--format", "json")
    assert "adbench/cover" in [row["id"] for row in json.loads(out)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "--suite", "oddbnch"), "wanted one of"),
        (("list", "--suite", ""), "--suite: got no name"),
        (("pull", "--suite", " , "), "--suite: got no name"),
        (
            ("show", "oddbench/AllegationAnalysis", "--partition", "public"),
            "is in the private partition",
        ),
        (("list", "--datasets", "zzz"), "no public data set that matches 'zzz'"),
        (("show", "NoSuchThing"), "NoSuchThing"),
        (("show", "oddbench/AllPatientData"), "ALLPatientData"),
        (("pull", "--suite", "oddbench", "--mirror", "/no/such"), "no such folder"),
        (("audit", "--from", "/no/such", "--suite", "oddbench"), "no such folder"),
    ],
)
def test_a_wrong_call_is_one_line_and_2(run, arguments, words):
    code, out, err = run("datasets", *arguments)
    assert code == 2
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


@pytest.mark.mirror
def test_pull_says_what_it_did(run, some):
    code, out, err = run("datasets", "pull", "--suite", "oddbench", "--mirror", some)
    assert code == 0
    assert out.startswith("3 of 3 data sets in the store")
    assert "726 manifest rows are not in" in err
    code, out, err = run("datasets", "pull", "--suite", "oddbench", "--mirror", some)
    assert (code, "pull:" in err) == (0, False)


@pytest.mark.mirror
def test_pull_needs_no_hub_for_sets_that_are_all_stored(run, some, monkeypatch):
    run("datasets", "pull", "--suite", "oddbench", "--mirror", some)
    names = ",".join(file.stem for file in some.rglob("*.npz"))
    monkeypatch.delenv("ODBENCH_MIRROR", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    pull = ("datasets", "pull", "--suite", "oddbench", "--datasets")
    code, out, err = run(*pull, names)
    assert (code, err) == (0, "")
    assert out.startswith("3 of 3 data sets in the store")
    code, out, err = run(*pull, f"{names},Blood*")
    assert code != 0
    assert "cannot be reached" in err


@pytest.mark.mirror
def test_pull_with_a_broken_file_is_3_and_names_it(run, some):
    place = some / "MacrOData-CMU" / "OddBench" / "public"
    (place / "Broken.npz").write_bytes(b"nothing")
    code, out, err = run("datasets", "pull", "--suite", "oddbench", "--mirror", some)
    assert code == 3
    assert "3 of 4" in out
    assert "Broken.npz" in err


@pytest.mark.mirror
def test_verify_is_0_then_3(run, some, own_cache):
    run("datasets", "pull", "--suite", "oddbench", "--mirror", some)
    code, out, err = run("datasets", "verify", "--suite", "oddbench")
    assert (code, out) == (0, "")
    assert "3 ok" in err
    victim = next((own_cache / "features").rglob("*.arrow"))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    code, out, _ = run("datasets", "verify", "--suite", "oddbench", "--format", "json")
    assert code == 3
    (fault,) = json.loads(out)
    assert fault["id"] == f"oddbench/{victim.stem}"


@pytest.mark.mirror
@pytest.mark.parametrize("name", ["oddbench/AbandonedMineLand", "AbandonedMineLand"])
def test_show_has_manifest_and_columns(run, some, name):
    code, out, _ = run("datasets", "show", name, "--mirror", some)
    assert code == 0
    assert "SHAPEAREA" in out
    assert "6527" in out
    _, out, _ = run("datasets", "show", name, "--mirror", some, "--format", "json")
    shown = json.loads(out)
    assert shown["n_train"] == 6527
    assert shown["columns"][0]["column"] == "SF_PROBLEM_CODE"


def test_show_without_a_source_still_shows_the_manifest(run, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    code, out, _ = run("datasets", "show", "oddbench/ALLPatientData")
    assert code == 0
    assert "640dcd5dc70e561881fff709e408998bcd019cd141cb0ffa9c984c13368339c6" in out
    assert "unavailable" in out
    _, out, _ = run("datasets", "show", "oddbench/ALLPatientData", "--format", "json")
    assert json.loads(out)["columns"] == []


@pytest.mark.parametrize("named", [None, "drawn.png"])
def test_show_draws_a_synthetic_set(run, tmp_path, monkeypatch, named):
    monkeypatch.chdir(tmp_path)
    name = "gmm-subspace-045"
    file = named or f"{name}.png"
    arguments = [] if named is None else [named]
    code, out, err = run("datasets", "show", f"synbench/{name}", "--plot", *arguments)
    assert (code, err) == (0, "")
    assert out == f"synbench/{name}: drawn into {file}\n"
    assert (tmp_path / file).read_bytes().startswith(b"\x89PNG")


@pytest.mark.mirror
def test_show_draws_a_real_set(run, some, tmp_path):
    file = tmp_path / "real.png"
    code, out, _ = run(
        "datasets", "show", "AbandonedMineLand", "--mirror", some, "--plot", file
    )
    assert (code, len(out.splitlines())) == (0, 1)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written_is_one_line_and_2(run, tmp_path):
    file = tmp_path / "no" / "set.png"
    code, out, err = run(
        "datasets", "show", "synbench/gmm-subspace-045", "--plot", file
    )
    assert (code, out) == (2, "")
    assert str(file) in err
    assert len(err.splitlines()) == 1


def test_columns_that_cannot_be_had_are_a_reason_and_no_csv(run, some):
    absent = ("oddbench/AcademicAnomaly", "--mirror", some)
    code, out, err = run("datasets", "show", *absent, "--format", "csv")
    assert (code, out) == (2, "")
    assert "is not in mirror" in err
    assert len(err.splitlines()) == 1


def test_a_name_that_several_suites_have_is_asked_back(run):
    code, _, err = run("datasets", "show", "wine")
    assert code == 2
    assert "adbench/wine or ovrbench/wine" in err


def test_a_suite_and_its_subset_do_not_both_have_a_name(run):
    both = ("--suite", "synbench,synbench-mini")

    code, out, _ = run("datasets", "show", "gmm-subspace-000", *both)
    assert (code, "synbench/gmm-subspace-000" in out) == (0, True)
    _, _, err = run("datasets", "show", "gmm-subspace-00x", *both)
    near = err.partition("did you mean ")[2].partition("?")[0].split(", ")
    assert len(set(near)) == 3


@pytest.mark.parametrize("suite", ["", ","])
@pytest.mark.parametrize(
    "call", [("list",), ("pull",), ("verify",), ("show", "x"), ("columns", "x")]
)
def test_no_name_of_a_suite_is_one_line(run, suite, call):
    code, _, err = run("datasets", *call, "--suite", suite)
    assert (code, "--suite: got no name; " in err) == (2, True)


@pytest.mark.mirror
def test_audit_reports_differences_with_3_and_writes_on_demand(run, some, tmp_path):
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    arguments = ("datasets", "audit", "--from", some, "--suite", "oddbench")
    code, out, _ = run(*arguments, "--manifest", manifests)
    assert code == 3
    assert "3 new" in out
    code, out, _ = run(*arguments, "--manifest", manifests, "--write")
    assert code == 0
    assert "3 rows" in out
    code, out, _ = run(*arguments, "--manifest", manifests)
    assert code == 0


@pytest.fixture
def unlisted(tmp_path, rng):
    """A mirror of one suite, with a public and a private set that no manifest has."""
    root = tmp_path / "unlisted"
    for partition in ("public", "private"):
        place = root / "MacrOData-CMU" / "OddBench" / partition
        place.mkdir(parents=True)
        labels = {"test_labels": np.arange(9) > 6} if partition == "public" else {}
        train, test = rng.normal(size=(20, 2)), rng.normal(size=(9, 2))
        pickled = np.array({"a": 1}, dtype=object)
        np.savez(
            place / f"my {partition} one.npz",
            train=train,
            test=test,
            meta_info=pickled,
            **labels,
        )
    return root


@pytest.mark.parametrize("suite", [(), ("--suite", "oddbench")])
def test_every_verb_takes_a_mirror_of_one_suite(run, unlisted, suite, own_cache):
    options = (*suite, "--mirror", unlisted)
    code, out, _ = run("datasets", "list", *options, "--format", "json")
    (row,) = json.loads(out)
    assert (code, row["id"], row["n_train"]) == (0, "oddbench/my public one", None)
    globbed = (*options, "--datasets", "my*")
    assert run("datasets", "pull", *globbed)[:2] == (
        0,
        "1 of 1 data set in the store, 0.0 MB\n",
    )
    (row,) = json.loads(run("datasets", "list", *options, "--format", "json")[1])
    assert row["n_train"] == 20
    code, _, err = run("datasets", "verify", *globbed)
    assert (code, err) == (0, "verify: 2 unpinned\n")
    file = next((own_cache / "features").rglob("*.arrow"))
    content = bytearray(file.read_bytes())
    with np.load(next(unlisted.rglob("my public one.npz"))) as published:
        content[content.index(published["train"][3, 1].tobytes())] ^= 1
    file.write_bytes(content)
    assert run("datasets", "verify", *suite)[0] == 3
    file.unlink()
    code, out, _ = run("datasets", "audit", *options)
    assert code == 3
    assert "new      oddbench/my public one (public)" in out
    assert "new      oddbench/my private one (private)" in out


def test_without_names_a_mirror_is_pulled_and_nothing_generated(run, unlisted):
    code, out, _ = run("datasets", "pull", "--mirror", unlisted)
    assert (code, out) == (0, "1 of 1 data set in the store, 0.0 MB\n")


def test_a_set_that_a_mirror_lacks_is_looked_for_in_the_mirrors_list(run, unlisted):
    mirror = ("--mirror", unlisted)
    named = ("--suite", "oddbench", "--datasets", "ALLPatientData", *mirror)
    seen = f"see `odbench datasets list --suite oddbench --mirror {unlisted}`"

    for call in (("list",), ("pull",)):
        code, _, err = run("datasets", *call, *named)
        assert (code, "'ALLPatientData' in this mirror; " in err) == (2, True)
        assert seen in err
    _, _, err = run("run", "--detectors", "ecod", *named)
    assert seen in err


def test_an_empty_partition_does_not_advise_to_list_itself(run):
    code, _, err = run(
        "datasets", "list", "--suite", "synbench", "--partition", "private"
    )

    assert code == 2
    assert "no private data set; name a mirror that has some" in err
    assert "datasets list" not in err


@pytest.mark.parametrize(
    ("partition", "step"),
    [("public", "put npz files there"), ("private", "of such a suite are public")],
)
def test_an_empty_suite_of_ones_own_needs_no_mirror(run, tmp_path, partition, step):
    (tmp_path / "mine" / "data").mkdir(parents=True)
    (tmp_path / "mine" / "suite.toml").touch()
    place = str(tmp_path / "mine")

    code, _, err = run("datasets", "list", "--suite", place, "--partition", partition)

    assert code == 2
    assert f"no {partition} data set in" in err
    assert step in err
    assert "mirror" not in err


def test_a_data_set_of_two_named_suites_is_there_once(run):
    both = ("--suite", "synbench,synbench-mini,synbench", "--datasets", "gmm*-000")

    _, listed, _ = run("datasets", "list", *both, "--format", "json")
    _, pulled, _ = run("datasets", "pull", *both)
    _, _, verified = run("datasets", "verify", *both)

    assert [row["id"] for row in json.loads(listed)] == ["synbench/gmm-subspace-000"]
    assert pulled.startswith("1 of 1 data set in the store")
    assert verified == "verify: 1 ok\n"


def test_an_empty_glob_matches_nothing_and_is_named(run):
    for call in ("list", "pull", "verify"):
        code, _, err = run("datasets", call, "--suite", "synbench", "--datasets", "")
        assert (code, "no public data set that matches ''; see" in err) == (2, True)


def test_a_picture_and_an_explanation_are_two_calls(run, tmp_path):
    both = ("--plot", tmp_path / "a.png", "--explain", 3)
    code, _, err = run("datasets", "show", "synbench/gmm-subspace-000", *both)
    assert (code, "--plot and --explain: got both" in err) == (2, True)
    assert not list(tmp_path.glob("*.png"))


def test_files_of_a_private_partition_are_not_taken_for_own_tables(run, unlisted):
    pull = ("datasets", "pull", "--suite", "oddbench", "--mirror", unlisted)

    assert "are they your own" in run(*pull)[2]
    _, _, err = run(*pull, "--partition", "private")
    assert ("have no manifest row" in err, "are they your own" in err) == (True, False)


def test_audit_lists_what_it_measured(run, unlisted):
    options = ("--suite", "oddbench", "--mirror", unlisted, "--partition", "private")
    code, out, _ = run("datasets", "audit", *options, "--format", "json")
    (row,) = json.loads(out)
    assert code == 3
    assert (row["id"], row["status"]) == ("oddbench/my private one", "new")
    assert (row["n_train"], row["duplicate_train"], row["n_anomalies"]) == (20, 0, None)


def test_show_finds_what_only_the_mirror_or_the_store_has(run, unlisted):
    name = "oddbench/my public one"
    code, _, err = run("datasets", "show", name)
    assert (code, "unknown" in err) == (2, True)
    code, out, _ = run("datasets", "show", name, "--mirror", unlisted)
    assert code == 0
    assert re.search(r"^n_train +20$", out, re.M)
    assert run("datasets", "show", "my public one")[:2] == (0, out)
    assert run("datasets", "show", name, "--partition", "private")[0] == 2
    secret = ("--partition", "private", "--mirror", unlisted)
    code, out, _ = run("datasets", "show", "oddbench/my private one", *secret)
    assert code == 0
    assert "n_anomalies" not in out
    assert "skipped_members  meta_info\n" in out
    code, out, _ = run("datasets", "show", "my private one", *secret, "--explain", 3)
    assert (code, "label" in out) == (0, False)


def test_integers_that_float64_rounds_are_told_when_pulled_and_shown(
    run, unlisted, caplog
):
    table = np.arange(60).reshape(20, 3)
    table[:, 1] += 2**60
    place = unlisted / "MacrOData-CMU" / "OddBench" / "public"
    labels = np.arange(20) > 15
    np.savez(place / "ids.npz", train=table, test=table, test_labels=labels)

    options = ("--suite", "oddbench", "--datasets", "ids", "--mirror", unlisted)
    run("datasets", "pull", *options)
    told = [message for message in caplog.messages if "2**53" in message]
    code, out, _ = run("datasets", "show", "oddbench/ids", "--mirror", unlisted)

    assert len(told) == 2
    assert "ids.npz, member 'train': whole numbers beyond 2**53" in told[0]
    assert code == 0
    assert re.search(r"^large_integers +1$", out, re.M)
    assert re.search(r"^rounded_columns +x1$", out, re.M)
    assert re.search(r"^n_distinct_anomalies +4$", out, re.M)


def test_without_a_network_the_hub_is_one_line():
    """In a process of its own: the client reads these when it is imported."""
    for extra, words in (
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
    ):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "odbench",
                "datasets",
                "pull",
                "--suite",
                "oddbench",
            ],
            capture_output=True,
            text=True,
            env={**os.environ, **extra},
            check=False,
        )
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
