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
