"""``odbench synbench manifest`` compares, writes, and names differences."""

import json

import pytest

from odbench.cli import main
from odbench.data import synbench_manifest
from odbench.data.manifest import parse_manifest
from odbench.synbench import suite
from odbench.synbench.facts import manifest_parameters


def run(*arguments):
    with pytest.raises(SystemExit) as done:
        main(["synbench", *arguments])
    return done.value.code


def test_sets_that_are_the_manifests_pass(capsys):
    code = run("manifest", "--match", "*-dependence-01[01]", "--jobs", "1")

    assert code == 0
    assert "every generated data set is as in the manifest" in capsys.readouterr().out


def test_sets_that_are_not_are_named_with_exit_code_3(monkeypatch, capsys):
    monkeypatch.setattr("odbench.data.manifest.read_manifest", lambda _: [])

    code = run("manifest", "--match", "copula-dependence-010", "--jobs", "1")

    assert code == 3
    shown = capsys.readouterr().out
    assert shown == "synbench/copula-dependence-010: not in the manifest\n"


def test_a_written_manifest_is_read_back(tmp_path, monkeypatch):
    names = suite.MINI[:2]
    monkeypatch.setattr(
        synbench_manifest,
        "measured",
        lambda _, jobs, suite: [
            synbench_manifest.measure_one(n, suite) for n in names[:jobs]
        ],
    )
    file = tmp_path / "synbench.csv"

    code = run("manifest", "--write", str(file), "--jobs", "2")

    assert code == 0
    records = parse_manifest(file.read_text(), where=file.name)
    assert synbench_manifest.check(records, records) == []
    assert [record.name for record in records] == sorted(suite.MINI[:2])


@pytest.mark.parametrize("name", ["gmm-subspace-010", "scm-structural-007"])
def test_manifest_parameters_are_small_canonical_json(name):
    text = manifest_parameters(suite.generate(name)[4])

    facts = json.loads(text)
    assert text == json.dumps(facts, sort_keys=True, separators=(",", ":"))
    assert len(text) < 600
    assert {"oracle_auroc", "oracle_ap", "generator_version", "prior"} <= set(facts)
