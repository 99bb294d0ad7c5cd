"""Explain which views and columns make a row anomalous."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from odbench.arrays import FloatArray
from odbench_detectors.cats import kernels
from odbench_detectors.cats.mixture import Mixture
from odbench_detectors.cats.views import VIEWS, Placed, Views

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
        Each view's share of the squared score, largest first. They sum to 1, or are all
        0 if the score is 0.
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
            lines.append(f"  {share:4.0%} {name}: {VIEWS[name]}")
        where = ", ".join(
            f"{name} ({share:.0%})" for name, share in _worthy(self.columns)
        )
        lines.append(f"  in {where}" if where else "  in no column more than in others")
        return "\n".join(lines)


def explain_placed(
    views: Views,
    at: Placed,
    surprises: dict[str, FloatArray],
    start: int,
    names: Sequence[str],
) -> list[Explanation]:
    """Explain rows.

    Parameters
    ----------
    views : Views
    at : Placed
        The m rows on every scale.
    surprises : dict of str to float64 array of shape (m,)
        Each view's calibrated surprise.
    start : int
        The index of the first row.
    names : sequence of str
        The columns' names.

    Returns
    -------
    list of Explanation
    """
    squares = np.stack([surprises[name] ** 2 for name in VIEWS], axis=1)
    total = squares.sum(axis=1, keepdims=True)
    shares = squares / np.where(total > 0.0, total, 1.0)
    blame = _blame(views, at)
    columns = np.zeros_like(at.z)
    for v, name in enumerate(VIEWS):
        columns += shares[:, v, None] * blame[name]
    return [
        Explanation(
            start + i,
            float(np.sqrt(total[i, 0])),
            _largest_first(list(VIEWS), shares[i]),
            _largest_first(names, columns[i]),
        )
        for i in range(len(at.z))
    ]


def _blame(views: Views, at: Placed) -> dict[str, FloatArray]:
    """Return each view's contributions by column, float64 arrays of shape (m, d)."""
    train, density, copula = views.train, *views.mixtures

    def apart(rows: FloatArray, others: FloatArray, space: str) -> FloatArray:
        there, here = getattr(train, space), getattr(at, space)
        _, nearest = kernels.nearest_manhattan(here, there, at.candidates)
        return np.abs(rows - others[nearest])

    _, alike = kernels.nearest_hamming(at.z, train.z, at.candidates)
    whitened = apart(at.z, train.z, "whitened")
    split = {
        "whitened": whitened,
        "changes": (at.z != train.z[alike]).astype(np.float64),
        "tail": _largest(at.tail),
        "gap": _largest(at.gap),
        "local_rank": apart(at.share, train.share, "share"),
        "local_whitened": whitened,
        "density": _off_component(density, at.z),
        "copula": _off_component(copula, at.normal),
    }
    return {name: _as_shares(amount) for name, amount in split.items()}


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


def _as_shares(amount: FloatArray) -> FloatArray:
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
