"""The version of a detector is that of the code which its process has loaded."""

import contextlib
import json
import threading
import time
from pathlib import Path

import psutil
import pytest

import odbench
from odbench.results import read_results

SLOW = """
import time
import numpy as np


class Mine:
    def fit(self, X):
        self.center = X.mean(axis=0)
        if len(X) != 64:
            time.sleep({seconds})
        return self

    def decision_function(self, X):
        return np.abs(X - self.center).sum(axis=1)
"""
KEEPS = """
import os
from pathlib import Path
import numpy as np


class Keeps:
    def fit(self, X):
        place = {place}
        if len(X) != 64:
            with (Path(place) / "weights.txt").open("a") as weights:
                weights.write("x")
        self.center = X.mean(axis=0)
        return self

    def decision_function(self, X):
        return np.abs(X - self.center).sum(axis=1)
"""


def run(file, made_up, out, **options):
    return odbench.run(
        "oddbench",
        detectors=[str(file)],
        mirror=str(made_up),
        out=out,
        jobs=1,
        show_progress=False,
        **options,
    )


def edit_and_restart(file: Path, out: Path) -> None:
    """Wait for a result, edit the detector, and kill the process that has loaded it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = [
            line
            for path in (out / "journal").glob("*.jsonl")
            for line in path.read_text().splitlines()
        ]
        if any("status" in json.loads(line) for line in lines if line.endswith("}")):
            break
        time.sleep(0.05)
    file.write_text(SLOW.format(seconds=0.01) + "# edited\n")
    for process in psutil.Process().children(recursive=True):
        # Processes of earlier tests may have ended meanwhile.
        with contextlib.suppress(psutil.Error):
            if "odbench.sweep.child" in " ".join(process.cmdline()):
                process.kill()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_code_that_changes_while_a_run_goes_is_recorded_as_it_was_loaded(
    made_up, tmp_path
):
    file, out = tmp_path / "mine.py", tmp_path / "out"
    file.write_text(SLOW.format(seconds=1.5))
    editor = threading.Thread(target=edit_and_restart, args=(file, out))

    editor.start()
    run(f"{file}:Mine", made_up, out)
    editor.join()
    before = read_results(out)
    run(f"{file}:Mine", made_up, out, retry_failed=True)
    after = read_results(out)

    assert before["detector_version"].nunique() == 2
    # The edited code has been tried on every data set by now.
    present = after[after["generation"] == after["generation"].max()]
    edited = set(present["detector_version"])
    assert len(edited) == 1
    done = after[after["detector_version"].isin(edited)]
    assert set(done["dataset"]) == {"Alpha", "Beta", "Gamma"}
    assert set(done["status"]) == {"ok"}


@pytest.mark.parametrize(
    "line",
    [
        "from sign_of_mine import SIGN\n",
        "import importlib as i\nSIGN = i.import_module('sign_of_mine').SIGN\n",
        "SIGN = __import__('sign_of_mine').SIGN\n",
    ],
    ids=["statement", "import_module", "__import__"],
)
def test_an_edited_module_that_a_detector_imports_is_no_finished_trial(
    made_up, tmp_path, line
):
    file = tmp_path / "mine.py"
    file.write_text(
        line + "class Mine:\n"
        "    def fit(self, X): return self\n"
        "    def decision_function(self, X): return SIGN * X[:, 0]\n"
    )
    found = []
    for sign in (1.0, -1.0):
        (tmp_path / "sign_of_mine.py").write_text(f"SIGN = {sign}\n")
        results = run(f"{file}:Mine", made_up, tmp_path / "out", limit=1)
        found.append(results[results["generation"] == results["generation"].max()])

    first, second = (part.iloc[0] for part in found)
    assert first["detector_version"] != second["detector_version"]
    assert first["auroc"] == pytest.approx(1.0 - second["auroc"])


@pytest.mark.slow
def test_two_detectors_have_each_its_own_module_of_one_name(made_up, tmp_path):
    specs = []
    for name, sign in (("A", 1), ("B", -1)):
        folder = tmp_path / name
        (folder / "parts").mkdir(parents=True)
        (folder / "parts" / "__init__.py").touch()
        (folder / "helper_of_mine.py").write_text(f"SIGN = {sign}\n")
        code = (
            "    def fit(self, X): return self\n"
            "    def decision_function(self, X): return SIGN * X[:, 0]\n"
        )
        (folder / "mine.py").write_text(
            f"from helper_of_mine import SIGN\nclass {name}:\n{code}"
        )
        (folder / "parts" / "mine.py").write_text(
            f"SIGN = {sign}\nclass Part{name}:\n{code}"
        )
        specs += [f"{folder}/mine.py:{name}", f"{folder}/parts/mine.py:Part{name}"]

    results = odbench.run(
        "oddbench", detectors=specs, mirror=str(made_up), limit=1, jobs=1,
        show_progress=False,
    )  # fmt: skip

    auroc = results.set_index("detector")["auroc"]
    assert auroc["A"] == auroc["PartA"] == pytest.approx(1.0 - auroc["B"])
    assert auroc["B"] == auroc["PartB"]


@pytest.mark.slow
def test_a_detector_keeps_files_in_its_own_place(made_up, tmp_path, own_cache):
    file = tmp_path / "keeps.py"
    file.write_text(KEEPS.format(place='os.environ["ODBENCH_DETECTOR_CACHE"]'))

    for out in ("a", "b"):
        results = run(f"{file}:Keeps", made_up, tmp_path / out, limit=1)
        assert list(results["status"]) == ["ok"]

    (kept,) = own_cache.glob("detectors/Keeps-*/weights.txt")
    assert kept.read_text() == "xx"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_detector_that_writes_elsewhere_is_told_where_it_may(made_up, tmp_path):
    file = tmp_path / "keeps.py"
    file.write_text(KEEPS.format(place="Path(__file__).parent"))

    results = run(f"{file}:Keeps", made_up, tmp_path / "out", limit=1)

    if "landlock" in results["sandbox"].iloc[0]:
        assert list(results["status"]) == ["failed"]
        assert "the sandbox lets it write to TMPDIR" in results["reason"].iloc[0]
