"""Explain the scores of a batch, and those of the rows of one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from odbench.arrays import FloatArray, IntArray
from odbench.errors import DetectorError
from odbench_detectors.cats.explain import (
    BATCH,
    Explanations,
    Part,
    as_shares,
    explain_placed,
)
from odbench_detectors.cats.robust import RANKING, OwnRows
from odbench_detectors.cats.scoring import Scores
from odbench_detectors.cats.views import VIEWS
from odbench_detectors.shared.estimator import column_names


def explain_in_batch(
    detector: Scores,
    X: FloatArray,
    columns: Sequence[str] | None,
    rows: ArrayLike | None,
) -> Explanations:
    """Explain scores of `CATS.score_batch`, which see there."""
    names = column_names(columns, X.shape[1], prefix="column ")
    chosen = _chosen(rows, len(X))
    explained = np.ascontiguousarray(X[chosen])
    surprise, amounts = detector.surprise_by_column(X, chosen)
    alone = _joined(detector.parts(explained), len(VIEWS), X.shape[1])
    part = add_batch(alone, surprise, as_shares(amounts))
    return Explanations(explained, names, [part], views=(*VIEWS, BATCH), rows=chosen)


def add_batch(alone: Part, surprise: FloatArray, blame: FloatArray) -> Part:
    """Add the trees to the explanation of rows alone.

    Parameters
    ----------
    alone : Part
        Of m rows, by `VIEWS`.
    surprise : float64 array of shape (m,)
        Of the batch, weighted, in nats.
    blame : float64 array of shape (m, d)
        Each column's share of it.

    Returns
    -------
    Part
        With one view more, the last. The trees have a share of the score; the views
        divide the rest as they divide the squared score of rows alone.
    """
    scores = alone.scores + surprise
    batch = surprise / np.where(scores > 0.0, scores, 1.0)
    rest = np.where(scores > 0.0, 1.0 - batch, 0.0)[:, None]
    added, most = batch[:, None] * blame, rest * alone.most
    return Part(
        scores,
        np.column_stack([rest * alone.views, batch]),
        rest * alone.columns + added,
        np.where(added > most, len(VIEWS), alone.leading),
        np.maximum(most, added),
    )


def explain_own_rows(
    detector: Scores,
    X: FloatArray,
    columns: Sequence[str] | None,
    rows: ArrayLike | None,
) -> Explanations:
    """Fit, and explain scores of `CATS.fit_score`; see `CATS.explain_own`."""
    own = detector.fit_own(X)
    X = detector.rows_to_score(X)
    names = column_names(columns, X.shape[1], prefix="column ")
    chosen = _chosen(rows, len(X))
    place = np.full(len(X), -1, dtype=np.int64)
    place[own.learned] = np.arange(len(own.learned))
    is_core = place[chosen] >= 0
    core, others = chosen[is_core], chosen[~is_core]
    at = detector.train_placed(place[core])
    parts = [explain_placed(detector.views, at, *_of_rows(own, core))]
    for start, there in detector.placed(np.ascontiguousarray(X[others])):
        among = others[start : start + len(there.z)]
        parts.append(explain_placed(detector.views, there, *_of_rows(own, among)))
    order = np.argsort(np.r_[np.flatnonzero(is_core), np.flatnonzero(~is_core)])
    part = _taken(_joined(parts, len(RANKING), X.shape[1]), order)
    return Explanations(X[chosen], names, [part], views=RANKING, rows=chosen)


def _of_rows(own: OwnRows, rows: IntArray) -> tuple[FloatArray, dict[str, FloatArray]]:
    amounts = {name: values[rows] for name, values in own.amounts.items()}
    return own.scores[rows], amounts


def _chosen(rows: ArrayLike | None, n: int) -> IntArray:
    """Return the places of the rows to explain."""
    if rows is None:
        return np.arange(n, dtype=np.int64)
    chosen = np.atleast_1d(np.asarray(rows))
    if chosen.size == 0:
        return np.empty(0, dtype=np.int64)
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer):
        msg = f"rows to explain: got {rows!r}, wanted a list of row numbers"
        raise DetectorError(msg)
    if chosen.min() < 0 or chosen.max() >= n:
        wrong = int(chosen[(chosen < 0) | (chosen >= n)][0])
        msg = (
            f"row {wrong} to explain: the table has rows 0 to {n - 1}; name one of them"
        )
        raise DetectorError(msg)
    return np.asarray(chosen, dtype=np.int64)


def _joined(parts: Iterable[Part], n_views: int, n_columns: int) -> Part:
    none = np.empty((0, n_columns))
    empty = Part(np.empty(0), np.empty((0, n_views)), none, none.astype(np.intp), none)
    both = [empty, *parts]
    return Part(
        **{
            name: np.concatenate([getattr(part, name) for part in both])
            for name in Part.__dataclass_fields__
        }
    )


def _taken(part: Part, rows: IntArray) -> Part:
    return Part(
        **{name: getattr(part, name)[rows] for name in Part.__dataclass_fields__}
    )
