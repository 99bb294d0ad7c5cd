"""The evidence of recommendations, made from runs: each setting by itself."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from odbench.tables.recommend_evidence import read_evidence


@pytest.fixture(scope="module")
def script():
    """Import the script as a module."""
    file = Path(__file__).parents[2] / "benchmarks" / "recommend_evidence.py"
    spec = importlib.util.spec_from_file_location("recommend_evidence", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make(script, monkeypatch, capsys):
    """Run the script; return what it prints."""

    def make(out, note, *runs):
        words = [*map(str, runs), "--note", note, "--out", str(out)]
        monkeypatch.setattr("sys.argv", ["recommend_evidence.py", *words])
        script.main()
        return capsys.readouterr().out

    return make


def results(path, setting, detectors, n_sets=20, **changes):
    """Write results of some detectors whose AUROC grows with the data set."""
    rows = [
        {
            "suite": "oddbench", "dataset": f"d{i}", "protocol": setting,
            "detector": detector, "config": "default", "status": "ok",
            "family": f"f{i // 2}", "n_train": 100 + i, "n_test": 50, "n_columns": 4,
            "duplicate_train": 0.25, "auroc": 0.5 + i / 100, "ap_adjusted": 0.1234,
            "fit_seconds": 0.0123, "score_seconds": 0.001,
            "peak_memory_bytes": 1000 * i, **changes,
        }
        for detector in detectors
        for i in range(n_sets)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(path)
    return path


def test_each_setting_has_its_own_configurations(tmp_path, make):
    out = tmp_path / "evidence.parquet"
    one = results(tmp_path / "a", "one-class", ["knn", "ecod"])
    other = results(tmp_path / "b", "unsupervised", ["lof", "ecod", "hbos"], 10)

    told = make(out, "both", one, other)

    first, second = (read_evidence(s, out)[0] for s in ("one-class", "unsupervised"))
    assert (first.names, second.names) == (("ecod", "knn"), ("ecod", "hbos", "lof"))
    assert (first.auroc.shape, second.auroc.shape) == ((20, 2), (10, 3))
    assert second.explains == (True, True, False)
    assert "unsupervised: 10 data sets x 3, 0 with measured facts" in told


def test_values_are_means_rounded_and_memory_of_nothing_is_unknown(tmp_path, make):
    out = tmp_path / "evidence.parquet"
    make(out, "n", results(tmp_path / "a", "one-class", ["knn"]))

    evidence, note = read_evidence("one-class", out)

    assert (note, evidence.provenance) == ("", "n")
    np.testing.assert_allclose(np.sort(evidence.auroc[:, 0]), 0.5 + np.arange(20) / 100)
    np.testing.assert_allclose(evidence.ap, 0.123, atol=1e-6)
    np.testing.assert_allclose(evidence.seconds, 0.013, rtol=1e-6)
    assert np.isnan(evidence.memory).sum() == 1
    assert sorted(np.bincount(evidence.families)) == [2] * 10
    assert set(evidence.total_rows) == set(range(150, 170))


def test_new_runs_replace_their_setting_alone(tmp_path, make):
    out = tmp_path / "evidence.parquet"
    make(out, "old", results(tmp_path / "a", "one-class", ["knn", "ecod"]),
         results(tmp_path / "b", "unsupervised", ["lof"]))  # fmt: skip
    before = read_evidence("one-class", out)[0]

    make(out, "new", results(tmp_path / "c", "unsupervised", ["hbos", "knn"], 8))

    after, note = read_evidence("one-class", out)
    assert (note, after.provenance, after.names) == ("", "old", ("ecod", "knn"))
    np.testing.assert_array_equal(after.auroc, before.auroc)
    new = read_evidence("unsupervised", out)[0]
    assert (new.provenance, new.names, len(new.auroc)) == ("new", ("hbos", "knn"), 8)


def test_a_configuration_of_few_data_sets_does_not_drop_the_others(tmp_path, make):
    out = tmp_path / "evidence.parquet"
    few = results(tmp_path / "few", "one-class", ["ecod"], 3)

    told = make(out, "n", results(tmp_path / "a", "one-class", ["knn"]), few)

    assert "left out: ecod has results on 3 of 20 data sets" in told
    assert read_evidence("one-class", out)[0].auroc.shape == (20, 1)


def test_other_settings_and_failures_do_not_count(tmp_path, make):
    out = tmp_path / "evidence.parquet"
    make(out, "n", results(tmp_path / "a", "one-class", ["knn"]),
         results(tmp_path / "b", "transductive", ["knn"]),
         results(tmp_path / "c", "one-class", ["ecod"], status="timeout"))  # fmt: skip

    assert read_evidence("one-class", out)[0].names == ("knn",)
    assert json.loads(pq.read_schema(out).metadata[b"odbench"]).keys() == {"one-class"}


def test_a_missing_setting_is_said(tmp_path, make):
    out = tmp_path / "evidence.parquet"
    make(out, "n", results(tmp_path / "a", "one-class", ["knn"]))

    evidence, note = read_evidence("unsupervised", out)

    assert evidence.setting == "one-class"
    assert note.startswith("no unsupervised results are published with odbench yet")
