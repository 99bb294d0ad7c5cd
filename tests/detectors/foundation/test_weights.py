"""Checkpoints that would run code, are damaged, or lie about their size."""

import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from odbench.errors import ArchiveError, DataError, HashMismatchError
from odbench_detectors.foundation.fomo0d.detector import FoMo0D
from odbench_detectors.foundation.weights import (
    parse_checkpoint,
    read_checkpoint,
)


class Touches:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


def one_line(caught):
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


@pytest.mark.parametrize("kind", ["a bare pickle", "an archive", "a nested archive"])
def test_a_hostile_file_is_refused_and_runs_nothing(made, tmp_path, kind):
    mark = tmp_path / "it ran"
    content = {
        "a bare pickle": lambda: pickle.dumps(Touches(mark)),
        "an archive": lambda: made.as_archive(Touches(mark)),
        "a nested archive": lambda: made.as_archive(
            {"state_dict": made.noise(made.Size()), "callbacks": Touches(mark)}
        ),
    }[kind]()
    file = tmp_path / "model.ckpt"
    file.write_bytes(content)

    with pytest.raises(ArchiveError) as caught:
        read_checkpoint(file)

    text = one_line(caught)
    assert "safetensors.torch.save_file" in text
    assert "run code" in text or "pathlib" in text or "getattr" in text
    assert not mark.exists()
    # It does run where nobody is careful.
    if kind == "a bare pickle":
        pickle.loads(content)
    else:
        torch.load(file, weights_only=False)
    assert mark.exists()


def test_a_call_of_the_system_is_named_and_not_recommended(made):
    class Calls:
        def __reduce__(self):
            return (os.system, ("false",))

    with pytest.raises(ArchiveError, match=r"holds \w+\.system, not only") as caught:
        parse_checkpoint(made.as_archive({"state_dict": {}, "x": Calls()}), "x")

    assert "PyTorch" not in one_line(caught)


def test_a_file_of_torch_save_with_tensors_is_read(made):
    tensors = made.noise(made.Size())
    for content in (tensors, {"state_dict": tensors, "epoch": 3}):
        found = parse_checkpoint(made.as_archive(content), "x")
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[key], tensors[key]) for key in tensors)


@pytest.mark.parametrize("save", ["as_safetensors", "as_archive"])
@pytest.mark.parametrize("kept", [0, 4, 9, 2000, -1])
def test_a_truncated_file_is_refused(made, save, kept):
    whole = getattr(made, save)(made.noise(made.Size()))

    with pytest.raises(ArchiveError) as caught:
        parse_checkpoint(whole[:kept], "cut.ckpt")

    assert one_line(caught).startswith("checkpoint 'cut.ckpt': is ")


def test_a_wrong_hash_is_refused_before_the_file_is_parsed(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"no checkpoint at all")

    with pytest.raises(
        HashMismatchError, match=r"sha256 is [0-9a-f]{64}, wanted 0{64}"
    ):
        read_checkpoint(file, sha256="0" * 64)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    file = tmp_path / "huge.ckpt"
    with file.open("wb") as sink:
        sink.truncate(3 << 30)

    with pytest.raises(ArchiveError, match=r"has 3,221,225,472 bytes, at most 2,147"):
        read_checkpoint(file)


def test_what_is_no_file_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read .*directory"):
        read_checkpoint(tmp_path)
    with pytest.raises(ArchiveError, match="at most 4,096 are read"):
        read_checkpoint(Path("/dev/zero"), max_bytes=4096)


def test_a_declared_tensor_that_the_file_does_not_hold_is_refused(made):
    header = json.dumps(
        {"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    ).encode()
    lying = struct.pack("<Q", len(header)) + header + bytes(64)
    with pytest.raises(ArchiveError, match="damaged or not of safetensors"):
        parse_checkpoint(lying, "x")

    stretched = {"a": torch.zeros(1).expand(1 << 40)}
    with pytest.raises(ArchiveError, match=r"'a' declares 4,398,046,511,104 bytes"):
        parse_checkpoint(made.as_archive(stretched), "x")


def test_a_storage_longer_than_its_record_is_refused(made, tmp_path):
    """The archive says 10,000 numbers where it holds 10."""
    whole = tmp_path / "whole.ckpt"
    whole.write_bytes(made.as_archive({"a": torch.arange(10.0)}))
    lying = tmp_path / "lying.ckpt"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(lying, "w") as sink:
        for member in source.infolist():
            data = source.read(member)
            if member.filename.endswith("data.pkl"):
                assert data.count(b"K\n") == 2
                data = data.replace(b"K\n", b"M\x10\x27")
            sink.writestr(member, data)

    with pytest.raises(ArchiveError, match=r"damaged or not of torch\.save"):
        read_checkpoint(lying)


def test_a_compressed_archive_is_refused(made, tmp_path):
    whole = tmp_path / "whole.ckpt"
    whole.write_bytes(made.as_archive({"a": torch.zeros(1 << 20)}))
    packed = tmp_path / "packed.ckpt"
    with (
        zipfile.ZipFile(whole) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as sink,
    ):
        for member in source.infolist():
            sink.writestr(member.filename, source.read(member))

    with pytest.raises(ArchiveError, match="compressed or oversized members"):
        read_checkpoint(packed)


def test_members_are_not_written_to_a_disk(made, tmp_path, monkeypatch):
    """An archive with a path that leads out of its folder creates nothing there."""
    monkeypatch.chdir(tmp_path)
    whole = tmp_path / "whole.ckpt"
    whole.write_bytes(made.as_archive({"a": torch.zeros(3)}))
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr("../../escaped", b"x")
        archive.writestr("/tmp/escaped-odbench-test", b"x")

    with pytest.raises(ArchiveError):
        read_checkpoint(whole)

    assert [p.name for p in tmp_path.iterdir()] == ["whole.ckpt"]
    assert not (tmp_path.parent / "escaped").exists()
    assert not Path("/tmp/escaped-odbench-test").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": 3}, "'a' is a int, not a tensor"),
        ({1: torch.zeros(2)}, "1 is a Tensor, not a tensor"),
        ([torch.zeros(2)], "holds no named tensors"),
        ({}, "holds no named tensors"),
        ({"a": torch.zeros(2).to_sparse()}, "'a' declares|holds torch|damaged"),
    ],
)
def test_what_holds_other_things_than_tensors_is_refused(made, content, words):
    with pytest.raises(ArchiveError, match=words):
        parse_checkpoint(made.as_archive(content), "x")


