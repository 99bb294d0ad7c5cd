"""The protocol: the rows of a trial, and the scaling of its columns.

The sweep's worker calls both functions: `choose_rows` with the labels, `standardise`
without. It passes only the standardised tables to the detector's process.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.data.rng import shuffled, stream
from odbench.errors import UsageError

PROTOCOL_VERSION = 1
ROW_LIMIT = 100_000

# A column is constant if its training values differ by at most this many rounding
# errors of the largest: such differences come from writing decimals in binary.
_CONSTANT_ULPS = 16
_EPS = float(np.finfo(np.float64).eps)
_LARGEST = float(np.finfo(np.float64).max)
# Powers of two up to here, and down to the inverse, are float64 of full precision.
_LARGEST_POWER = 1022


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one trial.

    Attributes
    ----------
    train : int64 array
        Rows of the training table, ascending.
    moved : int64 array
        Rows of the test table, all anomalies, that are appended to the training rows,
        ascending; empty in all settings but the contaminated one.
    test : int64 array
        Rows of the test table that are scored, ascending; none of `moved`.
    """

    train: IntArray
    moved: IntArray
    test: IntArray

    def is_everything(self, n_train: int, n_test: int) -> bool:
        """Tell whether these are all rows, so that nothing needs to be copied."""
        return len(self.train) == n_train and len(self.test) == n_test


