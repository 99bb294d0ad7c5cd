"""Saved models: the same scores alone and in a batch, and nothing hostile is read."""

import json
import random
import warnings
import zipfile

import numpy as np
import pytest

import odbench
from odbench.errors import DataError, OdbenchError, UsageError
from odbench.tables.model_file import load_model, save_model
from odbench.tables.score import Request, score_table
from tests.tables.made import orders


@pytest.fixture(scope="module")
def fitted():
    _, learned = score_table(
        Request(table=orders(20, 1), reference=orders(150), detector="ecod")
    )
    return learned


@pytest.fixture
def model(fitted, tmp_path):
    path = tmp_path / "m.odb"
    save_model(fitted, path)
    return path


def scored(table, model, **others):
    fitted, _ = load_model(model)
    return score_table(Request(table=table, fitted=fitted, **others))[0]


@pytest.mark.parametrize("detector", ["cats", "knn", "iforest", "ecod"])
def test_a_row_scores_the_same_alone_in_a_batch_and_before_saving(tmp_path, detector):
    table = orders(20, 1, odd=2)
    before, learned = score_table(
        Request(table=table, reference=orders(150), detector=detector)
    )
    save_model(learned, tmp_path / "m")

    after = scored(table, tmp_path / "m")
    alone = [scored(table.slice(row, 1), tmp_path / "m") for row in (0, 7, 19)]

    np.testing.assert_array_equal(after.scores, before.scores)
    np.testing.assert_array_equal(after.p_values, before.p_values)
    for row, one in zip((0, 7, 19), alone, strict=True):
        assert one.scores[0] == before.scores[row]
        assert one.p_values[0] == before.p_values[row]


def test_the_same_model_has_the_same_bytes(fitted, model, tmp_path):
    save_model(fitted, tmp_path / "again")

    assert (tmp_path / "again").read_bytes() == model.read_bytes()


def test_a_model_holds_no_pickle(model):
    with zipfile.ZipFile(model) as archive:
        assert set(archive.namelist()) == {"model.json", "rows", "sums.json"}
        told = json.loads(archive.read("model.json"))
        rows = np.frombuffer(archive.read("rows"), "<f8").reshape(told["shape"])

    assert told["detector"] == "ecod"
    assert np.isfinite(rows).all()


