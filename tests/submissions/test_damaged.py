"""Damaged files of submissions: each kind that a mutation found is one clear line."""

import io
import json
import os

import numpy as np
import pytest

from odbench.errors import SubmissionError
from odbench.submissions.archive import peek
from odbench.submissions.audit_log import AuditLog
from odbench.submissions.checking import check
from odbench.submissions.packing import pack
from odbench.submissions.released import LOG, read_log
from odbench.submissions.score_bytes import encode_scores, read_vector
from odbench.submissions.strict_json import parse_object
from tests.submissions.submission_world import make_world

FACTS = {"authors": ("A. Person",), "kind": "other", "configuration": "fixed",
         "training_data": "none"}  # fmt: skip


@pytest.fixture
def world(tmp_path, rng):
    return make_world(tmp_path, rng, n_sets=20, n_test=30)


def saved(values) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


HUGE = b"\x93NUMPY\x01\x00\x46\x00" + (
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }".ljust(69)
    + b"\n"
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x01\x00\x05\x00{'a':",
        HUGE,
        saved(np.full(30, "x")),
        saved(np.zeros(30, complex)),
        saved(np.zeros((30, 1))),
        saved(np.full(30, np.nan)),
        saved(np.zeros(30)) + b"x",
    ],
)
def test_kept_scores_that_no_run_wrote_are_one_line(world, rng, content):
    run = world.run(world.scores(rng, 1.0))
    file = next((run / "scores" / "synbench" / "private" / "hidden_03").iterdir())
    file.write_bytes(content)

    with pytest.raises(SubmissionError, match="--keep-scores` writes") as caught:
        pack(run, world.folder / "mine.zip", sets=world.sets, facts=FACTS)

    assert str(file) in str(caught.value)
    assert not (world.folder / "mine.zip").exists()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors_of_numpy_are_read(tmp_path, rng, dtype):
    values = rng.normal(size=1000).astype(dtype)
    np.save(tmp_path / "v.npy", values)

    read = read_vector(tmp_path / "v.npy", 1000, ("<f4", "<f8"))

    assert read.dtype == dtype
    assert (read == values).all()
    assert read_vector(tmp_path / "v.npy", 999, ("<f4", "<f8")) is None
    assert encode_scores(values.astype(np.float32)) == saved(values.astype("f4"))


WRONG = {
    "no row": lambda entry: entry.pop("row"),
    "a row of text": lambda entry: entry.update(row="x"),
    "a mean of text": lambda entry: entry["row"].update(mean_auroc="0.9"),
    "a huge count": lambda entry: entry["row"].update(n_datasets=10**400),
    "no submitter": lambda entry: entry.pop("submitter"),
    "a method of numbers": lambda entry: entry.update(method=[3]),
    "no zone": lambda entry: entry.update(time="2026-01-01T00:00:00"),
    "the last year": lambda entry: entry.update(time="9999-12-31T00:00:00+00:00"),
    "no time": lambda entry: entry.update(time=None),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_a_chained_log_of_other_values_is_refused(world, rng, change):
    """The hashes of the chain match, but an evaluation wrote no such line."""
    world.evaluate(world.submit(world.scores(rng, 1.0)))
    file = world.leaderboard / LOG
    entry = json.loads(file.read_text())
    for name in ("index", "previous", "hash"):
        del entry[name]
    change(entry)
    file.unlink()
    AuditLog(file).append(entry)

    with pytest.raises(SubmissionError, match=r"line 1: .* so no evaluation wrote it"):
        read_log(world.leaderboard)
    with pytest.raises(SubmissionError, match=r"line 1: .* so no evaluation wrote it"):
        world.evaluate(world.submit(world.scores(rng, 2.0)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1e999}', "too large"),
        ('{"a": ' + "[" * 50 + "]" * 50 + "}", "nested deeper than 50"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep"),
    ],
)
def test_json_that_cannot_be_hashed_is_one_line(text, reason):
    with pytest.raises(SubmissionError, match=reason):
        parse_object(text.encode(), where="a file")


def test_json_of_50_levels_is_read():
    text = '{"a": ' + "[" * 49 + "]" * 49 + "}"

    assert parse_object(text.encode(), where="a file")["a"]


def test_what_stands_in_the_place_of_an_archive_is_named(world, tmp_path):
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "pipe")

    for name, got in {
        "run": "is a folder, wanted an archive; `submission pack` writes one",
        "pipe": "is not a regular file; `submission pack` writes one",
        "missing": "no such file; `submission pack` writes one",
    }.items():
        with pytest.raises(SubmissionError, match=got):
            peek(tmp_path / name)
        with pytest.raises(SubmissionError, match=got):
            check(tmp_path / name, world.sets)
