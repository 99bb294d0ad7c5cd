"""Explain which views and columns make a row anomalous."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.cats import kernels
from odbench_detectors.cats.mixture import Mixture
from odbench_detectors.cats.robust import DENSITY, MIDDLE, clipped
from odbench_detectors.cats.views import VIEWS, WEIGHTS, Placed, Views

if TYPE_CHECKING:
    import pandas as pd

# Name of the part that the other rows of a batch have in a score.
BATCH = "batch"
_MEANINGS = VIEWS | {
    BATCH: "like other rows of the batch, and unlike train rows",
    DENSITY: "where a smooth mixture of Gaussians has little mass",
    MIDDLE: "far from the middle of the train rows once correlations are taken out",
}
# Smaller shares are not mentioned in the text.
_WORTH_A_WORD = 0.1


@dataclass(frozen=True)
class Explanation:
    """An explanation of one row's score.

    Attributes
    ----------
    row : int
        Its index in the explained table.
    score : float
        The detector's score, in nats.
    views : dict of str to float
        Each view's share, largest first. They sum to 1, or are all 0 if nothing is
        unusual. For `CATS.explain` it is the share of the squared score. For
        `CATS.explain_batch`, the trees have a share of the score as "batch", and the
        views divide the rest. For `CATS.explain_own` it is the share of the sum that
        ranks the rows.
    columns : dict of str to float
        Each column's share, likewise; shares of columns with the same name are added. A
        view's share is divided among the columns in which the row differs from the
        train row, or the component, that the view compares it with.
    """

    row: int
    score: float
    views: dict[str, float]
    columns: dict[str, float]

    def __str__(self) -> str:
        """Return one sentence per view and one for the columns."""
        lines = [f"row {self.row} scores {self.score:.2f}:"]
        for name, share in _worthy(self.views):
            lines.append(f"  {share:4.0%} {name}: {_MEANINGS[name]}")
        where = ", ".join(
            f"{name} ({share:.0%})" for name, share in _worthy(self.columns)
        )
        lines.append(f"  in {where}" if where else "  in no column more than in others")
        return "\n".join(lines)


class Explanations(Sequence[Explanation]):
    """The explanations of some rows: a sequence, and the shape of all detectors.

    See `odbench.detector.Explanation` for ``scores`` and ``table``.

    Parameters
    ----------
    values : float64 array of shape (n_rows, n_columns)
        The explained rows.
    names : sequence of str
        The columns' names.
    parts : iterable of Part
        Consecutive parts of the rows.
    views : sequence of str
        Names of the views in the parts.
    rows : int64 array of shape (n_rows,), optional
        The rows' indices in their table; 0, 1, ... by default.

    Attributes
    ----------
    scores : float64 array of shape (n_rows,)
        In nats; higher is more anomalous.
    shares : float64 array of shape (n_rows, n_columns)
        Each column's share, see `Explanation`. A row's shares sum to 1, or are all 0.
    """

    def __init__(
        self,
        values: FloatArray,
        names: Sequence[str],
        parts: Iterable[Part],
        *,
        views: Sequence[str] = tuple(VIEWS),
        rows: IntArray | None = None,
    ) -> None:
        parts = list(parts)
        self._values, self._names = values, tuple(names)
        self._named, self._rows = list(views), rows
        none = np.empty((0, len(self._names)))
        self.scores: FloatArray = np.concatenate(
            [np.empty(0), *(p.scores for p in parts)]
        )
        self.shares: FloatArray = np.concatenate([none, *(p.columns for p in parts)])
        self._leading: IntArray = np.concatenate(
            [none.astype(np.intp), *(p.leading for p in parts)]
        )
        self._views = np.concatenate(
            [np.empty((0, len(self._named))), *(p.views for p in parts)]
        )

    def __len__(self) -> int:
        return len(self.scores)

    @overload
    def __getitem__(self, index: int) -> Explanation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Explanation]: ...
    def __getitem__(self, index: int | slice) -> Explanation | list[Explanation]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        return Explanation(
            row if self._rows is None else int(self._rows[row]),
            float(self.scores[row]),
            _largest_first(self._named, self._views[row]),
            _largest_first(self._names, self.shares[row]),
        )

    def table(self, row: int = 0, *, limit: int | None = None) -> pd.DataFrame:
        """Rank the columns of a row, most important first.

        Parameters
        ----------
        row : int
            Which of the explained rows.
        limit : int or None
            Maximum number of columns to list.

        Returns
        -------
        DataFrame
            ``column, value, view, share``: the view is the one that contributes most
            to the column's share.
        """
        import pandas as pd

        order = np.argsort(-self.shares[row], kind="stable")[:limit]
        return pd.DataFrame(
            {
                "column": [self._names[j] for j in order],
                "value": self._values[row, order],
                "view": [self._named[self._leading[row, j]] for j in order],
                "share": self.shares[row, order],
            }
        )


@dataclass(frozen=True)
class Part:
    """The shares of consecutive rows.

    Attributes
    ----------
    scores : float64 array of shape (m,)
    views : float64 array of shape (m, n_views)
        Each view's share.
    columns : float64 array of shape (m, d)
        Each column's share.
    leading : int array of shape (m, d)
        The view that contributes most to each column.
    most : float64 array of shape (m, d)
        Its contribution to the column's share.
    """

    scores: FloatArray
    views: FloatArray
    columns: FloatArray
    leading: IntArray
    most: FloatArray


def amounts_of(surprises: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return what each view adds to the squared score, float64 arrays of shape (m,)."""
    return {
        name: WEIGHTS.get(name, 1.0) * surprise * surprise
        for name, surprise in surprises.items()
    }


