"""Mirrors: the hub's layout in a folder."""

import pytest

from odbench.data.transports.mirror import Mirror
from odbench.errors import TransportError
from odbench.suites import load_suites

OTHERS = ("MacrOData-CMU/OddBench", "MacrOData-CMU/OvRBench", "Minqi824/ADBench")


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


@pytest.mark.parametrize(
    ("file", "root"),
    [
        ("m/MacrOData-CMU/OddBench/public/a.npz", "m"),
        ("m/MacrOData-CMU/OddBench/public/a.npz", "m/MacrOData-CMU"),
        ("m/MacrOData-CMU/OddBench/public/a.npz", "m/MacrOData-CMU/OddBench"),
        ("anything/public/a.npz", "anything"),
    ],
)
def test_the_repository_is_found_from_where_one_points(tmp_path, file, root):
    put(tmp_path / file)
    found = Mirror(tmp_path / root, load_suites()["oddbench"], OTHERS)
    assert {n: f.path for n, f in found.listing("public").items()} == {
        "a": "public/a.npz"
    }
    assert found.listing("private") == {}


@pytest.mark.parametrize(
    ("file", "root"),
    [
        ("m/Minqi824/ADBench/Classical/10_cover.npz", "m"),
        ("m/Minqi824/ADBench/adbench/datasets/Classical/10_cover.npz", "m"),
        ("m/ADBench/adbench/datasets/Classical/10_cover.npz", "m/ADBench"),
        ("x/Classical/10_cover.npz", "x"),
    ],
)
def test_adbench_lies_in_either_of_its_layouts(tmp_path, file, root):
    put(tmp_path / file)
    listing = Mirror(tmp_path / root, load_suites()["adbench"], OTHERS).listing(
        "public"
    )
    assert listing["cover"].path == "adbench/datasets/Classical/10_cover.npz"


def test_another_suites_repository_is_not_taken(tmp_path):
    put(tmp_path / "OvRBench" / "public" / "a.npz")
    with pytest.raises(TransportError, match="OddBench"):
        Mirror(tmp_path / "OvRBench", load_suites()["oddbench"], OTHERS)


def test_an_empty_folder_is_said_to_be_one(tmp_path):
    with pytest.raises(TransportError, match="does not contain MacrOData-CMU/OddBench"):
        Mirror(tmp_path, load_suites()["oddbench"])
    with pytest.raises(TransportError, match="no such folder"):
        Mirror(tmp_path / "no", load_suites()["oddbench"])


def test_other_files_are_not_data_sets(tmp_path):
    for name in ("a.npz", ".b.npz", "c.txt", ".a.npz.tmp"):
        put(tmp_path / "public" / name)
    listing = Mirror(tmp_path, load_suites()["oddbench"]).listing("public")
    assert list(listing) == ["a"]
