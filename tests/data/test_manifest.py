"""Manifests: their text, their rows and their families."""

import csv
import dataclasses
import io

import pytest

from odbench.data.dataset import BEYOND_DUPLICATES, DatasetRecord
from odbench.data.family import read_families, with_families
from odbench.data.manifest import format_manifest, parse_manifest, read_manifest
from odbench.data.subsets import resolve, rows_of
from odbench.errors import ManifestError, UsageError
from odbench.suites import load_suites, read_suites

MEASURED = ("adbench", "oddbench", "ovrbench")


def test_the_suites_are_those_of_the_command_line():
    assert {"adbench", "oddbench", "ovrbench"} <= set(load_suites())
    assert load_suites()["oddbench"].published_size == 790


@pytest.mark.parametrize("suite", MEASURED)
def test_a_manifest_is_written_as_it_is_read(suite):
    from odbench.suites import manifest_folder

    text = (manifest_folder() / f"{suite}.csv").read_text(encoding="utf-8")
    records = parse_manifest(text, where=suite)
    assert format_manifest(reversed(records)) == text


def test_the_manifests_have_the_rows_that_were_measured():
    counts = {
        (suite, part): sum(r.partition == part for r in rows_of(suite))
        for suite in MEASURED
        for part in ("public", "private")
    }
    assert counts == {
        ("adbench", "public"): 43,
        ("adbench", "private"): 0,
        ("oddbench", "public"): 729,
        ("oddbench", "private"): 30,
        ("ovrbench", "public"): 595,
        ("ovrbench", "private"): 0,
    }


def test_no_row_is_without_a_family():
    assert all(row.family for suite in load_suites() for row in rows_of(suite))


@pytest.mark.parametrize("suite", MEASURED)
def test_every_row_is_complete_and_private_ones_say_nothing_of_labels(suite):
    for row in rows_of(suite):
        assert row.suite == suite
        assert min(row.n_train, row.n_test, row.n_columns) > 0
        assert len(row.content_sha256) == len(row.file_sha256) == 64
        assert row.licence
        assert row.family
        depends = (row.n_anomalies, row.anomalies_in_train, row.label_conflict)
        if row.partition == "private":
            assert depends == (None, None, None)
            beyond = [getattr(row, name) for name in BEYOND_DUPLICATES]
            assert set(beyond[:-1]) == {None}
            assert not {"few_anomalies", "many_anomalies"} & set(row.tags)
        else:
            assert None not in depends
            assert 0 < row.n_anomalies < row.n_test


def header():
    return format_manifest([])


def row(**values):
    record = DatasetRecord(name="one", suite="tiny", n_train=3, **values)
    return format_manifest([record]).splitlines()[1] + "\n"


def test_nothing_is_written_as_nothing():
    record = DatasetRecord(name="one", suite="tiny", n_train=3, label_conflict=0)
    (again,) = parse_manifest(format_manifest([record]), where="x")
    assert again == record
    assert again.n_anomalies is None
    assert again.label_conflict == 0


def test_a_manifest_of_an_earlier_version_can_be_read():
    record = DatasetRecord(name="one", suite="tiny", n_train=3, ceiling_ap=0.5)
    rows = csv.DictReader(io.StringIO(format_manifest([record])))
    kept = [name for name in rows.fieldnames if name not in BEYOND_DUPLICATES]
    earlier = io.StringIO()
    out = csv.DictWriter(earlier, kept, extrasaction="ignore")
    out.writeheader()
    out.writerows(rows)
    (again,) = parse_manifest(earlier.getvalue(), where="x")
    assert again == dataclasses.replace(record, ceiling_ap=None)


def test_measured_rows_respect_what_the_fields_mean():
    for name in MEASURED:
        for row in rows_of(name):
            if row.n_distinct_test is None:
                continue
            assert 0 < row.n_distinct_anomalies <= row.n_anomalies
            assert row.n_distinct_anomalies < row.n_distinct_test <= row.n_test
            assert 0.5 <= row.ceiling_auroc <= 1
            assert row.n_anomalies / row.n_test < row.ceiling_ap <= 1
            # An anomaly that equals a test inlier is a conflict.
            assert row.label_conflict or row.ceiling_auroc == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,suite\na,b\n", "columns"),
        (lambda: header() + row() + row(), "line 3.*'one' is given twice"),
        (lambda: header() + row().replace(",3,", ",three,", 1), "line 2.*n_train"),
        (lambda: header() + row().replace("public", "secret", 1), "secret"),
        (
            lambda: header() + row().replace("one", "../one", 1),
            "not a valid data set name",
        ),
        ("", "columns .* are missing"),
        (lambda: header() + row()[:-1] + ",extra\n", "line 2: .* fields; wanted"),
        (lambda: header() + "one,tiny,public\n", "line 2: 3 fields; wanted"),
        (lambda: header()[:-1] + ",name\n" + row(), "a column twice"),
        (lambda: header() + row(n_test=-4), "n_test: got '-4', wanted a whole number"),
        (lambda: header() + row(n_test=10**400), "n_test: got '1000"),
        (
            lambda: header() + row().replace(",3,", f",{'9' * 5000},", 1),
            "n_train: got '9999",
        ),
        (lambda: header() + row(test_in_train=float("nan")), "got 'nan', wanted a sh"),
        (lambda: header() + row(test_in_train=1.5), "got '1.5', wanted a share from 0"),
        (
            lambda: header() + row(label_conflict=0.5),
            "got '0.5', wanted a whole number",
        ),
        (lambda: header() + '"' + "x" * 200_000, "not CSV"),
    ],
)
def test_a_malformed_manifest_is_one_line(text, words):
    with pytest.raises(ManifestError, match=words) as caught:
        parse_manifest(text if isinstance(text, str) else text(), where="tiny.csv")
    assert "tiny.csv" in str(caught.value)


