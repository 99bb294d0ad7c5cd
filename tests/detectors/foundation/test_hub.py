"""Getting published checkpoints with the hub's real client."""

import hashlib
import re
from dataclasses import replace

import numpy as np
import pytest

from odbench.errors import (
    DataError,
    HashMismatchError,
    MissingWeightsError,
    TransportError,
)
from odbench.plugins.find import find_detector
from odbench.plugins.weights import FOLDER, pin_weights
from odbench_detectors.foundation import hub as module
from odbench_detectors.foundation.fomo0d.detector import FoMo0D
from odbench_detectors.foundation.manifest import checkpoints
from odbench_detectors.foundation.outformer.detector import OutFormer

FOMO = "YuchenShen/FoMo-0D model.safetensors"
COMMAND = "`hf download YuchenShen/FoMo-0D model.safetensors --revision main`"


def test_the_manifest_states_its_facts_or_that_it_does_not_know_them():
    found = checkpoints()

    assert set(found) == {
        "fomo0d",
        "tabicl_classifier",
        "tabicl_regressor",
        "outformer",
    }
    for one in found.values():
        assert one.licence
        assert one.trained_on
        assert one.source.startswith("https://")
        assert re.fullmatch(r"[0-9a-f]{64}|", one.sha256)
    assert not found["outformer"].file


def test_it_is_downloaded_once_and_kept_under_its_hash(published, cache, checkpoint):
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()

    pinned = [pin_weights(find_detector("fomo0d"), fetch=True) for _ in range(2)]

    assert {one.version for one in pinned} == {pinned[0].version}
    assert pinned[0].version.endswith(f" + checkpoint {digest[:12]}")
    kept = cache / "odbench" / FOLDER / digest
    assert str(kept) in pinned[0].spec
    assert kept.read_bytes() == checkpoint.read_bytes()
    assert len([p for p in published.paths("GET") if "/cdn/" in p]) == 1
    # The user's parameters are not changed by it, so labels and identifiers are not.
    assert pinned[0].label == "default"
    assert pinned[0].id == find_detector("fomo0d").id


def test_the_detector_finds_what_was_downloaded(published, rng):
    pin_weights(find_detector("fomo0d"), fetch=True)

    scores = FoMo0D().fit(rng.normal(size=(20, 3))).decision_function(np.eye(3))

    assert np.isfinite(scores).all()


def test_a_detector_itself_downloads_nothing(published, rng):
    with pytest.raises(MissingWeightsError, match=re.escape(COMMAND)) as caught:
        FoMo0D().fit(rng.normal(size=(20, 3)))

    assert str(caught.value).startswith(f"checkpoint {FOMO}: is not on this machine")
    assert published.requests == []


def test_without_fetching_the_version_says_that_it_is_missing(published):
    pinned = pin_weights(find_detector("fomo0d"), fetch=False)

    assert pinned.version.endswith(" + checkpoint missing")
    assert published.requests == []


def test_offline_one_line_has_the_command_that_helps(published, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(MissingWeightsError) as caught:
        pin_weights(find_detector("fomo0d"), fetch=True)

    text = str(caught.value)
    assert text == (
        f"checkpoint {FOMO}: HF_HUB_OFFLINE is set; where there is a network: "
        f"{COMMAND}, or pass its file as checkpoint=PATH"
    )
    assert published.requests == []


def test_a_hub_that_is_not_there_is_one_line(cache, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(TransportError, match=re.escape(COMMAND)) as caught:
        pin_weights(find_detector("fomo0d"), fetch=True)

    assert "\n" not in str(caught.value)


def test_a_repository_or_file_that_is_not_there_is_one_line(hub):
    for repository in (None, hub.Repository()):
        if repository is not None:
            hub.repositories["YuchenShen/FoMo-0D"] = repository
        with pytest.raises(TransportError, match=r"answered 40[14]; where there is"):
            pin_weights(find_detector("fomo0d"), fetch=True)


@pytest.mark.parametrize("size", ["the manifest's", "any"])
def test_a_file_of_another_size_is_not_downloaded(published, monkeypatch, size):
    one = checkpoints()["fomo0d"]
    if size == "any":
        monkeypatch.setattr(module, "MAX_BYTES", 1000)
    else:
        one = replace(one, size=1000)

    with pytest.raises(DataError, match=r"the hub's file has [\d,]+ bytes, wanted "):
        module.fetch(one)

    assert [p for p in published.paths("GET") if "/cdn/" in p] == []


def test_a_pinned_file_that_differs_is_refused(published, cache, monkeypatch):
    pinned = replace(checkpoints()["fomo0d"], sha256="ab" * 32)
    monkeypatch.setattr(module, "checkpoints", lambda: {"fomo0d": pinned})

    with pytest.raises(HashMismatchError, match=r"wanted abababababab….*get it again"):
        pin_weights(find_detector("fomo0d"), fetch=True)

    assert not (cache / "odbench" / FOLDER).exists()


def test_outformer_says_that_the_user_brings_its_checkpoint(hub, rng):
    with pytest.raises(MissingWeightsError, match="published without a licence") as one:
        pin_weights(find_detector("outformer"), fetch=True)
    with pytest.raises(MissingWeightsError) as other:
        OutFormer().fit(rng.normal(size=(9, 2)))

    assert str(one.value) == str(other.value)
    assert "checkpoint=PATH" in str(one.value)
    assert hub.requests == []


def test_a_path_that_is_wrong_is_one_line(cache):
    with pytest.raises(MissingWeightsError, match=r"/nowhere/x\.ckpt': no such file"):
        pin_weights(find_detector("outformer:checkpoint='/nowhere/x.ckpt'"), fetch=True)


def test_a_dry_run_downloads_nothing_and_says_what_the_run_would(
    published, tmp_path, capsys
):
    from odbench.sweep.prepare import _with_weights

    _with_weights([find_detector("fomo0d"), find_detector("ecod")], fetch=False)

    line = f"odbench: fomo0d: {FOMO} is not on this machine; the run will fetch it\n"
    assert capsys.readouterr().err == line
    assert published.requests == []


@pytest.mark.slow
def test_the_commands_check_and_show_know_weights(published):
    from click.testing import CliRunner

    from odbench.cli.detectors import detectors

    before = CliRunner().invoke(detectors, ["show", "fomo0d"])
    checked = CliRunner().invoke(detectors, ["check", "fomo0d"])
    after = CliRunner().invoke(detectors, ["show", "fomo0d"])

    assert "+ checkpoint missing" in before.output
    assert checked.exit_code == 0, checked.output
    assert " 0 failed, 0 warned" in checked.output
    assert re.search(r"\+ checkpoint [0-9a-f]{12}", after.output)


def test_a_damaged_copy_is_made_again(cache, checkpoint):
    found = find_detector(f"fomo0d:checkpoint={str(checkpoint)!r}")
    pin_weights(found, fetch=True)
    (kept,) = (cache / "odbench" / FOLDER).iterdir()
    kept.write_bytes(b"damaged")

    pin_weights(found, fetch=True)

    assert kept.read_bytes() == checkpoint.read_bytes()
