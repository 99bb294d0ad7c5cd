"""Detectors that misbehave: the sweep names each fault and goes on."""

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import time

import psutil
import pytest

import odbench
from odbench.results import STATUSES
from odbench.results.schema import ENVIRONMENT

# The version of the kernel's sandbox, 0 where there is none.
LANDLOCK = max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))

# Failures are expected here; `odbench.run` warns of them.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

CAUSES = {
    "LoopsForEver": ("timeout", "over the limit of 3 s"),
    "WaitsInNativeCode": ("timeout", "over the limit of 3 s"),
    "IgnoresTermination": ("timeout", "over the limit of 3 s"),
    "ForksAndHangs": ("timeout", "over the limit of 3 s"),
    "EatsMemory": ("memory", "GiB"),
    "EatsMemoryInADaemon": ("memory", "GiB"),
    "HidesMemory": ("memory", "GiB resident, over the limit"),
    "RunsOutOfMemory": ("memory", "MemoryError: Unable to allocate 8.00 PiB"),
    "KillsItself": ("killed", "killed by SIGKILL; out of memory?"),
    "Segfaults": ("killed", "SIGSEGV"),
    "SendsItselfARealTimeSignal": ("killed", "killed by signal 40"),
    "Exits": ("killed", "code 3"),
    "RaisesSystemExit": ("failed", "SystemExit: enough"),
    "RaisesBytesThatAreNoText": ("failed", r"bad byte \udce9, \x1b[31m red"),
    "AssertsWithoutText": ("failed", "AssertionError (hostile.py:"),
    "RaisesWithoutMessage": ("failed", "MuteError: its message cannot be made"),
    "Raises": ("failed", "ValueError: no luck with these rows (hostile.py:"),
    "PrintsAGigabyte": ("ok", ""),
    "DigsDeep": ("ok", ""),
    "LeavesADaemon": ("ok", ""),
    "ForksAndGoesOn": ("ok", ""),
    "WritesToTheSocket": ("killed", "broke the protocol"),
    "SaysThatAllIsWell": ("killed", "an answer to no request"),
    "SaysALot": ("killed", "broke the protocol"),
    "GivesNaN": ("nonfinite", "3 of 114 scores are not finite"),
    "GivesOneTooFew": ("shape", "scores of shape [113], wanted [114]"),
    "GivesText": ("failed", "wanted one float per row"),
}


def test_every_status_is_caused():
    caused = {status for status, _ in CAUSES.values()}

    # No detector can cause a fault of the environment; see test_environment.py.
    assert caused == set(STATUSES) - {ENVIRONMENT}


def run(made_up, hostile, names, **options):
    options = {"jobs": 1, "timeout": 60.0, "show_progress": False} | options
    return odbench.run(
        "oddbench",
        detectors=[hostile(n) for n in names],
        mirror=str(made_up),
        **options,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CAUSES)
def test_a_fault_is_named_and_the_sweep_goes_on(made_up, hostile, name):
    status, reason = CAUSES[name]

    results = run(
        made_up,
        hostile,
        [name, "Plain"],
        datasets="Gamma",
        memory_limit=1.0,
        timeout=3.0 if status == "timeout" else 60.0,
    ).set_index("detector")

    assert results.loc[name, "status"] == status
    assert reason in results.loc[name, "reason"]
    assert results.loc["Plain", "status"] == "ok"
    assert results.loc["Plain", "auroc"] > 0.9
    assert not left_over("odbench-grandchild")
    assert not left_over("odbench-leftover")


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock")
def test_no_way_leads_to_the_labels(made_up, hostile, own_cache):
    spec = hostile(f"ReadsLabels:root={str(own_cache)!r}")

    results = odbench.run(
        "oddbench",
        detectors=[spec],
        mirror=str(made_up),
        datasets="Gamma",
        show_progress=False,
    )

    assert list(results["status"]) == ["ok"], results["reason"].tolist()
    # The labels exist, and the sweep itself has read them.
    assert (own_cache / "labels/oddbench/public/Gamma.arrow").is_file()
    assert results["auroc"].notna().all()