def score_of(amounts: Mapping[str, FloatArray]) -> FloatArray:
    """Return the root of the sum of what the views add, float64 of shape (m,)."""
    return np.sqrt(sum(amounts.values()))


def explain_placed(
    views: Views, at: Placed, scores: FloatArray, amounts: Mapping[str, FloatArray]
) -> Part:
    """Explain rows.

    Parameters
    ----------
    views : Views
    at : Placed
        The m rows on every scale.
    scores : float64 array of shape (m,)
        Their scores.
    amounts : mapping of str to float64 array of shape (m,)
        How much each view adds, from 0.

    Returns
    -------
    Part
        The shares are those of the sum of the amounts.
    """
    added = np.stack(list(amounts.values()), axis=1)
    total = added.sum(axis=1, keepdims=True)
    shares = added / np.where(total > 0.0, total, 1.0)
    blame = _blame(views, at, amounts)
    columns, most = np.zeros_like(at.z), np.zeros_like(at.z)
    leading = np.zeros(at.z.shape, dtype=np.intp)
    for v, name in enumerate(amounts):
        part = shares[:, v, None] * blame[name]
        columns += part
        leading[part > most] = v
        most = np.maximum(most, part)
    return Part(scores, shares, columns, leading, most)


def _blame(views: Views, at: Placed, names: Iterable[str]) -> dict[str, FloatArray]:
    """Return contributions to some views by column, float64 arrays of shape (m, d)."""
    train = views.train

    def apart(rows: FloatArray, others: FloatArray, space: str) -> FloatArray:
        there, here = getattr(train, space), getattr(at, space)
        _, nearest = kernels.nearest_manhattan(here, there, at.candidates)
        return np.abs(rows - others[nearest])

    def changed() -> FloatArray:
        _, alike = kernels.nearest_hamming(at.z, train.z, at.candidates)
        differs: FloatArray = (at.z != train.z[alike]) * 1.0
        return differs

    split: dict[str, Callable[[], FloatArray]] = {
        "whitened": lambda: apart(at.z, train.z, "whitened"),
        "changes": changed,
        "tail": lambda: _largest(at.tail),
        "gap": lambda: _largest(at.gap),
        "local_rank": lambda: apart(at.share, train.share, "share"),
        "local_whitened": lambda: apart(at.z, train.z, "whitened"),
        "copula": lambda: _off_component(views.copula, at.normal),
        "dependence": lambda: views.dependence.by_column(at.z),
        DENSITY: lambda: _off_component(views.density, at.z),
        MIDDLE: lambda: views.middle.by_column(clipped(at.z)),
    }
    return {name: as_shares(split[name]()) for name in names}


def _largest(values: FloatArray) -> FloatArray:
    largest: FloatArray = (values == values.max(axis=1, keepdims=True)) * 1.0
    return largest


def _off_component(mixture: Mixture, rows: FloatArray) -> FloatArray:
    """Return the distance of rows to their most likely component, by column."""
    off = rows - mixture.means[mixture.likeliest(rows)]
    squares = mixture.factors**2
    precision = squares.sum(axis=2) if mixture.full else squares[:, 0]
    amount: FloatArray = off**2 * precision[mixture.likeliest(rows)]
    return amount


def as_shares(amount: FloatArray) -> FloatArray:
    """Divide rows by their sums; rows of zeros become even shares."""
    # Scale first, so that the sum does not overflow.
    largest = amount.max(axis=1, keepdims=True)
    scaled = amount / np.where(largest > 0.0, largest, 1.0)
    total = scaled.sum(axis=1, keepdims=True)
    even = np.full_like(amount, 1.0 / amount.shape[1])
    shares: FloatArray = np.where(total > 0.0, scaled / np.maximum(total, 1.0), even)
    return shares


def _largest_first(names: Sequence[str], shares: FloatArray) -> dict[str, float]:
    total = dict.fromkeys(names, 0.0)
    for name, share in zip(names, shares, strict=True):
        total[name] += float(share)
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def _worthy(shares: dict[str, float]) -> list[tuple[str, float]]:
    return [(name, share) for name, share in shares.items() if share >= _WORTH_A_WORD]
