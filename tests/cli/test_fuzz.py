"""Mutated manifests, specs, timings, results and journals: never a traceback.

Every mutation is drawn from a fixed seed and goes through the command line in this
process. The exit code is one of those documented, and errors are single lines.
"""

import json
import random
import shutil

import pytest

from odbench.data import manifest, subsets
from tests.cli.fuzzing import DETECTOR, MUTATIONS, mutated


@pytest.mark.slow
def test_manifests(tmp_path, monkeypatch, ends_well):
    whole = manifest.manifest_folder() / "adbench.csv"
    lines = whole.read_bytes().splitlines(keepends=True)
    content = b"".join(lines[:8])
    monkeypatch.setattr(manifest, "manifest_folder", lambda: tmp_path)
    rng = random.Random(1)
    refused = 0
    for number in range(MUTATIONS):
        text = mutated(rng, content)
        (tmp_path / "adbench.csv").write_bytes(text)
        subsets._shipped_rows.cache_clear()
        form = ("json", "csv", "table")[number % 3]
        words = ("datasets", "list", "-s", "adbench", "--format", form)
        refused += ends_well(text, *words) == 2
    assert MUTATIONS / 10 < refused < MUTATIONS


SPECS = [
    "knn:k=20,method=mean,lof",
    "egmm:components=(1,2,3);hbos[n_bins=5,alpha=0.1]",
    f'"{DETECTOR}":k=4',
    f"{DETECTOR}:k=4,ecod",
    "pyod.LODA:n_bins=20",
    "sklearn.ensemble:IsolationForest:n_estimators=10",
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_detector_specs(tmp_path, ends_well):
    rng = random.Random(2)
    run = ("run", "-s", "synbench-mini", "--limit", 1, "--dry-run", "--out", tmp_path)
    # About one changed spec in a hundred is still valid, so these show that valid ones
    # are accepted.
    for spec in SPECS:
        assert ends_well(spec, *run, f"--detectors={spec}") == 0
    refused = 0
    for number in range(MUTATIONS):
        text = mutated(rng, SPECS[number % len(SPECS)].encode())
        spec = text.decode(errors="surrogateescape")
        refused += ends_well(spec, *run, f"--detectors={spec}") == 2
    assert refused > MUTATIONS / 10


@pytest.mark.slow
def test_timings(own_cache, tmp_path, ends_well):
    points = [[10.0**i, 10.0 ** (i - 6)] for i in range(2, 8)]
    content = json.dumps({"Mine:default": points, "knn:default": points}).encode()
    rng = random.Random(3)
    run = ("run", "-s", "synbench-mini", "-d", DETECTOR, "--limit", 2)
    for number in range(MUTATIONS):
        text = mutated(rng, content)
        (own_cache / "timings.json").write_bytes(text)
        ends_well(text, *run, "--out", tmp_path / "run", "--dry-run", codes=(0,))
        if number % 100 == 0:
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            ends_well(text, *run, "--out", tmp_path / "run", "-q", "-j", 1, codes=(0,))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_results(finished, tmp_path, ends_well):
    content = (finished / "results.parquet").read_bytes()
    rng = random.Random(4)
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    refused = 0
    for number in range(MUTATIONS):
        text = mutated(rng, content)
        (folder / "results.parquet").write_bytes(text)
        show = ("leaderboard", "show", folder, "--permutations", 0)
        refused += ends_well(number, *show) == 2
        if number % 10 == 0:
            run = ("run", "-s", "synbench-mini", "-d", DETECTOR, "--limit", 3)
            ends_well(number, *run, "--out", folder, "--dry-run")
    assert refused > MUTATIONS / 10


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_descriptions_of_runs(finished, tmp_path, ends_well):
    content = (finished / "run.json").read_bytes()
    rng = random.Random(5)
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    for number in range(MUTATIONS):
        text = mutated(rng, content)
        (folder / "run.json").write_bytes(text)
        if number % 2:
            ends_well(text, "leaderboard", "build", folder, "--out", tmp_path / "built",
                      "--permutations", 0)  # fmt: skip
        else:
            run = ("run", "-s", "synbench-mini", "-d", DETECTOR, "--limit", 3)
            ends_well(text, *run, "--out", folder, "--dry-run")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_journals(interrupted, tmp_path, ends_well):
    # The driver's own journal is empty.
    journals = (interrupted / "journal").glob("*.jsonl")
    journal = max(journals, key=lambda path: path.stat().st_size)
    content = journal.read_bytes()
    rng = random.Random(6)
    run = ("run", "-s", "synbench-mini", "-d", DETECTOR, "--limit", 3, "-q")
    for number in range(MUTATIONS):
        text = mutated(rng, content)
        journal.write_bytes(text)
        ends_well(text, *run, "--out", interrupted, "--dry-run")
        if number % 50 == 0:
            again = tmp_path / f"again-{number}"
            shutil.copytree(interrupted, again)
            ends_well(text, *run, "-j", 1, "--out", again, codes=(0, 2, 3))
