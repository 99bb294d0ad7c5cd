"""TabICL as a detector: contract, densities, tasks and its checkpoints."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from odbench.errors import ArchiveError, DetectorError, MissingWeightsError
from odbench.plugins.check.contract import check_detector
from odbench.plugins.check.tables import planted
from odbench.plugins.find import find_detector

pytest.importorskip("tabicl")

from odbench_detectors.foundation.tabicl import detector as module
from odbench_detectors.foundation.tabicl.density import Codes
from odbench_detectors.foundation.tabicl.detector import TabICL
from odbench_detectors.foundation.tabicl.model import load_model
from odbench_detectors.foundation.tabicl.pseudo import KINDS

# Networks of random weights know no anomalies.
NEEDS_TRAINING = {"orientation", "variety"}


def small(files, **params):
    paths = {name: str(path) for name, path in files.items()}
    params = {
        "n_estimators": 1,
        "n_permutations": 1,
        "n_tasks": 4,
        "context": 40,
    } | params
    return TabICL(**paths, **params)


@pytest.mark.slow
@pytest.mark.parametrize("tasks", ["density", "random"])
def test_it_passes_every_probe(tabicl_files, tasks):
    paths = ",".join(f"{k}={str(v)!r}" for k, v in tabicl_files.items())
    few = "n_estimators=1,n_permutations=1,n_tasks=2,context=40"
    found = find_detector(f"tabicl:tasks={tasks},{few},{paths}")

    findings = {f.probe: f for f in check_detector(found)}

    failed = [f for f in findings.values() if f.verdict != "ok"]
    assert [f for f in failed if f.probe not in NEEDS_TRAINING] == []


@pytest.mark.parametrize("tasks", ["density", "random"])
def test_a_row_scores_alike_in_any_batch(tabicl_files, rng, tasks):
    train, test = rng.normal(size=(30, 3)), rng.normal(size=(9, 3))
    fitted = small(tabicl_files, tasks=tasks, random_state=0).fit(train)

    whole = fitted.decision_function(test)

    assert fitted.decision_function(test[4:5])[0] == whole[4]
    assert np.array_equal(fitted.decision_function(test[::-1]), whole[::-1])
    assert np.array_equal(
        pickle.loads(pickle.dumps(fitted)).decision_function(test), whole
    )


def test_density_is_low_far_away(tabicl_files, rng):
    train = rng.normal(size=(40, 3))
    test = np.vstack([rng.normal(size=(20, 3)), 9 + rng.normal(size=(5, 3))])

    scores = small(tabicl_files, random_state=0).fit(train).decision_function(test)

    assert scores[20:].min() > scores[:20].max()


def test_density_is_that_of_the_package(tabicl_files, rng):
    """The package's own score is the exponential of ours, without its noise."""
    from tabicl import TabICLUnsupervised

    train, test = rng.normal(size=(25, 1)), rng.normal(size=(6, 1))
    fitted = small(tabicl_files, random_state=3).fit(train)
    (part,) = fitted._parts
    theirs = TabICLUnsupervised(n_estimators=1, random_state=3, device="cpu")
    theirs._load_shared_model = lambda _: load_model(tabicl_files["regressor"])
    theirs.fit(fitted._scaled(train))
    theirs._prepare_conditional_data = part._density._prepare_conditional_data

    expected = np.log(theirs.score_samples(fitted._scaled(test), n_permutations=1))

    assert fitted.decision_function(test) == pytest.approx(
        -expected, rel=1e-3, abs=1e-3
    )


def test_categories_and_constants_are_coded():
    train = np.array([[1.5, 7.0, 0.1], [2.5, 7.0, 0.2], [1.5, 7.0, 0.3]] * 5)
    train[:, 2] = np.arange(15) * 0.1
    codes = Codes(train)

    assert codes.categorical == [0]
    coded = codes.encode(np.array([[2.5, 7.0, 0.5], [1.0, 8.0, 0.5]]))
    assert coded.tolist() == [[1.0, 0.5], [2.0, 0.5]]
    assert codes.penalty(train).tolist() == [0.0] * 15
    assert codes.penalty(np.array([[1.5, 8.0, 0.0]])) == pytest.approx(np.log(1e-10))


def test_a_value_that_a_category_never_had_is_improbable(tabicl_files, rng):
    train = rng.integers(3, size=(40, 2)).astype(float)
    fitted = small(tabicl_files, random_state=0).fit(train)

    usual, new = fitted.decision_function(np.array([[1.0, 2.0], [1.0, 7.0]]))

    assert new > usual + 10


