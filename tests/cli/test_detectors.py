"""``odbench detectors``: what it prints and what it returns."""

import json
import os
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from odbench.cli.detectors import detectors
from odbench.errors import MissingExtraError
from odbench.plugins.check.contract import PROBES, check_detector
from odbench.plugins.find import find_detector

GOOD = """
import numpy as np

class Good:
    def __init__(self, k=1):
        self.k = k
    def get_params(self, deep=True):
        return {"k": self.k}
    def fit(self, X):
        self.mean = X.mean(axis=0)
    def decision_function(self, X):
        return ((X - self.mean) ** 2).sum(axis=1)
"""
FAULTS = {
    "orientation": "return -((X - self.mean) ** 2).sum(axis=1)",
    "scores": "return ((X - self.mean) ** 2)",
    "one column": "return 1 / (X.shape[1] - 1) * ((X - self.mean) ** 2).sum(axis=1)",
    "determinism": "return ((X - self.mean) ** 2).sum(axis=1) + np.random.rand(len(X))",
    "variety": "return np.ones(len(X))",
    "input": "X *= 2; return (X ** 2).sum(axis=1)",
    "constant": "return (X ** 2 / (X.std(axis=0) > 0)).sum(axis=1)",
}


def call(*args):
    return CliRunner().invoke(detectors, args)


def test_list_shows_the_zoo_and_families():
    rows = json.loads(call("list", "--format", "json").stdout)
    by_name = {row["detector"]: row for row in rows}

    assert by_name["knn"]["params"] == {"k": 5, "method": "largest"}
    assert by_name["knn"]["grid"]["k"] == [1, 5, 10, 20, 50]
    assert by_name["pyod.LODA"]["requires"] == ["pyod"]
    assert "knn" in call("list").stdout
    assert call("list", "--format", "csv").stdout.count("\n") == len(rows) + 1


def test_show_tells_everything():
    facts = json.loads(call("show", "knn:k=20", "--format", "json").stdout)

    assert facts["config"] == "k=20"
    assert facts["configurations"] == ["k=20", "k=20,method=mean"]
    assert "https://doi.org/" in call("show", "knn").stdout


def test_a_detector_whose_needs_are_not_installed_is_shown(tmp_path):
    (tmp_path / "wants.py").write_text(
        "from odbench.detector import DetectorInfo\n"
        "INFO = DetectorInfo(name='wants', summary='s', build=dict, params={'k': 3},"
        " requires=('no_such_lib',))\n"
    )
    spec = f"{tmp_path / 'wants.py'}:INFO"

    shown = call("show", spec, "--format", "json")

    facts = json.loads(shown.stdout)
    assert shown.exit_code == 0
    assert (facts["installed"], facts["requires"]) == (False, ["no_such_lib"])
    with pytest.raises(MissingExtraError, match="needs no_such_lib, which is not ins"):
        CliRunner().invoke(detectors, ["check", spec], catch_exceptions=False)


def test_check_of_a_good_detector_returns_0(tmp_path):
    (tmp_path / "good.py").write_text(GOOD)
    result = call("check", f"{tmp_path / 'good.py'}:Good")

    assert result.exit_code == 0, result.output
    assert "22 probes: 0 failed, 0 warned" in result.stderr


