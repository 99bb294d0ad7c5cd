"""Give every kind of detector the same interface: float64 scores, higher is anomalous.

In scikit-learn's own detectors, higher scores are more normal; in all others, PyOD
included, higher is more anomalous. Both are tagged as outlier detectors, so the tags do
not help. The class that *defines* the scoring method decides: if it belongs to
scikit-learn, the sign is flipped, here and nowhere else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DetectorError

# scikit-learn's `decision_function` is its `score_samples` minus a constant. That only
# loses digits, so `score_samples` is preferred if a detector has both.
_METHODS = ("decision_function", "score_samples")
# Scores of the fitted rows that PyOD's detectors and scikit-learn's LOF keep, and the
# sign that makes higher more anomalous.
_FITTED_SCORES = (("decision_scores_", 1.0), ("negative_outlier_factor_", -1.0))


def adapt(obj: object) -> AdaptedDetector:
    """Return a detector whose scores are float64 and grow with anomaly.

    Parameters
    ----------
    obj : object
        An unfitted detector with odbench's methods, a PyOD or scikit-learn detector, a
        pipeline that ends in any of them, or a function
        ``f(X_train, X_test) -> scores``. An adapted detector is returned unchanged.

    Returns
    -------
    AdaptedDetector
        It passes attribute access on to `obj`.

    Raises
    ------
    DetectorError
        If `obj` is a class, cannot be fitted, needs labels to be fitted, or has no
        method that scores rows.
    """
    if isinstance(obj, AdaptedDetector):
        return obj
    if isinstance(obj, type):
        msg = (
            f"detector {obj.__name__}: got the class itself; wanted an instance: "
            f"{obj.__name__}()"
        )
        raise DetectorError(msg)
    if not hasattr(obj, "fit"):
        if callable(obj):
            return AdaptedDetector(FunctionDetector(obj))
        msg = (
            f"detector {_name(obj)}: has no fit(X); wanted fit(X) and "
            f"decision_function(X), as in what `odbench detectors new NAME` writes"
        )
        raise DetectorError(msg)
    _refuse_labels(obj)
    return AdaptedDetector(obj)


class AdaptedDetector:
    """A detector whose scores have the right sign and type.

    Parameters
    ----------
    inner : object
        The adapted detector.

    Raises
    ------
    DetectorError
        If `inner` has no method that scores rows.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        _make_novelty(inner)
        self._method, self._negate = scoring_method(inner)

    def __getattr__(self, name: str) -> Any:
        # Dunder names are not passed on: copy and pickle look them up before `inner`
        # exists.
        if name.startswith("__") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def __repr__(self) -> str:
        return f"adapt({self.inner!r})"

    def fit(self, X: FloatArray) -> AdaptedDetector:
        """Learn from inliers, `X` being (n_rows, n_columns)."""
        self.inner.fit(X)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows: float64, higher is more anomalous.

        A column of shape (n_rows, 1) is flattened. Other wrong shapes and NaN are
        returned for the caller to check.

        Raises
        ------
        DetectorError
            If the detector does not return an array of real numbers.
        """
        scores = as_scores(getattr(self.inner, self._method)(X), _name(self.inner))
        return -scores if self._negate else scores

    def fit_score(self, X: FloatArray, rows: FloatArray | None = None) -> FloatArray:
        """Fit on rows and score the same rows: float64, higher is more anomalous.

        A detector's own ``fit_score(X)`` decides. Otherwise the scores are those that
        fitting left behind: PyOD's ``decision_scores_``, or the negative of
        scikit-learn's ``negative_outlier_factor_``. Otherwise they are those of
        `decision_function`.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
        rows : float64 array of shape (n_rows, n_columns), optional
            The same rows, for `decision_function`: ``fit`` may have shuffled `X`.

        Returns
        -------
        float64 array of shape (n_rows,)

        Raises
        ------
        DetectorError
            If the detector does not return an array of real numbers.
        """
        if callable(getattr(self.inner, "fit_score", None)):
            return as_scores(self.inner.fit_score(X), _name(self.inner))
        self.fit(X)
        fitted = _last_step(self.inner)
        for name, sign in _FITTED_SCORES:
            if hasattr(fitted, name):
                return sign * as_scores(getattr(fitted, name), _name(self.inner))
        return self.decision_function(X if rows is None else rows)

    def score_batch(self, X: FloatArray) -> FloatArray:
        """Score rows that may be compared with each other: float64, as the others.

        A detector's own ``score_batch(X)`` decides, else `decision_function`.

        Raises
        ------
        DetectorError
            If the detector does not return an array of real numbers.
        """
        if callable(getattr(self.inner, "score_batch", None)):
            return as_scores(self.inner.score_batch(X), _name(self.inner))
        return self.decision_function(X)


class FunctionDetector:
    """A function of both splits, with the interface of a detector.

    Parameters
    ----------
    function : callable
        ``f(X_train, X_test) -> scores``, higher = more anomalous.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's signature
        """Return the constructor's parameters."""
        return {"function": self.function}

    def fit(self, X: FloatArray) -> FunctionDetector:
        """Remember the inliers."""
        self._train = X
        return self

    def decision_function(self, X: FloatArray) -> Any:
        """Call the function with the inliers and the rows to score."""
        return self.function(self._train, X)


