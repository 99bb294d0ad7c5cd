"""``odbench synbench manifest`` compares, writes, and names differences."""

import json

import numpy as np
import pyarrow as pa
import pytest

from odbench.cli import main
from odbench.data import synbench_manifest
from odbench.data.manifest import parse_manifest
from odbench.results import scores_file
from odbench.results.parquet import write_results
from odbench.results.schema import COLUMNS, schema
from odbench.synbench import suite
from odbench.synbench.facts import manifest_parameters
from odbench.synbench.v2.suites import SYNBENCH_2
from tests.reference.trials import trial


def run(*arguments):
    with pytest.raises(SystemExit) as done:
        main(["synbench", *arguments])
    return done.value.code


def test_a_check_of_no_data_set_is_a_wrong_call(capsys):
    assert run("manifest", "--match", "zzz", "--jobs", "1") == 2
    err = capsys.readouterr().err
    assert "no data set that matches 'zzz'; see `odbench datasets list" in err


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


def test_scores_that_beat_an_oracle_are_a_fault_with_exit_code_3(tmp_path, capsys):
    """The labels themselves are the scores of a run: no oracle is as good."""
    name = "gmm-subspace-000"
    made = SYNBENCH_2.make(name)
    row = trial(name, "cheat", 1.0, suite="synbench-2", key="k", config_id="c")
    columns = {column: row.get(column) for column in COLUMNS}
    rows = pa.Table.from_pylist([columns], schema=schema())
    write_results(rows, tmp_path / "results.parquet")
    file = scores_file(tmp_path, row)
    file.parent.mkdir(parents=True)
    np.save(file, made.y_test.astype("<f4"))

    code = run(
        "manifest", "--suite", "synbench-2", "--match", name, "--jobs", "1",
        "--scores", str(tmp_path),
    )  # fmt: skip

    assert code == 3
    shown = capsys.readouterr().out
    assert f"synbench-2/{name}: oracle is beaten by cheat (default)" in shown
    assert len(shown.splitlines()) == 1


def test_a_run_without_scores_of_the_suite_is_one_line_and_2(tmp_path, capsys):
    row = trial("a", "knn", 0.9, key="k")
    columns = {column: row.get(column) for column in COLUMNS}
    rows = pa.Table.from_pylist([columns], schema=schema())
    write_results(rows, tmp_path / "results.parquet")

    code = run("manifest", "--suite", "synbench-2", "--scores", str(tmp_path))

    assert code == 2
    assert "holds no scores of synbench-2" in capsys.readouterr().err