def choose_rows(
    n_train: int,
    y_test: LabelArray | None,
    n_test: int,
    *,
    dataset_id: str,
    seed: int = 0,
    limit: int = ROW_LIMIT,
    contamination: float | None = None,
) -> Rows:
    """Choose the rows of one trial.

    If there are more than `limit` rows in all, rows are drawn without replacement, in
    the ratio of train to test: ``round(limit * n_train / n)`` from train, uniformly,
    or fewer so that the test keeps two rows; the rest from test, stratified by label.
    Then, in the contaminated setting, anomalies move from test to train.

    Parameters
    ----------
    n_train, n_test : int
        Rows of the data set.
    y_test : int8 array of shape (n_test,) or None
        1 = anomaly; None if labels are not public (test rows are then drawn
        uniformly).
    dataset_id : str
        ``suite/name``; the rows depend on it and on `seed`.
    seed : int
        The trial's seed.
    limit : int
        Maximum number of rows, train and test together.
    contamination : float, optional
        The share of anomalies *among the training rows after the move*, from 0 to
        below 0.5: ``round(share * n / (1 - share))`` anomalies join n training rows.
        They come from a random half of the test anomalies, rounded down. None of this
        half is scored, whatever the share: for one seed, all shares are judged on the
        same test rows, and a larger share moves the same anomalies and more.

    Returns
    -------
    Rows
        Ascending indices.

    Raises
    ------
    UsageError
        If the limit or the share is not valid, the share cannot be reached (see
        `reaches`), or labels are needed but not public.
    """
    _check(n_train, n_test, limit, contamination, labelled=y_test is not None)
    total = n_train + n_test
    words = stream("rows-1", dataset_id, seed)
    if total <= limit:
        train, test = np.arange(n_train), np.arange(n_test)
    else:
        keep = _training_rows(n_train, n_test, limit)
        train = np.sort(shuffled(n_train, words)[:keep])
        test = _stratified(y_test, n_test, limit - keep, words)
    moved = np.empty(0, dtype=np.int64)
    if contamination is not None and y_test is not None:
        anomalies = test[y_test[test] == 1]
        order = shuffled(len(anomalies), stream("moved-1", dataset_id, seed))
        reserve = anomalies[order[: len(anomalies) // 2]]
        wanted = _anomalies_wanted(len(train), contamination)
        if wanted > len(reserve):
            msg = (
                f"{dataset_id}: {contamination:.1%} of {len(train)} training rows "
                f"would be {wanted} anomalies; it has {len(reserve)} to move; use a "
                f"smaller share"
            )
            raise UsageError(msg)
        moved = np.sort(reserve[:wanted])
        test = np.setdiff1d(test, reserve, assume_unique=True)
    return Rows(train=train, moved=moved, test=test)


def reaches(
    n_train: int,
    n_test: int,
    n_anomalies: int,
    contamination: float,
    *,
    limit: int = ROW_LIMIT,
) -> bool:
    """Check whether a data set has enough anomalies for a share of contamination.

    Parameters
    ----------
    n_train, n_test, n_anomalies : int
        Rows of the data set, and the anomalies among its test rows.
    contamination, limit
        As for `choose_rows`.
    """
    if n_train + n_test > limit:
        keep = _training_rows(n_train, n_test, limit)
        n_anomalies = _anomalies_kept(n_anomalies, n_test, limit - keep)
        n_train = keep
    return _anomalies_wanted(n_train, contamination) <= n_anomalies // 2


def _training_rows(n_train: int, n_test: int, limit: int) -> int:
    """Return the number of training rows kept when there are more than `limit`."""
    # The test keeps at least two rows, one of each label.
    most = limit - min(n_test, 2)
    return min(max(round(limit * n_train / (n_train + n_test)), 1), most)


def _anomalies_wanted(n_train: int, contamination: float) -> int:
    return round(contamination * n_train / (1 - contamination))


def _check(
    n_train: int,
    n_test: int,
    limit: int,
    contamination: float | None,
    *,
    labelled: bool,
) -> None:
    """Refuse arguments for which no rows can be chosen."""
    if n_train < 1 or n_test < 1:
        msg = (
            f"protocol: got {n_train} training and {n_test} test rows; wanted at least "
            f"one of each"
        )
        raise UsageError(msg)
    if limit < 4:
        msg = f"row limit: got {limit}; wanted at least 4"
        raise UsageError(msg)
    if contamination is None:
        return
    if not 0 <= contamination < 0.5:
        msg = (
            f"contamination: got {contamination}; wanted a share from 0 to below 0.5, "
            f"such as 0.05"
        )
        raise UsageError(msg)
    if not labelled:
        msg = (
            "contamination: the labels of this data set are not public; use "
            "--protocol one-class"
        )
        raise UsageError(msg)


def _stratified(
    labels: LabelArray | None, n: int, keep: int, words: np.random.PCG64
) -> IntArray:
    """Draw `keep` of n rows, each label by its share and at least once."""
    order = shuffled(n, words)
    if labels is None:
        return np.sort(order[:keep])
    is_anomaly = labels[order] == 1
    anomalies = _anomalies_kept(int(is_anomaly.sum()), n, keep)
    chosen = (order[is_anomaly][:anomalies], order[~is_anomaly][: keep - anomalies])
    return np.sort(np.concatenate(chosen))


def _anomalies_kept(count: int, n: int, keep: int) -> int:
    """Return how many of `count` anomalies are among `keep` of n rows."""
    anomalies = round(keep * count / n)
    if 0 < count < n:
        anomalies = min(max(anomalies, 1), keep - 1)
    # Rounding must not ask for more rows of a label than exist.
    return max(min(anomalies, count), keep - (n - count))


def standardise(
    X_train: FloatArray, X_test: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Scale every column by the mean and standard deviation of its training rows.

    z = (x - mean) / sd, with the population standard deviation, in float64, as
    scikit-learn's ``StandardScaler``. A column that is constant in train becomes 0.
    It has no scale to divide by, so a test value that differs from the constant keeps
    its distance in the column's own unit. A column is also constant if its training
    values differ by at most 16 rounding errors of the largest
    (``max - min <= 16 eps max|x|``), where a z-score would only magnify rounding
    errors; test values within those rounding errors become 0, too.

    Columns are first multiplied by a power of two that brings the largest training
    value near 1, which is exact, so that squares neither overflow nor vanish.

    Parameters
    ----------
    X_train, X_test : float64 arrays of shape (n_train, n_columns), (n_test, n_columns)
        Finite; in any memory order; not modified.

    Returns
    -------
    (Z_train, Z_test) : float64 arrays of the same shapes
        New, C-contiguous, finite.
    """
    low, high = X_train.min(axis=0), X_train.max(axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    rounding = _CONSTANT_ULPS * _EPS * largest
    # Halves are compared because max - min itself may overflow.
    varies = high / 2 - low / 2 > rounding / 2
    shift = -np.frexp(largest)[1]
    Z_train = _scaled(X_train, shift)
    # Where nothing overflows, this equals the plain formula bit for bit: detectors that
    # invert a singular covariance magnify even the last bit.
    mean = Z_train.mean(axis=0)
    Z_train -= mean
    sd = np.sqrt(np.mean(np.square(Z_train), axis=0))
    divisor = np.where(varies, sd, 1.0)
    Z_train /= divisor
    Z_train[:, ~varies] = 0.0
    with np.errstate(over="ignore"):
        Z_test = _scaled(X_test, shift)
        Z_test -= mean
        Z_test /= divisor
        for column in np.flatnonzero(~varies):
            departure = X_test[:, column] - low[column]
            departure[np.abs(departure) <= rounding[column]] = 0.0
            Z_test[:, column] = departure
    # Only a test value about 1e300 times the training values is infinite here.
    np.clip(Z_test, -_LARGEST, _LARGEST, out=Z_test)
    return Z_train, Z_test


def _scaled(X: FloatArray, shift: IntArray) -> FloatArray:
    """Return X times 2**shift, column by column, as a new C-contiguous array."""
    out = np.empty(X.shape, dtype=np.float64, order="C")
    if (np.abs(shift) <= _LARGEST_POWER).all():
        # The same bits, several times as fast, as these powers of two are exact.
        return np.multiply(X, np.ldexp(1.0, shift), out=out)
    return np.ldexp(X, shift, out=out)
