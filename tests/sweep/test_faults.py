"""What a detector may do to a sweep, and what the sweep makes of it."""

import ctypes
import time
from pathlib import Path

import psutil
import pytest

import odbench
from odbench.results import STATUSES

KERNEL_HIDES = ctypes.CDLL(None).syscall(444, None, 0, 1) > 0

CAUSES = {
    "LoopsForEver": ("timeout", "over the limit of 3 s"),
    "WaitsInNativeCode": ("timeout", "over the limit of 3 s"),
    "IgnoresTermination": ("timeout", "over the limit of 3 s"),
    "ForksAndHangs": ("timeout", "over the limit of 3 s"),
    "EatsMemory": ("memory", "GiB"),
    "RunsOutOfMemory": ("memory", "MemoryError: Unable to allocate 8.00 PiB"),
    "Segfaults": ("killed", "SIGSEGV"),
    "Exits": ("killed", "code 3"),
    "RaisesSystemExit": ("failed", "SystemExit: enough"),
    "Raises": ("failed", "ValueError: no luck with these rows (hostile.py:"),
    "PrintsAGigabyte": ("ok", ""),
    "GivesNaN": ("nonfinite", "3 of 114 scores are not finite"),
    "GivesOneTooFew": ("shape", "scores of shape [113], wanted [114]"),
    "GivesText": ("failed", "wanted one float a row"),
}


def test_every_status_is_caused():
    assert {status for status, _ in CAUSES.values()} == set(STATUSES)


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


@pytest.mark.skipif(not KERNEL_HIDES, reason="this kernel has no Landlock")
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
    # The labels are there, and the sweep itself has read them.
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


def test_what_one_detector_does_to_its_input_another_does_not_see(made_up, hostile):
    alone = run(made_up, hostile, ["Plain"])

    after = run(made_up, hostile, ["ChangesItsInput", "Plain"])

    plain = after[after["detector"] == "Plain"].reset_index(drop=True)
    assert list(plain["auroc"]) == list(alone["auroc"])
    # Positions say nothing either: rows are not shown in the order of the labels.
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
    # Data sets and seeds draw apart.
    assert alone["auroc"].nunique() == len(alone)


@pytest.mark.slow
def test_a_detector_that_kills_its_worker_costs_only_itself(made_up, hostile):
    results = run(
        made_up, hostile, ["KillsItsWorker", "Plain"], jobs=2, timeout=20.0
    ).set_index(["detector", "dataset"])

    assert set(results.loc["KillsItsWorker", "status"]) == {"killed"}
    assert set(results.loc["Plain", "status"]) == {"ok"}
    assert len(results) == 6


def test_rubbish_on_the_line_ends_the_trial_only(made_up, hostile):
    results = run(made_up, hostile, ["TalksOnTheLine", "Plain"], limit=1)

    status = results.set_index("detector")["status"]
    assert status["TalksOnTheLine"] == "killed"
    assert status["Plain"] == "ok"


def test_a_broken_archive_costs_only_its_data_set(made_up, hostile, tmp_path):
    broken = made_up / "MacrOData-CMU/OddBench/public/Beta.npz"
    broken.write_bytes(broken.read_bytes()[:500])

    results = run(made_up, hostile, ["Plain"], out=tmp_path / "out")

    assert list(results["dataset"]) == ["Alpha", "Gamma"]


def left_over(mark: str) -> list[Path]:
    """Return living processes whose command line has a mark."""
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
