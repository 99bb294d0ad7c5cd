"""The size requested from a prior, and the data set that it draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from odbench.arrays import FloatArray
from odbench.synbench import portable
from odbench.synbench.stream import Stream

DIMENSION_BINS = ((2, 5), (6, 10), (11, 20), (21, 50), (51, 100))
INLIERS = (1_000, 20_000)
ANOMALY_SHARE = (0.01, 0.20)
MIN_ANOMALIES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The size of a data set.

    Attributes
    ----------
    n_columns : int
        From 2 to 100.
    n_inliers : int
        Number of inliers in train and test.
    n_anomalies : int
        Number of anomalies, all of them in test.
    """

    n_columns: int
    n_inliers: int
    n_anomalies: int

    @property
    def n_train(self) -> int:
        """Number of training rows: half of the inliers, rounded down."""
        return self.n_inliers // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One drawn set, columns first.

    Attributes
    ----------
    train : float64 array of shape (n_columns, n_train)
        Inliers.
    inliers : float64 array of shape (n_columns, n_inliers - n_train)
        The inliers of test.
    anomalies : float64 array of shape (n_columns, n_anomalies)
    inlier_scores : float64 array of shape (n_inliers - n_train,)
        The oracle's scores; higher is more anomalous.
    anomaly_scores : float64 array of shape (n_anomalies,)
    parameters : dict
        Every drawn parameter of the law, as JSON values.
    law : object
        The law itself, for the picture; None if there is no contour to draw.
    """

    train: FloatArray
    inliers: FloatArray
    anomalies: FloatArray
    inlier_scores: FloatArray
    anomaly_scores: FloatArray
    parameters: dict[str, Any]
    law: Any = field(default=None, repr=False)


def draw_sizes(stream: Stream, dimension_bin: int) -> Sizes:
    """Draw a set's size.

    Parameters
    ----------
    stream : Stream
    dimension_bin : int
        Index into `DIMENSION_BINS`.

    Returns
    -------
    Sizes
        Columns uniform in the bin; inliers log-uniform from 1,000 to 20,000;
        anomalies log-uniform from 1 % to 20 % of all rows, at least 30.
    """
    n_columns = stream.integer(*DIMENSION_BINS[dimension_bin])
    n_inliers = round(_log_uniform(stream, *INLIERS))
    share = _log_uniform(stream, *ANOMALY_SHARE)
    n_anomalies = max(MIN_ANOMALIES, round(n_inliers * share / (1.0 - share)))
    return Sizes(n_columns=n_columns, n_inliers=n_inliers, n_anomalies=n_anomalies)


def _log_uniform(stream: Stream, low: float, high: float) -> float:
    ends = portable.log([low, high])
    return float(portable.exp(stream.between(ends[0], ends[1], 1))[0])
