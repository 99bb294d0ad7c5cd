"""Attacks on the evaluator: hostile archives, and attempts to learn the labels."""

import importlib.util
import logging
import os
import pickle
import stat
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from odbench.cli.submission import CONFIGURATIONS, KINDS, submission
from odbench.errors import OdbenchError, SubmissionError
from odbench.submissions import statement
from odbench.submissions.archive import MAX_STATEMENT_BYTES, STATEMENT
from odbench.submissions.audit_log import FIRST
from odbench.submissions.checking import check
from odbench.submissions.score_bytes import encode_scores
from odbench.submissions.strict_json import canonical
from tests.submissions.submission_world import UNLIMITED, make_world


@pytest.fixture
def world(tmp_path, rng):
    return make_world(tmp_path, rng)


@pytest.fixture
def honest(world, rng):
    """Return the members of a valid submission."""
    scores = world.scores(rng, 1.0)
    return {f"scores/{name}/0.npy": encode_scores(s) for name, s in scores.items()}


def regular_file(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


def build(world, members, *extra, method=zipfile.ZIP_STORED):
    """Write an archive without any of the checks of `pack`."""
    path = world.folder / "hostile.zip"
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr(STATEMENT, canonical(world.statement(members)))
        for name, content in members.items():
            file.writestr(name, content)
        for info, content in extra:
            file.writestr(info, content)
    return path


def one_fault(world, path) -> str:
    """Return the first fault of `check`; `evaluate` must refuse with the same words."""
    faults = check(path, world.sets)
    assert faults
    with pytest.raises(SubmissionError) as caught:
        world.evaluate(path)
    assert faults[0].split(" (")[0] in str(caught.value)
    assert not (world.leaderboard / "synbench" / "private.csv").exists()
    return faults[0]


BAD_NAMES = [
    "../escape.npy",
    "scores/../../escape/0.npy",
    "/etc/passwd",
    "scores/hidden_00/../hidden_01/0.npy",
    "scores\\hidden_00\\0.npy",
    "C:/scores/hidden_00/0.npy",
    "scores//hidden_00/0.npy",
    "./scores/hidden_00/0.npy",
    "scores/hidden_00/00.npy",
    "scores/hidden_00/-1.npy",
    "scores/hidden_00/\u0660.npy",
    "scores/hidden_00/0.npy/",
    "scores/hidden_00/0.pkl",
    "scores/h\u0456dden_00/0.npy",
    "evil.py",
    "__MACOSX/x",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_only_canonical_names_are_accepted(world, honest, name):
    fault = one_fault(world, build(world, honest, (regular_file(name), b"x")))

    assert "not a valid member name" in fault or "special file" in fault


def test_nothing_is_ever_extracted(world, honest, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    path = build(world, honest, (regular_file("../escape.npy"), b"x"))
    check(path, world.sets)

    assert sorted(tmp_path.rglob("*")) == sorted([*before, path])


def test_a_name_cut_by_a_null_byte_is_refused(world, honest):
    path = build(world, honest, (regular_file("scores/hidden_00/9.npyXevil"), b"x"))
    path.write_bytes(path.read_bytes().replace(b"9.npyXevil", b"9.npy\x00evil"))

    assert "not a valid member name" in one_fault(world, path)


def test_a_link_is_refused(world, honest):
    link = regular_file("scores/hidden_00/1.npy")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16

    assert "is a link" in one_fault(
        world, build(world, honest, (link, b"/maintainer/labels/hidden_00.npy"))
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_duplicate_member_is_refused(world, honest):
    name = "scores/hidden_00/0.npy"

    assert "twice" in one_fault(
        world, build(world, honest, (regular_file(name), honest[name]))
    )


def test_a_member_that_differs_only_in_case_is_refused(world, honest):
    name = "scores/HIDDEN_00/0.npy"
    content = honest[name.lower()]

    assert "twice" in one_fault(
        world, build(world, honest, (regular_file(name), content))
    )


def test_an_encrypted_member_is_refused(world, honest):
    path = build(world, honest)
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 4)
    path.write_bytes(content)

    assert "encrypted" in one_fault(world, path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(world, honest, method):
    assert "compression method" in one_fault(world, build(world, honest, method=method))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(world, honest, monkeypatch):
    bomb = b"\0" * (2 * MAX_STATEMENT_BYTES)
    honest["scores/hidden_00/0.npy"] = bomb
    path = build(world, honest, method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < len(bomb) / 10
    unpacked = []
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a, **k: unpacked.append(a))

    (fault,) = check(path, world.sets)

    assert f"would unpack to {len(bomb)} bytes" in fault
    assert unpacked == []


def test_a_bomb_that_declares_a_small_size_is_cut_off(world, honest):
    """The directory declares 368 bytes, but the data unpack to 16 MiB."""
    name = "scores/hidden_00/0.npy"
    size = len(honest[name])
    bomb = honest[name] + b"\0" * 2**24
    path = build(world, {**honest, name: bomb}, method=zipfile.ZIP_DEFLATED)
    true_size = len(bomb).to_bytes(4, "little")
    true_crc = zlib.crc32(bomb).to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(true_size) == 2
    content = content.replace(true_size, size.to_bytes(4, "little"))
    content = content.replace(true_crc, zlib.crc32(bomb[:size]).to_bytes(4, "little"))
    path.write_bytes(content)

    faults = check(path, world.sets)

    # Only the declared bytes were read, and they do not match the statement's hash.
    assert len(faults) == 1
    assert name in faults[0]


def test_ten_thousand_undeclared_members_are_faults(world, honest):
    extra = [
        (regular_file(f"scores/hidden_00/{seed}.npy"), b"") for seed in range(1, 10_001)
    ]

    faults = check(build(world, honest, *extra), world.sets)

    assert faults
    assert all("\n" not in fault for fault in faults)


def test_an_archive_larger_than_any_valid_one_is_not_opened(world, honest):
    path = build(world, honest)
    with path.open("ab") as file:
        file.truncate(2**28)

    assert "at most" in one_fault(world, path)


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"not a zip", b"PK\x05\x06" + b"\0" * 18]
)
def test_a_file_that_is_not_an_archive_is_refused(world, content):
    path = world.folder / "broken.zip"
    path.write_bytes(content)

    (fault,) = check(path, world.sets)

    assert "zip archive" in fault or "submission.json is missing" in fault


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_archive_is_refused(world, honest, share):
    path = build(world, honest)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    assert "zip archive" in one_fault(world, path)


def test_a_flipped_byte_anywhere_is_noticed_or_harmless(world, honest, rng):
    """Damaged archives give one-line faults, never a traceback."""
    path = build(world, honest)
    content = path.read_bytes()
    for at in rng.choice(len(content), size=300, replace=False):
        changed = bytearray(content)
        changed[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)

        for fault in check(path, world.sets):
            assert "\n" not in fault


def test_a_pickle_is_refused_and_never_loaded(world, honest, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    objects = tmp_path / "objects.npy"
    np.save(objects, np.array([Evil()], dtype=object), allow_pickle=True)
    for content in (objects.read_bytes(), pickle.dumps(Evil())):
        honest["scores/hidden_00/0.npy"] = content

        assert "a pickled object" in one_fault(world, build(world, honest))
    assert not (tmp_path / "owned").exists()


def npy(array) -> bytes:
    import io

    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


WRONG_SCORES = {
    "float64": (
        lambda s: npy(np.tile(s, 60).astype(np.float64)),
        "bytes; at most 1264; scores are float32",
    ),
    "integers": (lambda s: npy(s.astype(np.int32)), "another format"),
    "big-endian": (lambda s: npy(s.astype(">f4")), "another format"),
    "two columns": (lambda s: npy(s.reshape(-1, 2)), "another format"),
    "one short": (lambda s: npy(s[:-1]), "holds 59 scores; wanted 60"),
    "one long": (lambda s: npy(np.append(s, s[:1])), "holds 61 scores; wanted 60"),
    "trailing bytes": (
        lambda s: npy(s) + b"\0\0\0\0",
        "244 bytes of scores; wanted 240",
    ),
    "padded with NaN": (
        lambda s: npy(np.where(np.arange(60) < 59, s, np.nan).astype(np.float32)),
        "1 of 60 scores are not finite",
    ),
    "infinite": (
        lambda s: npy(np.where(np.arange(60) < 50, s, np.inf).astype(np.float32)),
        "10 of 60 scores are not finite",
    ),
    "empty": (lambda _: b"", "another format"),
}


@pytest.mark.parametrize(
    ("change", "match"), WRONG_SCORES.values(), ids=WRONG_SCORES.keys()
)
def test_malformed_scores_are_refused(world, honest, rng, change, match):
    scores = rng.normal(size=60).astype(np.float32)
    honest["scores/hidden_07/0.npy"] = change(scores)

    fault = one_fault(world, build(world, honest))

    assert "hidden_07" in fault
    assert any(part in fault for part in match.split("|"))


def test_scores_changed_after_packing_are_noticed(world, honest, rng):
    said = world.statement(honest)
    honest["scores/hidden_02/0.npy"] = encode_scores(
        rng.normal(size=60).astype(np.float32)
    )
    path = world.folder / "changed.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(STATEMENT, canonical(said))
        for name, content in honest.items():
            file.writestr(name, content)

    assert "hidden_02/0.npy: its SHA-256 is not the one" in one_fault(world, path)


def test_a_submission_for_another_manifest_is_refused(world, rng):
    path = world.submit(world.scores(rng, 1.0))
    world.sets = world.other_list()

    faults = check(path, world.sets)

    assert "set list: made for" in faults[0]
    assert any("hidden_00" in fault and "content" in fault for fault in faults)
    with pytest.raises(SubmissionError, match="set list: made for"):
        world.evaluate(path)


@pytest.mark.parametrize("what", ["suite", "partition"])
def test_a_submission_for_another_suite_is_refused(world, rng, what):
    path = world.submit(world.scores(rng, 1.0), **{what: "public"})

    assert f"{what}: made for 'public'" in one_fault(world, path)


def test_a_set_of_another_suite_is_refused(world, honest):
    honest["scores/elsewhere/0.npy"] = honest["scores/hidden_00/0.npy"]

    assert "not in the data set list" in one_fault(world, build(world, honest))


def test_a_wrong_order_is_not_detected_but_gains_nothing(world, rng):
    """Without labels, a wrong order cannot be detected; it only worsens the row."""
    scores = world.scores(rng, 2.0)
    turned = {name: rng.permutation(values) for name, values in scores.items()}
    path = world.submit(turned)

    assert check(path, world.sets) == []
    assert world.evaluate(path)["mean_auroc"] < 0.6


MAIN = "from odbench.cli import main; main()"

# Labels must not leak ----------------------------------------------------------------


def label_material(world) -> list[str]:
    """Return forms in which labels could appear in a text."""
    found = []
    for y in world.truth.values():
        digits = "".join(map(str, y))
        anomalies = np.flatnonzero(y)
        found += [
            digits[:12],
            " ".join(digits[:8]),
            ", ".join(digits[:8]),
            ", ".join(map(str, anomalies[:3])),
            " ".join(map(str, anomalies[:3])),
            y.tobytes()[:8].hex(),
            f"{len(anomalies)} anomalies",
        ]
    return found


def assert_clean(world, text: str) -> None:
    for material in label_material(world):
        assert material not in text


def break_label_file(file, how):
    y = np.load(file)
    if how == "short":
        np.save(file, y[:-1])
    elif how == "another type":
        np.save(file, y.astype(np.int64))
    elif how == "a two in it":
        y[3] = 2
        np.save(file, y)
    elif how == "one class":
        np.save(file, np.zeros_like(y))
    elif how == "text":
        file.write_text(" ".join(map(str, y)))
    elif how == "a pickle":
        file.write_bytes(pickle.dumps(y))
    elif how == "a header of labels":
        head = b"\x93NUMPY\x01\x00" + (60).to_bytes(2, "little")
        file.write_bytes(head + "".join(map(str, y)).encode())
    else:
        file.unlink()


BROKEN_LABELS = [
    "short",
    "another type",
    "a two in it",
    "one class",
    "text",
    "a pickle",
    "a header of labels",
    "missing",
]


@pytest.mark.parametrize("how", BROKEN_LABELS)
def test_broken_labels_are_named_and_not_shown(world, rng, how, caplog):
    caplog.set_level(logging.DEBUG)
    path = world.submit(world.scores(rng, 1.0))
    break_label_file(world.labels / "synbench" / "hidden_04.npy", how)

    with pytest.raises(SubmissionError, match="hidden_04") as caught:
        world.evaluate(path)

    assert "\n" not in str(caught.value)
    assert_clean(world, str(caught.value) + caplog.text)
    assert caught.value.__cause__ is None


def test_a_bug_while_scoring_does_not_print_labels(world, rng, monkeypatch):
    def buggy(labels, scores):
        raise ValueError(labels, f"labels were {labels.tolist()}")

    monkeypatch.setattr("odbench.submissions.rescoring.measure", buggy)
    path = world.submit(world.scores(rng, 1.0))

    with pytest.raises(
        SubmissionError, match=r"cannot be scored \(ValueError\)"
    ) as caught:
        world.evaluate(path)

    assert caught.value.__suppress_context__
    assert_clean(world, str(caught.value))


@pytest.mark.parametrize("how", [*BROKEN_LABELS, "fine", "NaN"])
def test_no_output_of_the_command_line_shows_labels(world, rng, how):
    """Run the real command in a separate process and search all of its output."""
    scores = world.scores(rng, 1.0)
    if how == "NaN":
        scores["hidden_04"][3] = np.nan
    elif how != "fine":
        break_label_file(world.labels / "synbench" / "hidden_04.npy", how)
    world.sets.write(world.folder / "sets.json")
    arguments = [
        "submission",
        "evaluate",
        world.submit(scores),
        "--submitter",
        "person",
    ]
    arguments += ["--labels", world.labels, "--sets", world.folder / "sets.json"]
    arguments += ["--leaderboard", world.leaderboard]

    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", MAIN, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == (0 if how == "fine" else 2), done.stderr
    assert "Traceback" not in done.stderr
    assert how == "fine" or len(done.stderr.splitlines()) == 1
    assert_clean(world, done.stdout + done.stderr)
    for file in world.leaderboard.rglob("*"):
        if file.is_file():
            # The first line of a log refers to a hash of zeros, not to labels.
            assert_clean(world, file.read_text().replace(FIRST, ""))


def test_the_answer_has_three_decimals_and_nothing_per_set(world, rng):
    row = world.evaluate(world.submit(world.scores(rng, 1.0)))

    for name, value in row.items():
        if name.startswith("mean_"):
            assert value == round(value, 3)
        assert not any(hidden in str(value) for hidden in world.truth)
    log = (world.leaderboard / "audit.jsonl").read_text()
    assert not any(hidden in log for hidden in world.truth)


def test_raising_one_score_at_a_time_reveals_nothing(world, rng):
    """Label probing: sixty archives, each with another row on top, get one answer."""
    world.rules = UNLIMITED
    scores = world.scores(rng, 1.0)
    answers = [world.evaluate(world.submit(scores))]
    for row in range(60):
        probe = {name: values.copy() for name, values in scores.items()}
        probe["hidden_00"][row] = 99.0
        answers.append(world.evaluate(world.submit(probe)))

    assert all(answer == answers[0] for answer in answers)


@pytest.fixture(scope="module")
def probing():
    """Import the benchmark script as a module."""
    file = Path(__file__).parents[2] / "benchmarks" / "label_probing.py"
    spec = importlib.util.spec_from_file_location("label_probing", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_ladder_bounds_how_many_anomalies_can_be_found(probing):
    seed = np.random.SeedSequence(1)
    room = round((probing.BEST - probing.WORST) / probing.RULES.step)

    by_ladder = [probing.play("Ladder", size, seed) for size in (1, 4, 8)]
    by_rounding = probing.play("3 decimals", 4, seed)

    for told in by_ladder:
        assert sum(anomalies for _, _, anomalies in told) <= room < probing.GOAL
    assert probing.needed(by_rounding, 2) < 2000


@pytest.mark.parametrize("evaluator", ["exact, every data set", "exact mean"])
def test_exact_answers_reveal_all_labels(probing, evaluator):
    told = probing.play(evaluator, 4, np.random.SeedSequence(1))

    assert sum(rows for _, rows, _ in told) == probing.N_LABELS
    assert sum(hits for _, _, hits in told) == probing.N_SETS * probing.N_ANOMALIES


def test_the_lists_of_the_command_line_are_those_of_the_format():
    assert KINDS == statement.KINDS
    assert tuple(statement.CONFIGURATIONS) == CONFIGURATIONS


def test_check_exits_with_3_and_lists_all_faults(world, honest):
    honest["scores/hidden_00/0.npy"] = b""
    honest["scores/hidden_01/0.npy"] = b""
    path = build(world, honest)
    world.sets.write(world.folder / "sets.json")
    arguments = ["check", str(path), "--sets", str(world.folder / "sets.json")]

    done = CliRunner().invoke(submission, arguments)

    assert done.exit_code == 3
    assert len(done.output.splitlines()) == 2


def test_check_of_a_missing_file_is_an_error(world):
    with pytest.raises(OdbenchError, match="no such file"):
        check(world.folder / "nothing.zip", world.sets)