def changed(made, name, change):
    tensors = made.prefixed(made.distances())
    tensors[name] = change(tensors[name])
    return tensors


@pytest.mark.parametrize(
    ("key", "change", "words"),
    [
        (
            "model.decoder_dict.standard.2.weight",
            lambda t: t[:1],
            r"shape \(1, 64\), wanted \(2, 64\); this is the checkpoint of another",
        ),
        (
            "model.transformer_encoder.layers.1.norm1.bias",
            lambda t: t * float("nan"),
            "'transformer_encoder.layers.1.norm1.bias' holds NaN or infinite values",
        ),
        # The network computes in single precision.
        ("model.encoder.1.weight", lambda t: t.double() * 1e300, "holds NaN or inf"),
        (
            "model.encoder.1.weight",
            lambda t: t.to(torch.complex64),
            "complex64, wanted",
        ),
        ("model.encoder.1.weight", lambda t: t > 0, "has values of torch.bool, wanted"),
        (
            "model.encoder.1.weight",
            lambda t: t.to(torch.float8_e4m3fn),
            r"torch.float8_e4m3fn, wanted numbers of 16, 32 or 64 bits; save it with",
        ),
    ],
)
def test_wrong_tensors_are_named(made, tmp_path, key, change, words):
    file = tmp_path / "wrong.safetensors"
    file.write_bytes(made.as_safetensors(changed(made, key, change)))

    with pytest.raises(ArchiveError, match=words) as caught:
        FoMo0D(str(file)).fit(np.ones((9, 2)))

    one_line(caught)


@pytest.mark.parametrize("extra", [True, False])
def test_unknown_and_missing_tensors_are_named(made, tmp_path, rng, extra):
    tensors = made.prefixed(made.distances())
    if extra:
        tensors["model.surprise"] = torch.zeros(3)
    else:
        del tensors["model.decoder_dict.standard.0.bias"]
    file = tmp_path / "wrong.safetensors"
    file.write_bytes(made.as_safetensors(tensors))

    words = (
        "has unknown 1 tensor .surprise" if extra else "is without 1 tensor .decoder"
    )
    with pytest.raises(ArchiveError, match=words):
        FoMo0D(str(file)).fit(rng.normal(size=(9, 2)))


def test_tensors_without_values_are_refused(made, tmp_path):
    file = tmp_path / "meta.ckpt"
    tensors = made.prefixed(made.distances())
    file.write_bytes(made.as_archive({k: v.to("meta") for k, v in tensors.items()}))

    with pytest.raises(ArchiveError, match=r"has no values, wanted numbers"):
        FoMo0D(str(file)).fit(np.ones((9, 2)))


@pytest.mark.parametrize("half", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions_are_read(made, tmp_path, rng, half):
    rows, file = rng.normal(size=(20, 3)), tmp_path / "half.safetensors"
    tensors = {k: v.to(half) for k, v in made.prefixed(made.distances()).items()}
    file.write_bytes(made.as_safetensors(tensors))

    scores = FoMo0D(str(file)).fit(rows).decision_function(np.vstack([rows, [[9] * 3]]))

    assert scores.argmax() == 20


@pytest.mark.parametrize(
    "size", [{"width": 200}, {"width": 0}, {"slots": 0}, {"hidden": 0}, {"routers": 0}]
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_sizes_of_which_no_network_can_be_made_are_refused(made, tmp_path, size):
    file = tmp_path / "odd.safetensors"
    file.write_bytes(made.as_safetensors(made.noise(made.Size(**size))))

    with pytest.raises(ArchiveError, match=r"inputs, width .*; wanted 1 or more of"):
        FoMo0D(str(file)).fit(np.ones((9, 2)))