@pytest.mark.parametrize("kind", KINDS)
def test_pseudo_anomalies_differ_from_rows_and_follow_the_seed(kind, rng):
    rows = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4))
    made = kind(rows, np.random.default_rng(1))

    assert made.shape == rows.shape
    assert not (made == rows).all(axis=1).any() or kind.__name__ == "shuffled"
    assert np.array_equal(made, kind(rows, np.random.default_rng(1)))
    if kind.__name__ == "shuffled":
        assert np.array_equal(np.sort(made, axis=0), np.sort(rows, axis=0))


def test_tasks_find_planted_outliers_with_a_classifier_that_learns(
    tabicl_files, monkeypatch
):
    """The tasks are right; the small network of the tests only cannot learn."""
    from sklearn.ensemble import RandomForestClassifier

    def forest(n_estimators, device, random_state):
        return RandomForestClassifier(60, random_state=random_state)

    monkeypatch.setattr(module, "TabICLClassifier", forest)
    table = planted()
    fitted = small(tabicl_files, tasks="random", context=400, random_state=0)
    scores = fitted.fit(table.train).decision_function(table.test)

    assert table.detection_rate(scores) > 0.95


def test_wide_and_long_tables_are_drawn_from(tabicl_files, rng):
    fitted = small(tabicl_files, tasks="random", n_tasks=2, random_state=0)
    fitted.fit(rng.normal(size=(90, 130)))

    assert [len(part._columns) for part in fitted._parts] == [100, 100]
    assert np.isfinite(fitted.decision_function(rng.normal(size=(3, 130)))).all()


def test_random_tasks_need_no_regressor(tabicl_files, cache, rng):
    only = {"checkpoint": tabicl_files["checkpoint"]}
    rows = rng.normal(size=(12, 2))

    assert len(small(only, tasks="random").fit(rows).decision_function(rows)) == 12
    with pytest.raises(
        MissingWeightsError, match=r"tabicl-regressor-v2-20260212\.ckpt"
    ):
        small(only).fit(rows)
    infos = find_detector("tabicl:tasks=random").info
    assert [w.parameter for w in infos.weights(tasks="random")] == ["checkpoint"]
    assert len(infos.weights(tasks="density")) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.pop("config"), "has no config of TabICL"),
        (lambda c: c["config"].update(surprise=1), "has no config of TabICL"),
        (lambda c: c["config"].update(embed_dim=1 << 40), "config has embed_dim=10995"),
        (
            lambda c: c["config"].update(icl_num_blocks=10**6),
            "config has icl_num_blocks",
        ),
        (
            lambda c: c["config"].update(embed_dim=32),
            r"shape .* wanted .*another model",
        ),
        (lambda c: c["config"].update(icl_nhead=3), "its config makes no network"),
        (
            lambda c: c["state_dict"].update(
                {"row_interactor.out_ln.bias": torch.full((16,), torch.nan)}
            ),
            "holds NaN or infinite values",
        ),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused(made, tmp_path, change, words):
    content = made.tabicl(max_classes=10)
    change(content)
    file = tmp_path / "wrong.ckpt"
    file.write_bytes(made.as_archive(content))

    with pytest.raises(ArchiveError, match=words) as caught:
        load_model(file)

    assert "\n" not in str(caught.value)


def test_the_published_size_is_accepted(made, tmp_path):
    """The defaults of the package are those of the published second version."""
    from tabicl._model.tabicl import TabICL as Network

    file = tmp_path / "whole.ckpt"
    content = {"config": {"max_classes": 10}, "state_dict": Network().state_dict()}
    file.write_bytes(made.as_archive(content))

    parameters = sum(value.numel() for value in load_model(file).parameters())
    assert 27e6 < parameters < 28e6


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"tasks": "both"}, "tasks one of"), ({"n_estimators": 0}, "n_estimators >= 1")],
)
def test_impossible_parameters_are_refused(tabicl_files, wrong, words):
    with pytest.raises(DetectorError, match=words):
        small(tabicl_files, **wrong).fit(np.ones((4, 2)))


def test_the_info_lists_what_the_detector_takes():
    info = find_detector("tabicl").info
    defaults = TabICL().get_params()
    assert {**info.params, "random_state": None} == defaults
    assert replace(info).extra == "foundation"
