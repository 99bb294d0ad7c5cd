"""Published commitments to hidden labels."""

import hashlib
import hmac
import stat

import numpy as np
import pytest

from odbench.errors import SubmissionError
from odbench.submissions import commitments
from odbench.submissions.labels import LabelFolder
from tests.submissions.submission_world import make_world

SALT = bytes(range(32))


@pytest.fixture
def world(tmp_path, rng):
    return make_world(tmp_path, rng)


@pytest.fixture
def labels(world):
    return LabelFolder(world.labels, world.sets)


def revealed(world, *names):
    keys = commitments.reveal(world.sets, SALT, names or tuple(world.truth))["keys"]
    return {name: bytes.fromhex(key) for name, key in keys.items()}


def test_a_commitment_is_the_documented_hmac(world, labels):
    name, y = next(iter(world.truth.items()))
    label = f"synbench/{name}".encode()
    key = hmac.new(SALT, b"odbench-label-key-1\0" + label, hashlib.sha256).digest()
    message = b"odbench-labels-1\0" + label + b"\0" + (60).to_bytes(8, "little")
    expected = hmac.new(key, message + bytes(y.tolist()), hashlib.sha256).hexdigest()

    published = commitments.commit(labels, world.sets, SALT)

    assert published["commitments"][name] == expected
    assert set(published["commitments"]) == set(world.truth)


def test_revealed_labels_match_their_commitments(world, labels):
    published = commitments.commit(labels, world.sets, SALT)

    assert commitments.verify(labels, world.sets, published, revealed(world)) == []


def test_one_changed_label_is_found(world, labels):
    published = commitments.commit(labels, world.sets, SALT)
    file = world.labels / "synbench" / "hidden_03.npy"
    y = np.load(file)
    y[0] = 1 - y[0]
    np.save(file, y)

    faults = commitments.verify(labels, world.sets, published, revealed(world))

    assert faults == ["data set 'hidden_03': labels or key do not match"]


def test_labels_of_two_sets_cannot_be_swapped(world, labels):
    published = commitments.commit(labels, world.sets, SALT)
    one, other = (world.labels / "synbench" / f"hidden_0{i}.npy" for i in (1, 2))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)

    faults = commitments.verify(labels, world.sets, published, revealed(world))

    assert len(faults) == 2


def test_a_key_is_valid_only_for_its_own_data_set(world, labels):
    published = commitments.commit(labels, world.sets, SALT)
    key = revealed(world, "hidden_00")["hidden_00"]

    assert commitments.verify(labels, world.sets, published, {"hidden_00": key}) == []
    assert commitments.verify(labels, world.sets, published, {"hidden_01": key}) != []


def test_the_same_labels_under_two_salts_look_unrelated(world, labels):
    one = commitments.commit(labels, world.sets, SALT)["commitments"]
    other = commitments.commit(labels, world.sets, SALT[::-1])["commitments"]

    assert not set(one.values()) & set(other.values())


def test_the_salt_is_created_once_and_readable_only_by_its_owner(tmp_path):
    file = tmp_path / "keep" / "salt"

    salt = commitments.read_salt(file, create=True)

    assert commitments.read_salt(file, create=True) == salt
    assert len(salt) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_missing_salt_is_reported(tmp_path):
    with pytest.raises(SubmissionError, match="no such file"):
        commitments.read_salt(tmp_path / "salt")


@pytest.mark.parametrize("content", ["", "secret words", "ab" * 31, "ab" * 33])
def test_a_broken_salt_is_not_repeated(tmp_path, content):
    file = tmp_path / "salt"
    file.write_text(content)

    with pytest.raises(SubmissionError, match="64 hexadecimal digits") as caught:
        commitments.read_salt(file)

    assert not content or content not in str(caught.value)


def test_commitments_of_another_list_are_refused(world, labels, tmp_path):
    from odbench.submissions.strict_json import canonical

    file = tmp_path / "commitments.json"
    file.write_bytes(canonical(commitments.commit(labels, world.sets, SALT)))
    assert commitments.read_commitments(file, world.sets)["suite"] == "synbench"

    with pytest.raises(SubmissionError, match="another data set list"):
        commitments.read_commitments(file, world.other_list())


@pytest.mark.parametrize(
    "content", [b"{}", b'{"format":"odbench-label-keys-1","keys":{"a":1}}', b"x"]
)
def test_broken_keys_are_refused(world, tmp_path, content):
    file = tmp_path / "keys.json"
    file.write_bytes(content)

    with pytest.raises(SubmissionError, match="keys"):
        commitments.read_keys(file, world.sets)


def test_a_key_of_an_unknown_set_is_refused(world):
    with pytest.raises(SubmissionError, match="not in the data set list"):
        commitments.reveal(world.sets, SALT, ["elsewhere"])