def test_a_cache_that_is_named_from_here_serves_detectors_elsewhere(
    made_up, hostile, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODBENCH_CACHE", "cache")

    results = run(made_up, hostile, ["Plain"], limit=1)

    assert list(results["status"]) == ["ok"], results["reason"].tolist()


def test_a_failed_trial_has_no_numbers(made_up, hostile):
    row = run(made_up, hostile, ["GivesNaN"], limit=1).iloc[0]

    assert row[["auroc", "ap", "ap_adjusted", "f1"]].isna().all()


def test_nothing_that_a_detector_started_outlives_the_run(made_up, hostile):
    results = run(made_up, hostile, ["LeavesAChild"], limit=1)

    assert list(results["status"]) == ["ok"]
    assert not left_over("odbench-leftover")


def test_a_detector_that_changes_its_input_does_not_affect_others(made_up, hostile):
    alone = run(made_up, hostile, ["Plain"])

    after = run(made_up, hostile, ["ChangesItsInput", "Plain"])

    plain = after[after["detector"] == "Plain"].reset_index(drop=True)
    assert list(plain["auroc"]) == list(alone["auroc"])
    # Positions say nothing either, because rows are not in the order of the labels.
    by_position = after[after["detector"] == "ChangesItsInput"]["auroc"]
    assert by_position.between(0.2, 0.8).all()


def test_folder_and_environment_are_fresh_for_each_trial(made_up, hostile):
    results = run(made_up, hostile, ["ChangesDirectory", "SeesDirectory"])

    assert (results["status"] == "ok").all(), results["reason"].tolist()


def test_the_global_generators_are_seeded_for_each_trial(made_up, hostile):
    names = ["DrawsFromTheGlobalGenerator"]
    alone = run(made_up, hostile, names)

    after = run(made_up, hostile, ["SeedsTheGlobalGenerator", *names])

    drawn = after[after["detector"] == names[0]]
    assert list(drawn["auroc"]) == list(alone["auroc"])
    # Data sets and seeds have different random states.
    assert alone["auroc"].nunique() == len(alone)


@pytest.mark.slow
def test_a_detector_whose_worker_dies_costs_only_itself(made_up, hostile, tmp_path):
    out, done = tmp_path / "out", threading.Event()
    killer = threading.Thread(
        target=killing_the_worker, args=(out, "WaitsForDeath", done)
    )
    killer.start()
    try:
        results = run(
            made_up, hostile, ["WaitsForDeath", "Plain"], jobs=2, timeout=20.0, out=out
        ).set_index(["detector", "dataset"])
    finally:
        done.set()
        killer.join()

    assert set(results.loc["WaitsForDeath", "status"]) == {"killed"}
    assert "its worker died 3 times" in results.loc["WaitsForDeath", "reason"].iloc[0]
    assert set(results.loc["Plain", "status"]) == {"ok"}
    assert len(results) == 6


@pytest.mark.skipif(LANDLOCK < 6, reason="this kernel lets it send signals (< 6.12)")
def test_a_detector_cannot_stop_its_worker(made_up, hostile):
    results = run(made_up, hostile, ["StopsItsWorker", "Plain"], limit=1)

    results = results.set_index("detector")
    assert results.loc["StopsItsWorker", "reason"].startswith("PermissionError")
    assert results.loc["Plain", "status"] == "ok"


@pytest.mark.skipif(LANDLOCK < 1, reason="this kernel hides no shared memory (< 5.13)")
def test_a_detector_that_uses_multiprocessing_is_told_what_it_may_use(made_up, hostile):
    names = ["MakesASocket", "UsesProcesses"]
    results = run(made_up, hostile, names, limit=1).set_index("detector")

    reasons = results["reason"]
    assert "no locks or pools of multiprocessing" in reasons["UsesProcesses"]
    assert reasons["MakesASocket"].endswith("; the sandbox does not allow it")


@pytest.mark.slow
def test_a_process_that_dies_between_two_data_sets_is_replaced(made_up, hostile):
    results = run(made_up, hostile, ["DiesLater", "Slow:seconds=0.5"])

    assert len(results) == 6
    # Its crash may end its own trial or the other one; each has a result.
    assert set(results["status"]) <= {"ok", "killed"}


@pytest.mark.slow
@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock")
def test_files_of_the_run_and_the_store_are_out_of_reach(
    made_up, hostile, own_cache, tmp_path
):
    out = tmp_path / "out"
    spec = hostile(f"MeddlesWithTheRun:root={str(own_cache)!r},out={str(out)!r}")
    options = {"mirror": str(made_up), "show_progress": False, "out": out}
    odbench.run("oddbench", detectors=["knn"], **options)

    results = odbench.run("oddbench", detectors=[spec], **options)

    assert set(results["status"]) == {"ok"}, results["reason"].tolist()


@pytest.mark.skipif(sys.platform != "linux", reason="nothing seals memory here")
def test_tables_cannot_be_written_to(made_up, hostile):
    results = run(made_up, hostile, ["ChangesTheTables", "Plain"], limit=1)

    status = results.set_index("detector")["status"]
    assert status.to_dict() == {"ChangesTheTables": "killed", "Plain": "ok"}


def test_the_order_of_rows_says_nothing(made_up, hostile):
    results = run(
        made_up, hostile, ["KnowsTheShuffle", "LooksAtTheEnd"], contamination=0.05
    )

    assert set(results["status"]) == {"ok"}, results["reason"].tolist()
    by_order = results[results["detector"] == "KnowsTheShuffle"]["auroc"]
    assert by_order.between(0.2, 0.8).all()


def killing_the_worker(folder, detector, done):
    """Kill the worker whenever a detector runs, as a machine out of memory does."""
    killed = set()
    while not done.wait(0.05):
        for journal in (folder / "journal").glob("*.jsonl"):
            lines = [line for line in journal.read_text().splitlines() if line]
            with contextlib.suppress(ValueError, IndexError):
                begun = json.loads(lines[-1]).get("start", "")
                if begun.startswith(detector) and (journal, len(lines)) not in killed:
                    killed.add((journal, len(lines)))
                    time.sleep(0.3)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(journal.name.split("-")[-2]), signal.SIGKILL)


def test_a_broken_archive_costs_only_its_data_set(made_up, hostile, tmp_path):
    broken = made_up / "MacrOData-CMU/OddBench/public/Beta.npz"
    broken.write_bytes(broken.read_bytes()[:500])

    results = run(made_up, hostile, ["Plain"], out=tmp_path / "out")

    assert list(results["dataset"]) == ["Alpha", "Gamma"]


def left_over(mark: str) -> list[int]:
    """Return the living processes whose command line contains a mark."""
    deadline = time.monotonic() + 2
    while True:
        found = [
            process.pid
            for process in psutil.process_iter(["cmdline", "status"])
            if mark in (process.info["cmdline"] or [])
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)