def scoring_method(obj: object) -> tuple[str, bool]:
    """Find the method that scores, and whether its sign must be changed.

    Parameters
    ----------
    obj : object
        A detector or a scikit-learn pipeline.

    Returns
    -------
    tuple of (str, bool)
        The method's name; True where higher means more normal.

    Raises
    ------
    DetectorError
        If there is no such method.
    """
    scorer = _last_step(obj)
    for owner in type(scorer).__mro__:
        defined = [name for name in _METHODS if name in vars(owner)]
        if not defined:
            continue
        ours = not owner.__module__.startswith("sklearn.")
        if ours and "decision_function" in defined:
            return "decision_function", False
        # `score_samples` is scikit-learn's name for a density, regardless of the class.
        if hasattr(obj, "score_samples"):
            return "score_samples", True
        return "decision_function", True
    if callable(getattr(scorer, "decision_function", None)):
        return "decision_function", False
    msg = (
        f"detector {_name(scorer)}: has neither decision_function(X) nor "
        f"score_samples(X); wanted a method that returns one float per row, higher = "
        f"more anomalous"
    )
    raise DetectorError(msg)


def as_scores(raw: object, name: str) -> FloatArray:
    """Return scores as a float64 array, keeping wrong shapes and NaN visible.

    Parameters
    ----------
    raw : object
        A detector's return value: an array, a list, a series, a tensor.
    name : str
        The detector, for the message.

    Returns
    -------
    float64 array
        Of the shape of `raw`, except that (n, 1) becomes (n,). Masked entries are NaN.

    Raises
    ------
    DetectorError
        If `raw` is None, ragged, or of a type that is not a real number.
    """
    if hasattr(raw, "__cuda_array_interface__") and hasattr(raw, "get"):
        raw = raw.get()
    try:
        if isinstance(raw, np.ma.MaskedArray) and raw.dtype.kind in "fiub":
            # A masked entry has no score; the number behind the mask is arbitrary.
            raw = np.ma.filled(raw.astype(np.float64), np.nan)
        array = np.asarray(raw)
    except (TypeError, ValueError, RuntimeError) as error:
        msg = (
            f"detector {name}: scores are not an array ({error}); "
            f"wanted one float per row"
        )
        raise DetectorError(msg) from error
    if array.dtype.kind not in "fiub":
        msg = (
            f"detector {name}: scores are {type(raw).__name__} of {array.dtype}; "
            f"wanted one float per row"
        )
        raise DetectorError(msg)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    return np.ascontiguousarray(array, dtype=np.float64)


def _last_step(obj: Any) -> Any:
    """Return the estimator that scores, the last step of pipelines."""
    while _is_pipeline(obj):
        step = obj.steps[-1][1]
        if step is None or isinstance(step, str):
            msg = f"detector {_name(obj)}: the last step is {step!r}, no detector"
            raise DetectorError(msg)
        obj = step
    return obj


def _is_pipeline(obj: object) -> bool:
    return isinstance(getattr(obj, "steps", None), list) and any(
        owner.__module__ == "sklearn.pipeline" for owner in type(obj).__mro__
    )


def _refuse_labels(obj: object) -> None:
    """Refuse a detector, such as a classifier, whose ``fit`` needs more than ``X``."""
    scorer = _last_step(obj)
    try:
        asked = inspect.signature(scorer.fit).parameters.values()
    except (AttributeError, TypeError, ValueError):
        # Compiled code may not tell.
        return
    by_place = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    needed = [
        one.name for one in asked if one.default is one.empty and one.kind in by_place
    ][1:]
    if needed:
        msg = (
            f"detector {_name(scorer)}: fit(X, {', '.join(needed)}) needs "
            f"{', '.join(needed)}; a detector gets features alone and no labels: "
            f"wanted fit(X), or {needed[0]}=None"
        )
        raise DetectorError(msg)


def _make_novelty(obj: object) -> None:
    """Enable scikit-learn's LOF to score rows outside its training set."""
    scorer = _last_step(obj)
    for owner in type(scorer).__mro__:
        if owner.__module__.startswith("sklearn.") and hasattr(scorer, "novelty"):
            scorer.novelty = True
            return


def _name(obj: object) -> str:
    if inspect.isfunction(obj):
        return obj.__name__
    return type(obj).__name__