@pytest.mark.parametrize("probe", list(FAULTS))
@pytest.mark.filterwarnings("ignore")
def test_check_finds_what_is_wrong(tmp_path, probe):
    body = GOOD.replace("return ((X - self.mean) ** 2).sum(axis=1)", FAULTS[probe])
    (tmp_path / "bad.py").write_text(body)
    result = call("check", f"{tmp_path / 'bad.py'}:Good", "--format", "json")
    verdicts = {row["probe"]: row["verdict"] for row in json.loads(result.stdout)}

    assert result.exit_code == 3
    assert verdicts[probe] == "fail"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return np.full(len(X), np.nan)", "110 of 110 scores are NaN or infinite"),
        ("return np.zeros(3)", "scores have shape (3,); return shape (110,)"),
        ("raise SystemExit(5)", "raised SystemExit: 5"),
        ("raise ValueError('too few')", "raised ValueError: too few"),
    ],
)
def test_check_of_a_detector_without_scores_says_so_once(tmp_path, body, said):
    """Comparisons with scores that are not there said what is not true."""
    text = GOOD.replace("return ((X - self.mean) ** 2).sum(axis=1)", body)
    (tmp_path / "bad.py").write_text(text)

    result = call("check", f"{tmp_path / 'bad.py'}:Good", "--format", "json")

    (row,) = json.loads(result.stdout)
    assert (result.exit_code, row["probe"], row["verdict"]) == (3, "scores", "fail")
    assert said in row["message"]
    assert "the 21 probes that need these scores were not run" in row["message"]
    assert "1 probe: 1 failed, 0 warned" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "said", "place"),
    [
        ("while True: pass", "did not end within 10 s; stderr names", "in fit"),
        (
            "os.kill(os.getpid(), signal.SIGSEGV)",
            "killed its process by SIGSEGV",
            "fit",
        ),
        ("os.kill(os.getpid(), signal.SIGKILL)", "by SIGKILL; out of memory?", ""),
        ("os._exit(0)", "ended its process with exit code 0", ""),
    ],
)
def test_check_survives_a_detector_that_hangs_or_crashes(
    tmp_path, capfd, body, said, place
):
    when = f"if len(X) == 3:\n            {body}\n        self.mean = "
    text = GOOD.replace("self.mean = ", when)
    (tmp_path / "bad.py").write_text(f"import os, signal\n{text}")

    spec = f"{tmp_path / 'bad.py'}:Good"
    result = call("check", spec, "--timeout", "10s", "--format", "json")

    *before, last = json.loads(result.stdout)
    assert (result.exit_code, last["probe"], last["verdict"]) == (3, "few rows", "fail")
    assert {row["verdict"] for row in before} == {"ok"}
    assert said in last["message"]
    assert last["message"].endswith("; not run after it: 7 probes")
    assert place in capfd.readouterr().err


def test_a_changed_input_is_not_taken_for_other_faults(tmp_path):
    text = GOOD.replace("return ((X -", "X *= 0.1; return ((X -")
    (tmp_path / "bad.py").write_text(text)

    found = check_detector(find_detector(f"{tmp_path / 'bad.py'}:Good"))

    failed = {each.probe for each in found if each.verdict != "ok"}
    assert failed == {"input", "read-only", "own rows"}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(
    "body",
    [
        # The child goes on to the next probes, or keeps the output open for long.
        "len(X) == 3 and os.fork()",
        "len(X) == 3 and (os.fork() or time.sleep(600))",
    ],
)
def test_check_listens_to_no_process_that_a_detector_forked(tmp_path, body):
    text = GOOD.replace("self.mean = ", f"{body}\n        self.mean = ")
    (tmp_path / "bad.py").write_text(f"import os, time\n{text}")
    spec = f"{tmp_path / 'bad.py'}:Good"
    started = time.monotonic()

    result = call("check", spec, "--timeout", "60s", "--format", "json")

    assert time.monotonic() - started < 60
    rows = json.loads(result.stdout)
    assert [row["probe"] for row in rows] == list(PROBES)


def test_check_wants_a_time_above_0_and_takes_any(tmp_path):
    (tmp_path / "good.py").write_text(GOOD)
    spec = f"{tmp_path / 'good.py'}:Good"
    result = call("check", spec, "--timeout", "0")

    assert call("check", spec, "--timeout", "9999999999h").exit_code == 0
    assert str(result.exception) == (
        "--timeout: got 0, wanted a time above 0, such as 90s or 5m"
    )


def test_few_rows_are_named_once(tmp_path):
    body = GOOD.replace(
        "return ((X - self.mean) ** 2)",
        "return ((X - self.mean) ** 2 / (self.n > 3 or np.nan))",
    ).replace("self.mean = ", "self.n = len(X); self.mean = ")
    (tmp_path / "few.py").write_text(body)
    findings = check_detector(find_detector(f"{tmp_path / 'few.py'}:Good"))
    few = next(f for f in findings if f.probe == "few rows")

    assert few.verdict == "warn"
    assert few.message.count("three training rows") == 1


