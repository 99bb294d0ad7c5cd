"""Detectors are imported from files."""

from joblib import Parallel, delayed

from odbench.plugins.loaders import load


def test_functions_of_a_file_run_in_processes_of_joblib(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("ONE = 1\ndef successor(x):\n    return x + ONE\n")

    successor, _ = load(f"{file}:successor")

    assert Parallel(n_jobs=2)(delayed(successor)(x) for x in (1, 2)) == [2, 3]
