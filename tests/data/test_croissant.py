"""Croissant files of shipped suites and of suites of one's own."""

import hashlib
import importlib.util
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from odbench.cli import cli
from odbench.data.about import QUESTIONS, read_about
from odbench.data.croissant import as_text, describe_suite
from odbench.data.croissant_fields import FIELDS
from odbench.data.manifest import COLUMNS, read_manifest
from odbench.data.own import open_suite
from odbench.errors import ManifestError, UsageError
from odbench.suites import load_suites, manifest_folder, shipped_names

SUITES = shipped_names()


@pytest.fixture
def folder(tmp_path, rng):
    """A suite of one whole table, with its manifest."""
    place = tmp_path / "lab"
    (place / "data").mkdir(parents=True)
    (place / "suite.toml").write_text('title = "Ours"\nlicence = "MIT"\n')
    X, y = rng.normal(size=(40, 3)), np.arange(40) % 8 == 0
    np.savez(place / "data" / "whole.npz", X=X, y=y)
    written = CliRunner().invoke(
        cli, ["datasets", "audit", "--suite", str(place), "--write"]
    )
    assert written.exit_code == 0, written.output
    return place


def test_every_column_of_a_manifest_is_a_field():
    assert tuple(FIELDS) == COLUMNS


@pytest.mark.parametrize("name", SUITES)
def test_a_shipped_suite_has_every_required_property(name):
    told = describe_suite(load_suites()[name])

    required = (
        "@context", "@type", "conformsTo", "name", "description", "license", "url",
        "creator", "datePublished", "version", "distribution", "recordSet", "citeAs",
    )  # fmt: skip
    assert all(told[key] for key in required)
    assert all(told[f"rai:{question.rai}"] for question in QUESTIONS)


@pytest.mark.parametrize("name", SUITES)
def test_the_manifest_of_the_description_is_the_shipped_one(name):
    told = describe_suite(load_suites()[name])
    content = (manifest_folder() / f"{name}.csv").read_bytes()

    file = told["distribution"][0]

    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert file["contentSize"] == f"{len(content)} B"


def test_files_under_an_address_are_listed_with_their_hashes():
    files = describe_suite(load_suites()["adbench"])["distribution"][1:]

    rows = {row.path: row.file_sha256 for row in read_manifest("adbench")}
    assert {file["@id"]: file["sha256"] for file in files} == rows
    assert all(file["contentUrl"].startswith("https://") for file in files)


def test_a_hub_suite_is_live_and_has_its_folders():
    told = describe_suite(load_suites()["oddbench"])

    assert told["isLiveDataset"]
    includes = [file.get("includes") for file in told["distribution"]]
    assert includes == [None, None, "public/*.npz", "private/*.npz"]


def test_a_suite_of_ones_own_lists_its_files(folder):
    (folder / "about.toml").write_text(
        'personal = "None: machines."\nlicence_known = "We own it."\n'
        'creators = ["Ada", "the lab developers"]\n'
    )

    told = json.loads(as_text(describe_suite(open_suite(folder))))

    data = (folder / "data" / "whole.npz").read_bytes()
    assert told["distribution"][1]["contentUrl"] == "data/whole.npz"
    assert told["distribution"][1]["sha256"] == hashlib.sha256(data).hexdigest()
    assert told["license"] == "https://spdx.org/licenses/MIT"
    assert told["rai:personalSensitiveInformation"] == "None: machines."
    assert [c["@type"] for c in told["creator"]] == ["sc:Person", "sc:Organization"]
    assert "rai:dataBiases" not in told


def test_the_command_prints_or_writes_the_same(folder):
    out = folder / "lab.croissant.json"
    run = CliRunner().invoke

    printed = run(cli, ["datasets", "croissant", str(folder)])
    written = run(cli, ["datasets", "croissant", str(folder), "--out", str(out)])

    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert written.output == ""
    assert out.read_text(encoding="utf-8") == printed.output


def test_without_a_manifest_the_next_step_is_named(folder):
    (folder / "manifest.csv").unlink()

    with pytest.raises(UsageError, match=r"audit --suite .*lab --write"):
        describe_suite(open_suite(folder))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("personal = 3", "personal is 3; wanted a text"),
        ('creators = "Ada"', "wanted a list of texts"),
        ("creators = [1]", "wanted a list of texts"),
        ("sources = { a = 1 }", "wanted a table of texts"),
        ('answers = "x"', "unknown key 'answers'"),
        ('privat = "x"', "unknown key 'privat'"),
        ("personal = ", "Invalid value"),
        ("\xff", "about.toml"),
    ],
)
def test_a_broken_answer_is_one_line_that_names_the_file(folder, text, fault):
    (folder / "about.toml").write_bytes(text.encode("latin-1"))

    with pytest.raises(ManifestError, match=fault) as caught:
        read_about(open_suite(folder))
    assert "\n" not in str(caught.value)
    assert str(folder / "about.toml") in str(caught.value)


# A process of its own: mlcroissant warns of much that is not ours when it is loaded.
VALIDATE = """
import sys, mlcroissant
for file in sys.argv[1:]:
    suite = mlcroissant.Dataset(file)
    print(*suite.metadata.ctx.issues.warnings)
print(sum(1 for _ in suite.records("datasets")))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("mlcroissant") is None, reason="needs mlcroissant"
)
def test_mlcroissant_accepts_every_file_and_reads_a_manifest(folder):
    own = folder / "lab.croissant.json"
    own.write_text(as_text(describe_suite(open_suite(folder))), encoding="utf-8")
    shipped = [str(manifest_folder() / f"{name}.croissant.json") for name in SUITES]
    # The records of the last one are read, which takes long for large manifests.
    files = sorted(shipped, key=lambda file: "adbench" in file)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", VALIDATE, str(own), *files],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    own_warnings, *warnings, n_records = done.stdout.splitlines()
    assert warnings == [""] * len(SUITES)
    assert "datePublished" in own_warnings
    assert int(n_records) == len(read_manifest("adbench"))


def test_show_says_how_a_licence_is_known(folder):
    (folder / "about.toml").write_text('licence_known = "We own\\n  it."\n')
    shown = CliRunner().invoke(cli, ["datasets", "show", f"{folder}/whole"])

    assert re.search(r"^licence_known +We own it\.$", shown.output, re.MULTILINE)


def test_show_claims_nothing_of_a_set_without_a_licence(folder):
    (folder / "about.toml").write_text('licence_known = "We own it."\n')
    (folder / "suite.toml").write_text("")
    (folder / "manifest.csv").unlink()
    shown = CliRunner().invoke(cli, ["datasets", "show", f"{folder}/whole"])

    assert shown.exit_code == 0
    assert "licence" not in shown.output
