"""Untrusted archives."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from odbench.data import archive as module
from odbench.data.archive import read_archive
from odbench.errors import ArchiveError


@pytest.fixture
def write(tmp_path):
    """Write members, some as raw npy bytes, and read the archive back."""

    def write(members, *, compression=zipfile.ZIP_DEFLATED, **options):
        path = tmp_path / "made.npz"
        with zipfile.ZipFile(path, "w", compression) as file:
            for name, value in members.items():
                file.writestr(f"{name}.npy", npy(value))
        return read_archive(path, dataset_id="tiny/made", **options)

    return write


def npy(value):
    if isinstance(value, bytes):
        return value
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.asarray(value), allow_pickle=True)
    return sink.getvalue()


def header(shape, descr="<f8", order=False, extra=b""):
    return header_of(repr(shape), descr, order) + extra


def header_of(shape, descr="<f8", order=False):
    text = f"{{'descr': {descr!r}, 'fortran_order': {order!r}, 'shape': {shape}}}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def refused(write, members, *words, **options):
    with pytest.raises(ArchiveError) as caught:
        write(members, **options)
    message = str(caught.value)
    assert "made.npz" in message
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(2**53 + 1, "<i8"), (-(2**53) - 1, ">i8"), (2**63 - 1, "<i8"), (2**64 - 1, "<u8")],
)
def test_whole_numbers_that_lose_digits_are_told(write, members, caplog, value, dtype):
    members["test"] = np.zeros(members["test"].shape, dtype=dtype)
    members["test"][1, 2] = value
    write(members)
    (told,) = [r.getMessage() for r in caplog.records]
    assert "made.npz, member 'test': whole numbers" in told
    assert "1 of them, the first in row 1, column 2" in told


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(2**53, "<i8"), (2**60, ">i8"), (-(2**63), "<i8"), (2**63, "<u8")],
)
def test_large_whole_numbers_that_stay_the_same_are_not(
    write, members, caplog, value, dtype
):
    members["test"] = np.zeros(members["test"].shape, dtype=dtype)
    members["test"][1, 2] = value
    assert write(members).test[1, 2] == value
    assert not caplog.records


def test_a_good_archive_is_read_whole(write, members):
    raw = write(members)
    np.testing.assert_array_equal(raw.train, members["train"])
    np.testing.assert_array_equal(raw.test, members["test"])
    np.testing.assert_array_equal(raw.labels, members["test_labels"])
    assert raw.labels.dtype == np.int8
    assert raw.columns == ("f0", "f1", "f2")
    assert raw.facts["origin"] == "Science"
    assert raw.facts["tags"] == ["small_dataset", "few_anomalies"]
    assert raw.skipped == ()


@pytest.mark.parametrize("dtype", ["<i8", ">f4", "|u1", "<f2", "|b1", "<i2"])
def test_every_plain_number_type_becomes_float64(write, members, dtype):
    train = (np.arange(120).reshape(40, 3) % 2).astype(dtype)
    raw = write({**members, "train": train})
    assert raw.train.dtype == np.float64
    np.testing.assert_array_equal(raw.train, train.astype(float))


def test_fortran_order_is_read_as_written(write, members):
    train = np.asfortranarray(np.arange(120.0).reshape(40, 3))
    assert b"'fortran_order': True" in npy(train)
    np.testing.assert_array_equal(write({**members, "train": train}).train, train)


class Bomb:
    """Leaves a trace when it is unpickled."""

    exploded = False

    def __reduce__(self):
        return (setattr, (Bomb, "exploded", True))


def test_pickled_members_are_skipped_and_named_never_loaded(write, members):
    meta = np.empty((), dtype=object)
    meta[()] = Bomb()
    packed = npy(meta)
    assert b"exploded" in packed
    raw = write({**members, "meta_info": packed})
    assert raw.skipped == ("meta_info",)
    assert "meta_info" not in raw.facts
    assert not Bomb.exploded


@pytest.mark.parametrize("dtype", ["datetime64[s]", "timedelta64[s]", "complex128"])
def test_dates_are_not_called_pickled_alone(write, members, dtype):
    train = np.zeros((40, 3), dtype=dtype)
    refused(write, {**members, "train": train}, "not an array of numbers", "dates")


def test_a_pickled_table_is_an_error_not_a_skip(write, members):
    train = np.empty((40, 3), dtype=object)
    refused(write, {**members, "train": train}, "'train'", "pickled")
    assert not Bomb.exploded


@pytest.mark.parametrize("member", ["train", "test", "test_labels"])
def test_a_missing_member_is_named(write, members, member):
    members.pop(member)
    refused(write, members, f"'{member}'", "missing")


def test_a_private_archive_may_have_no_labels(write, members):
    members.pop("test_labels")
    assert write(members, labelled=False).labels is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("member", ["train", "test"])
def test_nan_and_infinite_values_are_found(write, members, member, value):
    members[member][11, 2] = value
    members[member][12, 1] = value
    refused(write, members, f"'{member}'", "2 values", "row 11", "column 2")


def test_huge_finite_values_are_fine(write, members):
    members["train"][:] = 1.7e308
    assert write(members).train.max() == 1.7e308


@pytest.mark.parametrize(
    ("member", "value", "word"),
    [
        ("train", np.zeros(40), "wanted (rows, columns)"),
        ("train", np.zeros((0, 3)), "wanted (rows, columns)"),
        ("train", np.zeros((40, 0)), "wanted (rows, columns)"),
        ("test", np.zeros((30, 4)), "4 columns"),
        ("train", np.zeros((40, 3), dtype=complex), "never read"),
        ("train", np.full((40, 3), "x"), "wanted numbers"),
        ("test_labels", np.zeros(29, dtype=int), "(29,)"),
        ("test_labels", np.r_[np.zeros(29, dtype=int), 2], "0 and 1"),
        ("test_labels", np.r_[np.zeros(29), 0.5], "0 and 1"),
        ("test_labels", np.r_[np.zeros(29), np.nan], "0 and 1"),
        ("test_labels", np.zeros(30, dtype=int), "all 30"),
        ("test_labels", np.ones(30, dtype=int), "all 30"),
        ("train_labels", np.r_[np.zeros(39, dtype=int), 1], "1 of 40"),
        ("train_labels", np.zeros(41, dtype=int), "(41,)"),
        ("train_labels", np.full(40, -1), "0 and 1"),
    ],
)
def test_wrong_members_are_named(write, members, member, value, word):
    named = "test" if member == "test" else member
    refused(write, {**members, member: value}, f"'{named}'", word)


def test_what_the_manifest_says_is_compared_before_anything_is_read(write, members):
    refused(write, members, "'train'", "(41, 3)", shapes=((41, 3), (30, 3)))


def test_no_label_is_in_a_message(write, members):
    members["test_labels"] = members["test_labels"] * 7
    with pytest.raises(ArchiveError) as caught:
        write(members)
    assert "7" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_one_line(tmp_path, archive, keep):
    path = tmp_path / "made.npz"
    whole = archive()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(ArchiveError, match=r"made\.npz"):
        read_archive(path, dataset_id="tiny/made")


def test_every_flipped_byte_is_an_error_or_harmless(tmp_path, archive):
    whole = archive(n_train=5, n_test=6, n_anomalies=2)
    path = tmp_path / "made.npz"
    path.write_bytes(whole)
    right = read_archive(path, dataset_id="tiny/made")
    errors = 0
    lines = set()
    for position in range(0, len(whole), 5):
        broken = bytearray(whole)
        broken[position] ^= 0x5A
        path.write_bytes(broken)
        try:
            raw = read_archive(path, dataset_id="tiny/made")
        except ArchiveError as error:
            errors += 1
            lines.add(str(error).count("\n"))
        else:
            np.testing.assert_array_equal(raw.train, right.train)
            np.testing.assert_array_equal(raw.test, right.test)
            np.testing.assert_array_equal(raw.labels, right.labels)
    assert errors > len(whole) / 5 / 2
    assert lines == {0}


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    # Zeros, deflated a thousand to one: 270 MB, 2.1 GB as float64 in a few MB.
    count = module.MAX_VALUES + 3
    path = tmp_path / "made.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("train.npy", "w", force_zip64=True) as sink,
    ):
        sink.write(header((count // 3, 3), "|u1"))
        for _ in range(count // 3 * 3 >> 20):
            sink.write(bytes(1 << 20))
        sink.write(bytes(count // 3 * 3 & (1 << 20) - 1))
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="at most"):
        read_archive(path, dataset_id="tiny/made")
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("packed", "word"),
    [
        (header((10**12, 3)), "declares shape"),
        (header((10**30, 10**30)), "shape"),
        (header((1 << 62,) * 30), "declares shape"),
        (header((1,) * 65, extra=bytes(8)), "at most 32"),
        (header_of("(0x" + "f" * 5000 + ", 3)"), "shape"),
        (header((-1, 3)), "shape"),
        (header((40, 3), extra=bytes(17)), "declares shape"),
        (header((1 << 28, 0)), "wanted (rows, columns)"),
        (header((40, 3), descr="(9,9)<f8"), "never read"),
        (header((40, 3), descr=[("a", "<f8")]), "never read"),
        (header((40, 3), descr="<M8[s]"), "never read"),
        (header((40, 3), descr="no such type"), "never read"),
        (header((40, 3), descr="<f3"), "not a readable"),
        (header((40, 3), order="yes"), "malformed"),
        (header([40, 3]), "malformed"),
        (header((True, 3)), "shape"),
        (header((40, 3)).replace(b"descr", b"dexcr"), "descr"),
        (b"", "not a readable"),
        (b"\x93NUMPY\x01\x00", "not a readable"),
        (b"\x93NUMPY\x09\x00" + bytes(99), "not a version"),
        (b"not numpy at all", "not a readable"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 0xFFFF, "not a readable"),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"[" * 10_000, "not a readable"),
        (b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').system('boom') ", "not a"),
    ],
)
def test_hostile_headers_are_refused(write, members, packed, word):
    refused(write, {**members, "train": packed}, "'train'", word)


def test_a_member_larger_than_the_archive_says_is_refused(tmp_path, members):
    # The directory says 40 rows, the stream holds more.
    path = tmp_path / "made.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        data = npy(np.zeros((4000, 3)))
        small = len(header((40, 3))) + 40 * 3 * 8
        file.writestr("train.npy", header((40, 3)) + data[128:])
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(signature) + offset
        content[at : at + 4] = struct.pack("<I", small)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="train"):
        read_archive(path, dataset_id="tiny/made")


def test_a_member_that_is_given_twice_is_refused(tmp_path, members):
    path = tmp_path / "made.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("train.npy", npy(members["train"]))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("train.npy", npy(members["train"]))
    with pytest.raises(ArchiveError, match="twice"):
        read_archive(path, dataset_id="tiny/made")


def test_too_many_members_are_refused(write):
    many = {f"m{i}": np.zeros(1) for i in range(module.MAX_MEMBERS + 1)}
    refused(write, many, "members")


def test_large_facts_are_refused(write, members):
    members["notes"] = np.zeros(module.MAX_FACT_BYTES // 8 + 1)
    refused(write, members, "'notes'", "at most")


def test_facts_are_bounded_in_all(write, members):
    part = np.zeros(module.MAX_FACT_BYTES // 8 // 65, dtype=np.uint8)
    refused(write, {**members, **{f"m{i}": part for i in range(9)}}, "'m7'", "at most")


@pytest.mark.parametrize("descr", ["<U2684354", "<f16", "|S9"])
def test_labels_that_are_not_numbers_are_not_read(write, members, descr, monkeypatch):
    width = np.dtype(descr).itemsize
    # 30 such labels may unpack to 322 MB, so it is checked that they are not read.
    monkeypatch.setattr(module, "read_values", unread(module.read_values))
    labels = header((30,), descr, extra=bytes(30 * width))
    refused(write, {**members, "test_labels": labels}, "'test_labels'", "wanted numb")


def unread(read):
    def checked(file, info, header, where):
        assert "test_labels" not in where
        return read(file, info, header, where)

    return checked


@pytest.mark.parametrize("point", [0x7FFFFFFF, 0x110000, 0xD800])
@pytest.mark.parametrize("order", "<>")
def test_numbers_that_are_not_characters_are_refused(write, members, point, order):
    packed = header((1,), f"{order}U1", extra=struct.pack(f"{order}I", point))
    refused(write, {**members, "origin": packed}, "'origin'", "not characters")


def test_the_last_character_is_one(write, members):
    members["origin"] = np.array("\U0010ffff").astype(">U1")
    assert write(members).facts["origin"] == "\U0010ffff"


def test_a_fact_in_long_numbers_is_a_plain_number(write, members):
    members["anomaly_fraction"] = np.longdouble(0.5)
    assert type(write(members).facts["anomaly_fraction"]) is float


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compressions_are_refused(write, members, method):
    refused(write, members, "compression", compression=method)


def test_something_else_entirely_is_one_line(tmp_path):
    path = tmp_path / "made.npz"
    path.write_text("<html>404</html>")
    with pytest.raises(ArchiveError, match=r"made\.npz: not a readable npz"):
        read_archive(path, dataset_id="tiny/made")


def test_facts_in_bytes_are_text(write, members):
    members["feature_names"] = np.array(["é".encode(), b"b", b"\xff"])
    members["github_link"] = np.array(b"https://github.com/a/b")
    raw = write(members)
    assert raw.columns == ("é", "b", "\ufffd")
    assert raw.facts["github_link"] == "https://github.com/a/b"


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (np.array(["a", "b", "c"]), ("a", "b", "c")),
        (np.array([["a"], ["b"], ["c"]]), ("a", "b", "c")),
        (np.array([["a", "b"]] * 3), ("x0", "x1", "x2")),
        (np.array(["a", "b"]), ("x0", "x1", "x2")),
        (np.array("abc"), ("x0", "x1", "x2")),
    ],
)
def test_names_are_one_per_column_or_none(write, members, names, columns):
    members["feature_names"] = names
    assert write(members).columns == columns


def test_labels_may_be_a_column(write, members):
    flat = write(members).labels
    for member in ("train_labels", "test_labels"):
        members[member] = members[member][:, None]
    np.testing.assert_array_equal(write(members).labels, flat)


@pytest.mark.parametrize("inliers", [1, 2])
def test_a_whole_table_needs_an_inlier_for_each_part(write, rng, inliers):
    table = {"X": rng.normal(size=(5, 2)), "y": np.arange(5) >= inliers}
    if inliers == 1:
        refused(write, table, "'y'", "1 inlier", "at least 2", layout="whole")
    else:
        assert write(table, layout="whole").train.shape == (1, 2)


def test_a_whole_table_is_split_one_class(write, rng):
    X = rng.normal(size=(101, 2))
    y = np.zeros(101, dtype=int)
    y[[3, 50, 99]] = 1
    raw = write({"X": X, "y": y}, layout="whole")
    assert raw.train.shape == (49, 2)
    assert raw.test.shape == (52, 2)
    assert raw.labels.tolist() == [0] * 49 + [1] * 3
    np.testing.assert_array_equal(raw.test[-3:], X[[3, 50, 99]])
    together = np.concatenate([raw.train, raw.test])
    np.testing.assert_array_equal(np.unique(together[:, 0]), np.unique(X[:, 0]))


def test_a_split_depends_on_the_name_and_nothing_else(write, rng):
    X = rng.normal(size=(60, 2))
    y = np.r_[np.zeros(50, dtype=int), np.ones(10, dtype=int)]
    once = write({"X": X, "y": y}, layout="whole")
    np.random.seed(5)  # noqa: NPY002 - global state must not matter
    again = write({"X": X, "y": y}, layout="whole")
    np.testing.assert_array_equal(once.train, again.train)
    rows = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in once.train[:6]]
    assert rows == [0, 1, 6, 9, 11, 14]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (("x", "label"), "has label, x; wanted the members X and y, or train, test"),
        ((), "has nothing; wanted the members X and y"),
        (("X", "y", "train"), "has both X and train; wanted"),
    ],
)
def test_an_own_archive_of_neither_layout_is_told_both(write, members, words):
    table = np.zeros((9, 2))
    refused(write, dict.fromkeys(members, table), words, layout="either")


@pytest.mark.parametrize("kind", [object, complex, "datetime64[s]"])
def test_an_own_table_of_odd_values_is_not_called_missing(write, rng, kind):
    members = {"X": rng.normal(size=(9, 2)).astype(kind), "y": np.arange(9) > 7}
    refused(write, members, "member 'X': is not an array of numbers", layout="either")
