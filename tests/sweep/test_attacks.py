"""Attacks of a detector on the run around it are refused or have no effect."""

import os
import socket
from pathlib import Path

import psutil
import pytest

import odbench
from odbench.results import read_results
from odbench.sweep import landlock
from odbench.sweep.journal import FOLDER

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        landlock.version() < 6, reason="the kernel's sandbox is older than Linux 6.12"
    ),
    # Failures are expected here; `odbench.run` warns of them.
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
FILE = Path(__file__).with_name("attacks.py")


@pytest.fixture
def attack(made_up, tmp_path):
    """A function that runs attacks and Gamma's data, and returns the results."""

    def run(*specs, **options):
        options = {"jobs": 1, "timeout": 60.0, "mirror": str(made_up)} | options
        return odbench.run(
            "oddbench",
            detectors=[s if s == "knn" else f"{FILE}:{s}" for s in specs],
            datasets="Gamma",
            show_progress=False,
            out=tmp_path / "run",
            **options,
        ).set_index("detector")

    return run


def outcome(results, name):
    return results.loc[name, "status"], results.loc[name, "reason"]


HIDDEN = (
    "labels/oddbench/public/Gamma.arrow",
    "labels",
    "features/oddbench/public/Gamma.arrow",
)


@pytest.mark.parametrize("place", HIDDEN)
def test_the_store_cannot_be_read_or_changed(attack, own_cache, place):
    attack("knn")
    before = sorted(p for p in own_cache.rglob("*") if "detectors" not in p.parts)

    results = attack(f"OnFiles:target={str(own_cache / place)!r}")

    assert outcome(results, "OnFiles") == ("ok", "")
    after = sorted(p for p in own_cache.rglob("*") if "detectors" not in p.parts)
    assert after == before


@pytest.mark.parametrize("name", ["results.parquet", "run.json", ".lock", FOLDER])
def test_the_results_of_the_run_cannot_be_read_or_changed(attack, tmp_path, name):
    attack("knn")

    results = attack("knn", f"OnFiles:target={str(tmp_path / 'run' / name)!r}")

    assert outcome(results, "OnFiles") == ("ok", "")
    assert outcome(results, "knn") == ("ok", "")


def test_a_mirror_behind_a_link_is_hidden(attack, made_up, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(made_up)
    file = next(made_up.rglob("Gamma.npz"))

    results = attack(f"OnFiles:target={str(file)!r}", mirror=str(link))

    assert outcome(results, "OnFiles") == ("ok", "")


def test_a_file_that_a_mirror_links_to_is_hidden(attack, made_up, tmp_path):
    file = next(made_up.rglob("Gamma.npz"))
    target = tmp_path / "elsewhere.npz"
    file.rename(target)
    file.symlink_to(target)

    results = attack(f"OnFiles:target={str(target)!r}")

    assert outcome(results, "OnFiles") == ("ok", "")


def test_modes_owners_and_times_of_hidden_files_stay(attack, own_cache):
    attack("knn")
    labels = own_cache / "labels/oddbench/public/Gamma.arrow"
    before = labels.stat()

    results = attack(f"OnMetadata:target={str(labels)!r}")

    after = labels.stat()
    assert outcome(results, "OnMetadata") == ("ok", "")
    for field in ("st_mode", "st_uid", "st_mtime_ns", "st_ino"):
        assert getattr(after, field) == getattr(before, field)
    assert os.listxattr(labels) == []


@pytest.mark.parametrize("name", ["OnProcesses", "OnMemory", "OnKernel"])
def test_other_processes_and_the_kernel_are_out_of_reach(attack, name):
    assert outcome(attack(name), name) == ("ok", "")


def test_code_of_others_cannot_be_written(attack, tmp_path):
    results = attack(f"OnCode:target={str(tmp_path)!r}")

    assert outcome(results, "OnCode") == ("ok", "")


def test_services_of_this_machine_cannot_be_reached(attack):
    with socket.create_server(("127.0.0.1", 0)) as server:
        results = attack(f"OnNetwork:port={server.getsockname()[1]}")

    assert outcome(results, "OnNetwork") == ("ok", "")


@pytest.mark.filterwarnings("ignore")
def test_the_scheduler_of_a_cluster_cannot_be_reached(attack):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        port = int(address.rpartition(":")[2])

        results = attack(
            f"OnNetwork:port={port}", backend="dask", scheduler=address, jobs=None
        )

    assert outcome(results, "OnNetwork") == ("ok", "")


def test_secrets_are_neither_in_the_environment_nor_readable(
    attack, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    for name in (".cache/huggingface/token", ".netrc", ".ssh/id_ed25519"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("secret")
    monkeypatch.setenv("HOME", str(home))
    for name in ("PGPASS", "GH_PAT", "OPENAI_KEY", "HF_TOKEN", "MY_CREDENTIALS"):
        monkeypatch.setenv(name, "secret")

    results = attack(f"OnSecrets:target={str(home)!r}")

    assert outcome(results, "OnSecrets") == ("ok", "")


def test_a_detector_cannot_stop_the_clock(attack):
    results = attack("knn", "OnClock")

    assert outcome(results, "OnClock") == ("ok", "")
    assert results.loc["OnClock", "fit_seconds"] > 0.25
    assert results.loc["knn", "fit_seconds"] > 0


def test_nobody_writes_to_the_scores_of_another(attack):
    alone = attack("knn").loc["knn", "auroc"]

    results = attack("knn", "OnScores", retry_failed=True)

    assert outcome(results, "OnScores") == ("ok", "")
    assert results.loc["knn", "auroc"] == alone
    assert results.loc["OnScores", "auroc"] > 0.9


def test_nothing_outlives_its_trial(attack, tmp_path):
    mark = f"odbench-outlives-{os.getpid()}"

    results = attack(f"Outlives:target={mark!r}")

    assert outcome(results, "Outlives") == ("ok", "")
    assert not [
        p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])
    ]


def test_the_results_say_what_was_enforced(attack, tmp_path):
    results = attack("knn")

    assert "landlock" in results.loc["knn", "sandbox"]
    assert "seccomp" in results.loc["knn", "sandbox"]
    assert "sandbox" in (tmp_path / "run" / "run.json").read_text()
    assert read_results(tmp_path / "run")["sandbox"].notna().all()