def rewritten(model, change, *, sums=True):
    """Write the archive anew with one member changed, its sums right or old."""
    import hashlib

    with zipfile.ZipFile(model) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if sums:
        told = {
            name: hashlib.sha256(members[name]).hexdigest()
            for name in ("model.json", "rows")
            if name in members
        }
        members["sums.json"] = json.dumps(told).encode()
    with zipfile.ZipFile(model, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return model


def altered(**entries):
    def change(members):
        told = json.loads(members["model.json"])
        members["model.json"] = json.dumps({**told, **entries}).encode()

    return change


def test_a_changed_byte_is_noticed(model):
    def change(members):
        rows = bytearray(members["rows"])
        rows[3] ^= 1
        members["rows"] = bytes(rows)

    with pytest.raises(DataError, match="the SHA-256 of rows differs"):
        load_model(rewritten(model, change, sums=False))


@pytest.mark.parametrize(
    "change",
    [
        altered(format=2),
        altered(shape=[10**9, 10**9]),
        altered(shape=[-1, -1]),
        altered(columns=5),
        altered(columns=[{"name": "a", "role": "number", "evil": 1}]),
        altered(mean=[float("inf")]),
        altered(learned=[]),
        altered(detector=None),
        lambda members: members.pop("rows"),
        lambda members: members.update(extra=b"x"),
        lambda members: members.update({"model.json": b"[" * 100_000}),
        lambda members: members.update({"model.json": b"\xff{"}),
    ],
)
def test_a_hostile_model_is_one_line(model, change):
    with pytest.raises(OdbenchError) as caught:
        load_model(rewritten(model, change))

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("place", "entries"),
    [
        ("columns", {"role": "owner"}),
        ("columns", {"role": 5}),
        ("columns", {"mark": ";"}),
        ("columns", {"clock": "no"}),
        ("columns", {"unit": None}),
        ("learned", {"parts": []}),
        ("learned", {"parts": ["value", "value"]}),
        ("learned", {"parts": ["weekday"]}),
        ("learned", {"n_rows": 0}),
        ("learned", {"n_rows": 10**400}),
        ("learned", {"missing": -1}),
        ("learned", {"median": None}),
        ("learned", {"high": float("inf")}),
        ("learned", {"counts": {"x": "y"}}),
        ("learned", {"counts": {"x": 10**9}}),
        ("columns", {"fills": ["-999"]}),
        ("columns", {"fills": [float("nan")]}),
        ("columns", {"fills": -999.0}),
    ],
)
def test_a_model_with_impossible_facts_is_one_line(model, place, entries):
    def change(members):
        told = json.loads(members["model.json"])
        told[place][0] |= entries
        members["model.json"] = json.dumps(told).encode()

    with pytest.raises(DataError, match="is not a model or is damaged") as caught:
        load_model(rewritten(model, change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shape", [float("inf"), 3]),
        ("farthest", [1.0]),
        ("farthest", [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_a_model_of_impossible_sizes_is_one_line(model, name, value):
    def change(members):
        told = json.loads(members["model.json"])
        told[name] = value
        members["model.json"] = json.dumps(told).encode()

    with pytest.raises(DataError, match="is not a model or is damaged"):
        load_model(rewritten(model, change))


def test_a_model_without_limits_of_its_scale_is_read(model):
    def change(members):
        told = json.loads(members["model.json"])
        del told["farthest"]
        for column in told["columns"]:
            del column["fills"]
        members["model.json"] = json.dumps(told).encode()

    before, _ = load_model(model)
    again, _ = load_model(rewritten(model, change))

    np.testing.assert_array_equal(again.learner.rows, before.learner.rows)
    assert again.columns == before.columns
    assert again.learner.scale.farthest == 1e3


@pytest.mark.parametrize("as_json", [True, False])
def test_changed_bytes_of_a_model_give_one_line_or_scores(model, as_json):
    content, draw = model.read_bytes(), random.Random(0)
    odd = [b"null", b"[]", b"-1", b"1e999", b"NaN", b'"', b"9" * 400]

    def change(members):
        told = bytearray(members["model.json"])
        told[draw.randrange(len(told))] = draw.randrange(32, 127)
        place = draw.randrange(len(told))
        told[place : place + draw.randrange(5)] = draw.choice(odd)
        members["model.json"] = bytes(told)

    refusals = []
    for _ in range(200):
        model.write_bytes(content)
        if as_json:
            rewritten(model, change)
        else:
            changed = bytearray(content)
            changed[draw.randrange(len(changed))] = draw.randrange(256)
            model.write_bytes(changed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                odbench.score(orders(20, 1), model=model)
        except OdbenchError as error:
            refusals.append(str(error))
    assert len(refusals) > 100
    assert not any("\n" in refusal for refusal in refusals)


def test_a_model_cannot_name_code_of_its_own(model, tmp_path):
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")

    with pytest.raises(UsageError, match="models keep installed detectors only"):
        load_model(rewritten(model, altered(detector=f"{evil}:Evil")))

    assert not (tmp_path / "ran").exists()


def test_other_files_are_no_models(tmp_path):
    (tmp_path / "x").write_bytes(b"hello")
    with pytest.raises(DataError, match="is not a model or is damaged"):
        load_model(tmp_path / "x")
    with pytest.raises(UsageError, match="no such file"):
        load_model(tmp_path / "none")


def test_a_bomb_is_refused_before_it_is_unpacked(model, monkeypatch):
    from odbench.tables import model_file

    monkeypatch.setattr(model_file, "_MOST_ROWS", 1_000)

    with pytest.raises(DataError, match="larger than a model may be"):
        load_model(model)


def test_another_version_of_the_detector_is_said(model):
    _, notes = load_model(rewritten(model, altered(detector_version="0.0.0")))

    assert "saved with ecod 0.0.0" in notes[0]