def test_what_a_detector_prints_stays_out_of_the_results(tmp_path, capfd):
    text = GOOD.replace("self.mean = ", "print('noise'); self.mean = ")
    (tmp_path / "loud.py").write_text(f"print('noise')\n{text}")

    for verb in ("check", "show"):
        result = call(verb, f"{tmp_path / 'loud.py'}:Good", "--format", "json")
        assert json.loads(result.stdout), verb
        # `check` runs it in another process, whose stderr is that of this one.
        assert "noise" in capfd.readouterr().err or verb == "show"


def test_check_gives_a_detector_no_processes_from_joblib_as_a_run_gives_none(tmp_path):
    body = GOOD.replace(
        "return ((X - self.mean) ** 2).sum(axis=1)",
        "from joblib import Parallel, delayed\n"
        "        tasks = (delayed(distance)(row, self.mean) for row in X)\n"
        "        return np.array(Parallel(n_jobs=2)(tasks))",
    )
    (tmp_path / "pool.py").write_text(
        f"{body}\ndef distance(row, mean):\n    return ((row - mean) ** 2).sum()\n"
    )
    result = call("check", f"{tmp_path / 'pool.py'}:Good")

    assert result.exit_code == 0, result.output


def test_check_calls_dependence_on_the_batch_a_warning(tmp_path):
    body = GOOD.replace("X - self.mean", "X - X.mean(axis=0)")
    (tmp_path / "batch.py").write_text(body)
    findings = check_detector(find_detector(f"{tmp_path / 'batch.py'}:Good"))
    batch = next(f for f in findings if f.probe == "batch")

    assert batch.verdict == "warn"
    assert "transductive" in batch.message


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("return np.zeros(len(X) - 1)", "shape"),
        ("return np.full(len(X), np.nan)", "0 of them finite"),
        ("X[:] = 0; return np.zeros(len(X))", "changes its input"),
        ("return np.random.default_rng().normal(size=len(X))", "two calls"),
    ],
)
def test_check_tries_the_scores_of_fitted_rows(tmp_path, body, word):
    method = f"\n    def fit_score(self, X):\n        {body}\n"
    (tmp_path / "own.py").write_text(GOOD.rstrip() + "\n" + method)
    findings = check_detector(find_detector(f"{tmp_path / 'own.py'}:Good"))
    own = next(f for f in findings if f.probe == "own rows")

    assert own.verdict == "fail"
    assert word in own.message


def test_pyods_ecod_is_transductive_as_declared():
    pytest.importorskip("pyod")
    findings = check_detector(find_detector("pyod.ECOD"))
    batch = next(f for f in findings if f.probe == "batch")

    assert (batch.verdict, batch.message[:12]) == ("ok", "transductive")


def test_a_new_file_passes_its_own_test(tmp_path):
    result = call("new", "my_detector", "--into", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert call("check", f"{tmp_path / 'my_detector.py'}:MyDetector").exit_code == 0
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout


def test_a_new_package_has_what_pip_needs(tmp_path):
    result = call("new", "fancy_one", "--package", "--into", str(tmp_path))
    root = tmp_path / "odbench-fancy-one"

    assert result.exit_code == 0, result.output
    assert 'fancy_one = "odbench_fancy_one.detector:FancyOne"' in (
        root / "pyproject.toml"
    ).read_text("utf-8")
    assert (
        call("check", f"{root}/odbench_fancy_one/detector.py:FancyOne").exit_code == 0
    )
    # The check may have left bytecode.
    files = [f for f in root.rglob("*") if f.is_file() and f.suffix != ".pyc"]
    texts = [f.read_text("utf-8") for f in files]
    assert not any("@NAME@" in text or "@CLASS@" in text for text in texts)


@pytest.mark.parametrize("name", ["Upper", "1st", "a-b", "class", ""])
def test_a_name_that_cannot_be_typed_is_refused(name, tmp_path):
    assert call("new", name, "--into", str(tmp_path)).exit_code != 0
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path):
    call("new", "mine", "--into", str(tmp_path))
    (tmp_path / "mine.py").write_text("precious")

    assert call("new", "mine", "--into", str(tmp_path)).exit_code != 0
    assert (tmp_path / "mine.py").read_text() == "precious"
