"""Dask arrays and data frames: lazy scores, equal to those in one piece."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from odbench.errors import DetectorError, UsageError
from odbench_detectors import CATS, COPOD, ECOD, HBOS, large
from odbench_detectors.large.sample import sample_rows

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
dask = pytest.importorskip("dask")


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(name="X")
def skewed_tied(rng):
    X = rng.normal(size=(1200, 5))
    X[:, 1] = np.exp(2 * X[:, 1])
    X[:, 2] = np.round(X[:, 2])
    return X


def as_array(X):
    return da.from_array(X, chunks=((1, 500, 0, 699), (2, 3)))


def as_frame(X):
    frame = pd.DataFrame(X, columns=list("abcde"), index=np.arange(len(X)) + 7)
    return dd.from_pandas(frame, npartitions=5)


def filtered(X):
    """Return a dask array whose blocks are of unknown size."""
    lazy = as_array(X)
    return lazy[lazy[:, 0] > -10]


FORMS = {"array": as_array, "frame": as_frame, "unknown sizes": filtered}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


@forms
def test_hbos_is_fitted_and_scores_lazily(X, form):
    whole = HBOS().fit(X)

    fitted = large.fit(HBOS(), form(X))
    scores = large.score(fitted, form(X))

    assert hasattr(scores, "__dask_graph__")
    assert_array_equal(fitted.edges_, whole.edges_)
    assert_array_equal(np.asarray(scores), whole.decision_function(X))


def test_the_scores_of_a_frame_keep_its_index(X):
    frame = as_frame(X)

    scores = large.score(HBOS().fit(X), frame).compute()

    assert scores.name == "score"
    assert_array_equal(scores.index, frame.index.compute())


@forms
@pytest.mark.parametrize("make", [ECOD, COPOD])
def test_quantiles_stay_within_the_stated_error(X, form, make):
    whole = make().fit(X).decision_function(X)

    fitted = large.fit(make(quantiles=64), form(X))

    error = abs(np.asarray(large.score(fitted, form(X))) - whole).max()
    assert 0 < error <= fitted.score_error_
    assert fitted.columns_.n_rows == 1200


@forms
@pytest.mark.parametrize("make", [ECOD, COPOD])
def test_columns_apart_give_exact_scores(X, form, make):
    scores = large.score_by_columns(make(), form(X), memory=150_000)

    assert hasattr(scores, "__dask_graph__")
    whole = make().fit(X).decision_function(X)
    assert_allclose(np.asarray(scores), whole, rtol=1e-12)


def test_columns_apart_score_other_rows(X):
    rows = 1.2 * X[:300]

    scores = large.score_by_columns(ECOD(), as_array(X), da.from_array(rows, (90, 5)))

    whole = ECOD().fit(X).decision_function(rows)
    assert_allclose(np.asarray(scores), whole, rtol=1e-12)


@forms
def test_cats_takes_the_same_sample_as_without_dask(X, form):
    fitted = large.fit(CATS(), form(X), rows=200)

    whole = CATS().fit(sample_rows(X, 200, 0))
    assert_array_equal(fitted.decision_function(X), whole.decision_function(X))


def test_calls_that_cannot_work_are_refused(X):
    with pytest.raises(DetectorError, match="wanted both of dask"):
        large.score_by_columns(ECOD(), as_array(X), X)
    with pytest.raises(DetectorError, match="expected 5 columns as in fit, got 4"):
        large.score_by_columns(ECOD(), as_array(X), as_array(X)[:, 1:])
    with pytest.raises(UsageError, match="reshape it"):
        large.fit(HBOS(), da.ones(5))
    with pytest.raises(DetectorError, match="without rows"):
        large.fit(HBOS(), as_array(X)[:0])
    bad = X.copy()
    bad[700, 3] = np.inf
    with pytest.raises(DetectorError, match="column 3 holds NaN or infinity"):
        large.fit(HBOS(), as_array(bad))
    with pytest.raises(DetectorError, match="holds NaN or infinity"):
        large.score_by_columns(ECOD(), as_array(X), as_array(bad)).compute()


@pytest.mark.slow
def test_a_cluster_of_processes_gives_the_same(X):
    distributed = pytest.importorskip("distributed")
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        Client(cluster),
        dask.config.set(scheduler=None),
    ):
        assert distributed.default_client() is not None
        hbos = large.fit(HBOS(), as_array(X))
        ecod = large.fit(ECOD(quantiles=64), as_frame(X))
        scores = large.score(hbos, as_array(X)).compute()
        bounded = large.score(ecod, as_frame(X)).compute()
        lazy = large.score_by_columns(ECOD(), as_array(X), memory=150_000)
        exact = lazy.compute()

    whole = ECOD().fit(X).decision_function(X)
    assert_array_equal(scores, HBOS().fit(X).decision_function(X))
    assert abs(bounded.to_numpy() - whole).max() <= ecod.score_error_
    assert_allclose(exact, whole, rtol=1e-12)


def test_a_table_without_rows_is_refused_by_columns(X):
    frame = as_frame(X)

    with pytest.raises(DetectorError, match="cannot fit on a table of shape"):
        large.score_by_columns(ECOD(), frame[frame["a"] > 99])


@pytest.mark.parametrize("one", [lambda X: as_frame(X)["a"], lambda X: as_array(X)[0]])
def test_one_column_is_not_a_table(X, one):
    for use in (
        lambda table: large.score_by_columns(ECOD(), table),
        lambda table: large.fit(HBOS(), table),
        lambda table: large.score(HBOS().fit(X), table),
    ):
        with pytest.raises(UsageError, match="of 1 dimension: wanted two"):
            use(one(X))
