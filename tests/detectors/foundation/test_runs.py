"""Runs with weights: the sandbox, the trial's key, and a file that changes."""

import shutil

import numpy as np
import pytest

import odbench
from odbench.errors import (
    ArchiveError,
    HashMismatchError,
    MissingWeightsError,
    StoreError,
)
from odbench.plugins.find import find_detector, restore_detector
from odbench.plugins.weights import FOLDER, pin_weights

# A sound file of another network: the length of its header, the header, one number.
HEADER = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
ANOTHER = len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)


@pytest.fixture
def tables(tmp_path):
    """A mirror with two small sets."""
    rng = np.random.default_rng(0)
    for name in ("Alpha", "Beta"):
        path = tmp_path / "mirror/MacrOData-CMU/OddBench/public" / f"{name}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path,
            train=rng.normal(size=(60, 3)),
            train_labels=np.zeros(60, dtype=np.int64),
            test=np.vstack([rng.normal(size=(40, 3)), rng.normal(size=(8, 3)) * 9]),
            test_labels=np.repeat([0, 1], [40, 8]),
        )
    return str(tmp_path / "mirror")


@pytest.fixture
def out(tmp_path):
    """The folder of a run."""
    return tmp_path / "run"


def run(tables, out, *detectors, **options):
    return odbench.run(
        "oddbench",
        detectors=list(detectors),
        mirror=tables,
        out=out,
        jobs=1,
        seeds=1,
        show_progress=False,
        **options,
    )


@pytest.mark.slow
def test_a_run_downloads_before_its_trials_which_find_the_file(published, tables, out):
    """The hub's cache is hidden from a trial: it reads the copy in the store."""
    results = run(tables, out, "fomo0d")

    assert results["status"].tolist() == ["ok", "ok"], results["reason"].tolist()
    assert (results["auroc"] > 0.95).all()
    assert (
        results["detector_version"].str.contains(r" \+ checkpoint [0-9a-f]{12}$").all()
    )
    assert results["config"].tolist() == ["default"] * 2
    assert (results["batch_difference"] == 0).all()


@pytest.mark.long
@pytest.mark.slow
def test_the_file_is_part_of_the_key_and_may_change_between_runs(
    made, cache, tables, checkpoint, out
):
    file = cache / "mine.safetensors"
    shutil.copy(checkpoint, file)
    spec = f"fomo0d:checkpoint={str(file)!r}"

    first = run(tables, out, spec)
    same = run(tables, out, spec)
    file.write_bytes(made.as_safetensors(made.distances(seed=9)))
    other = run(tables, out, spec)

    assert first["status"].tolist() == ["ok", "ok"], first["reason"].tolist()
    assert set(same["key"]) == set(first["key"])
    assert not set(other["key"]) & set(first["key"])
    assert not set(other["detector_version"]) & set(first["detector_version"])
    assert set(other["config_id"]) == set(first["config_id"])
    file.write_bytes(checkpoint.read_bytes())
    assert set(run(tables, out, spec)["key"]) == set(first["key"])


@pytest.mark.parametrize("name", ["fomo0d:checkpoint", "odbench_pfn:weights"])
@pytest.mark.parametrize("content", [b"", b"{}", ANOTHER])
def test_a_file_that_cannot_be_used_stops_a_run_before_its_first_trial(
    cache, tables, out, name, content
):
    file = cache / "mine.safetensors"
    file.write_bytes(content)

    with pytest.raises(ArchiveError) as caught:
        run(tables, out, "ecod", f"{name}={str(file)!r}")

    assert "\n" not in str(caught.value)
    assert not out.exists()


def test_a_device_is_not_read_to_its_end(cache):
    with pytest.raises(StoreError, match="'/dev/zero': is not a file; wanted the path"):
        pin_weights(find_detector("odbench_pfn:weights=/dev/zero"), fetch=True)


def test_what_is_used_is_what_was_hashed(cache, checkpoint):
    """A copy that someone changes under a trial's feet is not used."""
    pinned = pin_weights(
        find_detector(f"fomo0d:checkpoint={str(checkpoint)!r}"), fetch=True
    )
    assert restore_detector(pinned.spec).version == pinned.version
    (kept,) = (cache / "odbench" / FOLDER).iterdir()
    kept.write_bytes(kept.read_bytes() + b"\0")

    with pytest.raises(HashMismatchError, match="get it again"):
        restore_detector(pinned.spec)


def test_a_worker_without_the_file_says_what_it_needs(cache, checkpoint):
    pinned = pin_weights(
        find_detector(f"fomo0d:checkpoint={str(checkpoint)!r}"), fetch=True
    )
    (kept,) = (cache / "odbench" / FOLDER).iterdir()
    kept.unlink()

    with pytest.raises(MissingWeightsError, match="driver's ODBENCH_CACHE"):
        restore_detector(pinned.spec)


def test_a_run_offline_stops_before_its_first_trial(
    published, tables, monkeypatch, out
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(MissingWeightsError, match="hf download YuchenShen/FoMo-0D"):
        run(tables, out, "ecod", "fomo0d")

    assert not out.exists()
