"""odbench_pfn: its scores, its weights and its training."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from odbench.errors import (
    ArchiveError,
    DataError,
    DetectorError,
    HashMismatchError,
)
from odbench.plugins.check.contract import check_detector
from odbench.plugins.find import find_detector
from odbench.plugins.weights import pin_weights
from odbench.scoring.metrics import auroc
from odbench_detectors.foundation.odbench_pfn import detector as module
from odbench_detectors.foundation.odbench_pfn.detector import OdbenchPFN
from odbench_detectors.foundation.odbench_pfn.info import ODBENCH_PFN, SHA256, SHIPPED
from odbench_detectors.foundation.odbench_pfn.network import Network
from odbench_detectors.foundation.odbench_pfn.views import COLUMN_NUMBERS, ROW_NUMBERS
from odbench_detectors.foundation.odbench_pfn.weights import parse, read_weights

TRAINING = Path(__file__).parents[3] / "benchmarks" / "odbench_pfn"


@pytest.fixture
def rows(rng):
    """Inliers on a curve, all of them seen by the network."""
    z = rng.normal(size=(200, 1))
    noise = 0.1 * rng.normal(size=(200, 4))
    return np.concatenate([z, z**2, np.sin(z), -z], axis=1) + noise


@pytest.fixture
def outliers(rng):
    return rng.uniform(-2, 2, size=(50, 4))


@pytest.mark.slow
def test_it_passes_every_probe_of_the_contract():
    findings = list(check_detector(find_detector("odbench_pfn")))

    assert len(findings) > 20
    assert [f for f in findings if f.verdict != "ok"] == []


def test_it_ranks_outliers_first(rows, outliers):
    test = np.concatenate([rows[100:], outliers])
    labels = np.repeat([0, 1], [100, 50])

    scores = OdbenchPFN().fit(rows[:100]).decision_function(test)

    assert auroc(labels, scores) > 0.95


def test_the_order_of_context_rows_does_not_matter(rows, outliers, rng):
    shuffled = rows[rng.permutation(len(rows))]

    one = OdbenchPFN().fit(rows).decision_function(outliers)
    other = OdbenchPFN().fit(shuffled).decision_function(outliers)

    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_the_order_of_columns_does_not_matter(rows, outliers, rng):
    order = rng.permutation(4)

    one = OdbenchPFN().fit(rows).decision_function(outliers)
    other = OdbenchPFN().fit(rows[:, order]).decision_function(outliers[:, order])

    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_units_do_not_matter(rows, outliers):
    unit, zero = np.array([1e-6, 1.0, 1e5, 3.0]), np.array([0.0, 7.0, -2.0, 5.0])

    one = OdbenchPFN().fit(rows).decision_function(outliers)
    other = (
        OdbenchPFN().fit(rows * unit + zero).decision_function(outliers * unit + zero)
    )

    np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("unit", [2.0**900, 2.0**-900])
def test_tables_of_any_magnitude_have_the_same_scores(rows, outliers, unit):
    fitted = OdbenchPFN().fit(rows * unit)

    scores = fitted.decision_function(outliers * unit)

    assert np.array_equal(scores, OdbenchPFN().fit(rows).decision_function(outliers))
    far = np.full((2, rows.shape[1]), 1e308)
    assert np.isfinite(fitted.decision_function(far)).all()


def test_a_row_scores_alone_as_in_a_batch(rows, outliers):
    detector = OdbenchPFN().fit(rows)

    together = detector.decision_function(outliers)[:5]
    alone = [detector.decision_function(row[None])[0] for row in outliers[:5]]

    assert np.array_equal(together, alone)


def test_a_planted_row_stands_out_of_its_own_table(rows, outliers):
    table = np.concatenate([rows, outliers[:5]])
    labels = np.repeat([0, 1], [200, 5])

    assert auroc(labels, OdbenchPFN().fit_score(table)) > 0.9


def test_a_small_context_scores_the_rows_outside_it(rows):
    scores = OdbenchPFN(context=60).fit_score(rows)

    assert scores.shape == (200,)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("make", "rows", "text"),
    [
        (lambda: OdbenchPFN(context=1), np.ones((5, 2)), "context >= 2; got context=1"),
        (lambda: OdbenchPFN(context=2.5), np.ones((5, 2)), "got context=2.5"),
        (lambda: OdbenchPFN(weights=3), np.ones((5, 2)), "a path; got weights=3"),
        (OdbenchPFN, np.ones((1, 2)), r"at least 2 train rows, got shape \(1, 2\)"),
    ],
)
def test_bad_calls_give_one_line(make, rows, text):
    with pytest.raises(DetectorError, match=text):
        make().fit(rows)


@pytest.mark.long
@pytest.mark.slow
def test_a_wide_and_a_long_table_are_scored(rng):
    wide = rng.normal(size=(300, 1024))
    long = rng.normal(size=(30_000, 3))

    for table in (wide, long):
        scores = OdbenchPFN().fit(table).decision_function(table[:300])
        assert np.isfinite(scores).all()


def test_shipped_weights_are_small_and_pinned():
    data = SHIPPED.read_bytes()

    assert len(data) <= 10_000_000
    assert hashlib.sha256(data).hexdigest() == SHA256


def test_the_hash_of_the_weights_is_part_of_the_version(monkeypatch, tmp_path):
    monkeypatch.setenv("ODBENCH_CACHE", str(tmp_path))

    pinned = pin_weights(find_detector("odbench_pfn"), fetch=False)

    assert SHA256[:12] in pinned.version


def test_changed_weights_are_refused(monkeypatch, tmp_path, rows):
    data = bytearray(SHIPPED.read_bytes())
    data[-1] ^= 1
    changed = tmp_path / "weights.safetensors"
    changed.write_bytes(data)
    monkeypatch.setattr(module, "SHIPPED", changed)

    with pytest.raises(HashMismatchError, match="wanted " + SHA256):
        OdbenchPFN().fit(rows)


def test_missing_weights_are_named(rows, tmp_path):
    with pytest.raises(DataError, match=r"nowhere.*No such file.*train\.py"):
        OdbenchPFN(weights=str(tmp_path / "nowhere")).fit(rows)


def with_header(header, body=b""):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"x": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


NAN = np.array([np.nan], dtype="<f4").tobytes()
BROKEN = {
    "empty": b"",
    "a pickle": b"\x80\x04N.",
    "no header": (2**60).to_bytes(8, "little") + b"{}",
    "a list": with_header([1]),
    "double precision": with_header(entry("F64"), bytes(4)),
    "too short": with_header(entry(), bytes(2)),
    "another shape": with_header(entry(shape=(3,)), bytes(4)),
    "negative": with_header(entry(offsets=(-4, 4)), bytes(4)),
    "not finite": with_header(entry(), NAN),
    "no place": with_header({"x": {"dtype": "F32"}}),
    "too large": bytes(10_000_001),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_file_is_refused(name):
    with pytest.raises(ArchiveError, match=r"weights 'f': not a safetensors file"):
        parse(BROKEN[name], "f")


def test_weights_of_another_network_are_refused(tmp_path, rows):
    path = tmp_path / "other.safetensors"
    path.write_bytes(with_header(entry(), bytes(4)))

    with pytest.raises(ArchiveError, match="weights of another network"):
        OdbenchPFN(weights=str(path)).fit(rows)


def test_the_tensors_are_those_that_safetensors_reads():
    numpy = pytest.importorskip("safetensors.numpy")

    expected = numpy.load_file(SHIPPED)

    found = read_weights(SHIPPED)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[key], expected[key]) for key in found)


def test_scoring_needs_no_torch():
    code = (
        "import sys, numpy as np; import odbench_detectors.foundation.odbench_pfn."
        "detector as m; m.OdbenchPFN().fit(np.eye(9)).decision_function(np.eye(9)); "
        "sys.exit('torch' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0


def test_the_numpy_network_is_the_trained_one(rng, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(TRAINING))
    trained = pytest.importorskip("torch_network").TorchNetwork()
    tensors = read_weights(SHIPPED)
    trained.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()})
    rows = rng.normal(size=(30, ROW_NUMBERS)).astype(np.float32)
    columns = rng.normal(size=(30, 7, COLUMN_NUMBERS)).astype(np.float32)

    network = Network(tensors)
    embedded = network.embed(rows, columns)
    found = network.score(rows[20:], embedded[20:], network.remember(embedded[:20]))

    with torch.no_grad():
        given = torch.from_numpy(rows)[None], [torch.from_numpy(columns)]
        expected = trained(*given, 20)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.long
@pytest.mark.slow
def test_training_twice_writes_the_same_bytes(tmp_path):
    pytest.importorskip("torch")
    paths = [tmp_path / "one", tmp_path / "two"]

    for path in paths:
        command = [sys.executable, str(TRAINING / "train.py")]
        command += ["--steps", "3", "--out", str(path)]
        subprocess.run(command, check=True, capture_output=True)

    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert parse(paths[0].read_bytes(), "one").keys() == read_weights(SHIPPED).keys()


def test_tasks_of_the_prior_are_functions_of_their_number(monkeypatch):
    monkeypatch.syspath_prepend(str(TRAINING))
    prior = pytest.importorskip("prior")

    for seed in range(40):
        task, again = prior.draw_task(seed), prior.draw_task(seed)

        assert np.array_equal(task.context, again.context)
        assert np.isfinite(task.context).all()
        assert np.isfinite(task.queries).all()
        assert 0.1 < task.labels.mean() < 0.6
        assert task.context.shape[1] == task.queries.shape[1]


def test_no_real_table_was_trained_on():
    assert ODBENCH_PFN.trained_on == ()
