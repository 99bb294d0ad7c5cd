"""A run's description says which linear algebra computed its numbers."""

import json

import odbench


def test_run_json_names_the_kernels_and_what_chose_them(made_up, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    odbench.run(
        "oddbench",
        detectors="hbos",
        mirror=str(made_up),
        datasets="Gamma",
        out=tmp_path / "run",
        jobs=1,
        show_progress=False,
    )
    entry = json.loads((tmp_path / "run" / "run.json").read_text())

    assert entry["instructions"] == {"OPENBLAS_CORETYPE": "Haswell"}
    assert entry["linear_algebra"]
    for library in entry["linear_algebra"]:
        assert set(library) == {"library", "version", "kernels"}
        assert library["library"]


READS_THE_VARIABLE = """
import os


class Tells:
    def fit(self, X):
        assert os.environ["ATEN_CPU_CAPABILITY"] == "avx2"
        return self

    def decision_function(self, X):
        return X[:, 0]
"""


def test_a_recorded_variable_reaches_the_detector(made_up, tmp_path, monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    (tmp_path / "tells.py").write_text(READS_THE_VARIABLE)

    results = odbench.run(
        "oddbench",
        detectors=f"{tmp_path / 'tells.py'}:Tells",
        mirror=str(made_up),
        datasets="Gamma",
        out=tmp_path / "run",
        jobs=1,
        show_progress=False,
    )

    assert list(results["status"]) == ["ok"]
    entry = json.loads((tmp_path / "run" / "run.json").read_text())
    assert entry["instructions"] == {"ATEN_CPU_CAPABILITY": "avx2"}
