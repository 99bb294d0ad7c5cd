"""`odbench.run` says as much as `odbench run`: by warnings and on its result."""

import os
import signal
import threading
import time
import warnings

import pandas as pd
import pytest

import odbench
from odbench.cli import main
from odbench.errors import RunBrokenError
from tests.sweep.conftest import HOSTILE, write_set


@pytest.fixture
def half_broken(tmp_path):
    """A mirror with two data sets, one of them cut short."""
    folder = tmp_path / "mirror/MacrOData-CMU/OddBench/public"
    for seed, name in enumerate(["Good", "Torn"]):
        write_set(folder / f"{name}.npz", seed)
    torn = folder / "Torn.npz"
    torn.write_bytes(torn.read_bytes()[:700])
    return tmp_path / "mirror"


@pytest.fixture
def ask(half_broken, tmp_path):
    """Run without a bar, and return the results and the warnings."""

    def run(detectors, **options):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("default")
            results = odbench.run(
                "oddbench", detectors=detectors, mirror=str(half_broken), jobs=1,
                show_progress=False, **options,
            )  # fmt: skip
        return results, told

    return run


@pytest.mark.slow
def test_a_data_set_that_cannot_be_used_is_told(ask, half_broken, capsys):
    results, told = ask(["ecod"])

    assert set(results["dataset"]) == {"Good"}
    (warning,) = told
    assert warning.category is UserWarning
    # The warning points at the call.
    assert warning.filename == __file__
    text = str(warning.message)
    assert text.startswith("not used: ")
    assert "archive Torn.npz" in text
    assert results.attrs["faults"] == [text.removeprefix("not used: ")]
    assert results.attrs["summary"] == {
        "asked": 1, "done_before": 0, "counts": {"ok": 1},
    }  # fmt: skip
    main_says = ["run", "-s", "oddbench", "-d", "ecod", "-q", "--mirror"]
    with pytest.raises(SystemExit):
        main([*main_says, str(half_broken), "--out", str(half_broken / "out")])
    assert f"odbench: {text}\n" in capsys.readouterr().err


def test_where_no_data_set_can_be_used_an_error_is_raised(ask, half_broken):
    (half_broken / "MacrOData-CMU/OddBench/public/Good.npz").unlink()

    with pytest.raises(RunBrokenError, match=r"^no data set could be loaded: .*Torn"):
        ask(["ecod"])


def test_failed_trials_are_told_once_per_configuration(ask, tmp_path):
    broken = f"{HOSTILE}:Raises"

    results, told = ask(["ecod", broken], out=tmp_path / "out")
    again, told_again = ask(["ecod", broken], out=tmp_path / "out")

    texts = [str(warning.message) for warning in told]
    assert [text for text in texts if "1 failed, mostly:" in text]
    assert len(texts) == len(set(texts)) == 2
    assert [str(warning.message) for warning in told_again] == texts
    assert results.attrs["summary"]["counts"] == {"ok": 1, "failed": 1}
    assert again.attrs["summary"]["done_before"] == 2
    assert again.equals(results)


def test_results_with_faults_are_written_and_read(ask, tmp_path):
    results, _ = ask(["ecod"])

    results.to_parquet(tmp_path / "copy.parquet")

    copy = pd.read_parquet(tmp_path / "copy.parquet")
    assert copy.attrs["faults"] == results.attrs["faults"]


def test_ctrl_c_reaches_the_caller_after_finished_trials_are_kept(ask, tmp_path):
    out = tmp_path / "out"
    specs = [f"{HOSTILE}:Slow:seconds={0.1 + 0.01 * i}" for i in range(60)]

    def interrupt():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            journals = (out / "journal").glob("*.jsonl")
            if any('"key"' in path.read_text() for path in journals):
                break
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt, match=r"finished trials are in .*out"):
        ask(specs, out=out)
    thread.join()

    assert 0 < len(odbench.read_results(out)) < 60
