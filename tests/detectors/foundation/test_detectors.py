"""FoMo-0D and OutFormer as detectors: contract, contexts, large and wide tables."""

import subprocess
import sys

import numpy as np
import pytest

from odbench.errors import DetectorError
from odbench.plugins.check.contract import check_detector
from odbench.plugins.find import find_detector, grid_of
from odbench_detectors.foundation.fomo0d.detector import FoMo0D
from odbench_detectors.foundation.outformer.detector import OutFormer


@pytest.mark.parametrize("name", ["fomo0d", "outformer:passes=3"])
def test_each_passes_every_probe(name, checkpoint):
    joint = "," if ":" in name else ":"
    found = find_detector(f"{name}{joint}checkpoint={str(checkpoint)!r}")

    findings = list(check_detector(found))

    assert len(findings) > 20
    assert [f for f in findings if f.verdict != "ok"] == []


def test_every_point_of_the_grid_scores(checkpoint, rng):
    train, test = rng.normal(size=(40, 3)), rng.normal(size=(20, 3))
    test[:4] *= 8
    for one in grid_of(find_detector(f"fomo0d:checkpoint={str(checkpoint)!r}")):
        scores = one.build(0).fit(train).decision_function(test)
        assert scores[:4].mean() > scores[4:].mean(), one.label


def test_a_small_table_takes_one_pass_and_a_large_one_several(checkpoint, rng):
    train = rng.normal(size=(50, 3))
    whole = FoMo0D(str(checkpoint), context=50, random_state=0).fit(train)
    parts = FoMo0D(str(checkpoint), context=20, random_state=0).fit(train)

    assert len(whole._passes) == 1
    assert [len(one.rows) for one in parts._passes] == [20] * 4
    assert len({one.rows.tobytes() for one in parts._passes}) == 4


def test_a_wide_table_is_read_by_random_columns(checkpoint, rng):
    train = rng.normal(size=(30, 260))
    test = rng.normal(size=(12, 260))
    test[:3] *= 6

    fitted = FoMo0D(str(checkpoint), random_state=0).fit(train)

    scores = fitted.decision_function(test)
    assert [len(one.columns) for one in fitted._passes] == [100] * 4
    assert len(set(np.concatenate([one.columns for one in fitted._passes]))) > 150
    assert scores[:3].min() > scores[3:].max()


def test_outformer_shuffles_columns_in_each_pass(checkpoint, rng):
    fitted = OutFormer(str(checkpoint), passes=5, random_state=0)
    fitted.fit(rng.normal(size=(30, 9)))

    orders = {tuple(one.columns) for one in fitted._passes}
    assert len(orders) == 5
    assert all(sorted(order) == list(range(9)) for order in orders)


def test_the_seed_alone_decides(checkpoint, rng):
    train, test = rng.normal(size=(60, 4)), rng.normal(size=(10, 4))

    def scores(seed):
        made = FoMo0D(str(checkpoint), context=20, passes=2, random_state=seed)
        return made.fit(train).decision_function(test)

    np.random.default_rng(1).normal(size=9)
    assert np.array_equal(scores(3), scores(3))
    assert not np.array_equal(scores(3), scores(4))


def test_contexts_that_are_not_kept_give_the_same_scores(checkpoint, rng, monkeypatch):
    from odbench_detectors.foundation import prior_fitted

    train, test = rng.normal(size=(30, 4)), rng.normal(size=(300, 4))
    kept = FoMo0D(str(checkpoint), random_state=0).fit(train)
    expected = [kept.decision_function(test) for _ in range(2)]
    monkeypatch.setattr(prior_fitted, "_KEPT_BYTES", 0)
    again = FoMo0D(str(checkpoint), random_state=0).fit(train)

    assert np.array_equal(again.decision_function(test), expected[0])
    assert np.array_equal(expected[1], expected[0])
    assert kept._memories
    assert not again._memories


def test_own_rows_are_scored_by_contexts_without_them(checkpoint, rng, monkeypatch):
    rows = rng.normal(size=(40, 3))
    contexts = []
    fit = FoMo0D.fit

    def remembered(self, X):
        contexts.append({row.tobytes() for row in X})
        return fit(self, X)

    monkeypatch.setattr(FoMo0D, "fit", remembered)
    scores = FoMo0D(str(checkpoint), random_state=0).fit_score(rows)

    assert np.isfinite(scores).all()
    assert [len(one) for one in contexts] == [30] * 4
    assert all(sum(r.tobytes() in c for c in contexts) == 3 for r in rows)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"passes": 0}, r"passes a whole number >= 1; got passes=0"),
        ({"context": 1}, r"context a number >= 2; got context=1"),
        ({"transform": "log"}, r"transform one of .*; got transform='log'"),
        ({"device": "tpu"}, r"device one of .*; got device='tpu'"),
        ({"random_state": -1}, r"random_state None or .*; got random_state=-1"),
        ({"random_state": "a"}, r"random_state None or .*; got random_state='a'"),
    ],
)
def test_impossible_parameters_are_refused(checkpoint, wrong, words):
    with pytest.raises(DetectorError, match=words):
        FoMo0D(str(checkpoint), **wrong).fit(np.ones((4, 2)))


def test_infos_are_read_without_torch():
    code = (
        "import sys\n"
        "from odbench.plugins.find import list_detectors\n"
        "names = [info.name for info in list_detectors()[0]]\n"
        "assert 'fomo0d' in names and 'outformer' in names\n"
        "assert 'torch' not in sys.modules and 'huggingface_hub' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