def test_a_manifest_that_is_not_utf8_is_one_line(tmp_path):
    file = tmp_path / "tiny.csv"
    file.write_bytes(header().encode() + row().encode() + b"\xff")
    with pytest.raises(
        ManifestError, match=r"^manifest tiny\.csv: is not UTF-8 \(byte"
    ):
        read_manifest("tiny", tmp_path)


FINE = 'name="x"\ntitle="x"\ntransport="hub"\n'


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        FINE + "licence = 5",
        FINE + "position = 1.5",
        FINE + 'sizes = "many"',
        FINE + 'sizes = {public = "many"}',
        FINE + "folders = {public = 1}",
        FINE + "subsets = {a = 1}",
        FINE + "x = " + "[" * 100_000,
        "title = 1" + FINE[8:],
    ],
)
def test_a_description_of_other_types_is_one_line(tmp_path, text):
    (tmp_path / "x.toml").write_bytes(text if type(text) is bytes else text.encode())
    with pytest.raises(ManifestError, match=r"x\.toml"):
        read_suites(tmp_path)


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"families = 5", b"", b"[families]\na = 1", b"[families]\na = [1]"],
)
def test_malformed_families_are_one_line(tmp_path, text):
    (tmp_path / "families.toml").write_bytes(text)
    with pytest.raises(ManifestError, match=r"families\.toml"):
        read_families(tmp_path)


@pytest.mark.parametrize(
    "text", ["name = ", 'name = "x"', 'name="x"\ntitle="x"\ntransport="pigeon"']
)
def test_a_malformed_description_is_one_line(tmp_path, text):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(ManifestError, match=r"x\.toml"):
        read_suites(tmp_path)


def test_a_suite_without_a_manifest_has_no_rows(tmp_path):
    assert read_manifest("tiny", tmp_path) == []


def test_an_unknown_suite_names_those_there_are():
    with pytest.raises(UsageError, match="oddbench"):
        resolve("oddbnch")
    with pytest.raises(UsageError, match="oddbench"):
        resolve("oddbench-nosuch")


def test_families_name_sets_that_exist():
    known = {row.id for suite in MEASURED for row in rows_of(suite)}
    assert set(read_families()) <= known


def record(name, **values):
    return DatasetRecord(name=name, suite="tiny", **values)


def families(*records, named=None):
    return [r.family for r in with_families(records, named or {})]


def test_one_repository_is_one_family_whatever_the_case():
    url = "https://github.com/{}/blob/master/{}.csv"
    found = families(
        record("a", source_url=url.format("Some/Tables", "a")),
        record("b", source_url=url.format("some/tables", "b")),
        record("c", source_url=url.format("other/tables", "c")),
    )
    assert found == ["github:some/tables", "github:some/tables", "github:other/tables"]


def test_a_set_without_a_source_is_its_own_family():
    assert families(record("a"), record("b")) == ["tiny/a", "tiny/b"]


def test_the_same_content_joins_families():
    url = "https://github.com/x/y/blob/master/z.csv"
    found = families(
        record("a", content_sha256="1"),
        record("b", content_sha256="1", source_url=url),
        record("c", source_url=url),
        record("d", content_sha256="2", source_url=url),
        record("e", content_sha256="2"),
        named={"tiny/e": "by-hand"},
    )
    assert found == ["by-hand"] * 5


def test_families_do_not_depend_on_the_order(rng):
    records = [dataclasses.replace(r, family="") for r in rows_of("ovrbench")]
    expected = {r.name: r.family for r in rows_of("ovrbench")}
    for _ in range(3):
        rng.shuffle(records)
        assert {r.name: r.family for r in with_families(records)} == expected


def test_a_set_that_is_named_twice_is_refused(tmp_path):
    text = '[families]\na = ["tiny/x"]\nb = ["tiny/x"]\n'
    (tmp_path / "families.toml").write_text(text)
    with pytest.raises(ManifestError, match="tiny/x"):
        read_families(tmp_path)
