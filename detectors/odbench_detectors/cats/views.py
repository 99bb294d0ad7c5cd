"""The eight views of CATS, for train rows and for new rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.cats import kernels, search
from odbench_detectors.cats.dependence import Dependence
from odbench_detectors.cats.mixture import Mixture, fit_mixture
from odbench_detectors.cats.robust import Middle, clipped
from odbench_detectors.cats.scale import normal_scores, whitening
from odbench_detectors.cats.tail import log_ratio
from odbench_detectors.shared.sort import sorted_rows

# Name -> meaning of a high value, for `explain`.
VIEWS = {
    "whitened": "far from every train row once correlations are taken out",
    "changes": "differs in many columns even from the most alike train row",
    "tail": "a value at the edge of its column",
    "gap": "a value that is far from all train values of its column",
    "local_rank": "more isolated than the train rows around it, by ranks",
    "local_whitened": "more isolated than the train rows around it, whitened",
    "copula": "a combination of ranks that a mixture of Gaussians finds unlikely",
    "dependence": "values that belong together no more than in shuffled columns",
}
# How much a view's squared surprise counts, if not once. Where anomalies break no
# dependence, that view is noise; see decision 87.
WEIGHTS = {"dependence": 0.5}
# Number of neighbours whose mean scale a local view compares with.
FEW = 5
# Ranks and whitened columns are of order 1, so this only prevents 0 / 0.
_TINY = 1e-9
_MIXTURE_ROWS, _MIXTURE_SEED = 1_000, 1

Rows: TypeAlias = NDArray[np.int32]
# For each row: distances to the first and the last of a few neighbours, and their rows.
Few: TypeAlias = tuple[FloatArray, FloatArray, Rows]


@dataclass(frozen=True)
class Placed:
    """Rows on every scale, with their candidates.

    Attributes
    ----------
    z, whitened, share, normal : float64 arrays of shape (m, d) or (m, e)
        The rows standardised, whitened, as shares of train values below, and as normal
        scores.
    tail, gap : float64 arrays of shape (m, d)
        Surprise of each value by its column's tails, and by its distance to the
        nearest other train value.
    candidates : int32 array of shape (m, k)
        The nearest train rows, ascending, to which all distances are computed.
    """

    z: FloatArray
    whitened: FloatArray
    share: FloatArray
    normal: FloatArray
    tail: FloatArray
    gap: FloatArray
    candidates: Rows


class Views:
    """A train table, prepared for the views.

    Parameters
    ----------
    Z : float64 array of shape (n, d)
        Standardised train rows in the order of `content_order`; at least two.
    columns : float64 array of shape (d, n)
        The same values, each column ascending.
    candidates : int32 array of shape (n, k)
        The nearest other train rows of each.
    """

    def __init__(self, Z: FloatArray, columns: FloatArray, candidates: Rows) -> None:
        self.n = len(Z)
        self._columns = columns
        self._axes = whitening(Z)
        halves = np.arange(2 * self.n + 1) / (2.0 * self.n)
        self._normal = normal_scores(halves, self.n)
        # Rows are scored in parts, or one by one.
        self._tails, self._rarities = log_ratio(self.n), search.rarity_table(self.n)
        looked_up = self._look_up(Z, own=1)
        self._gaps = sorted_rows(looked_up[3].T)
        self.train = self._placed(Z, candidates, looked_up, own=1)
        self._few = min(FEW, candidates.shape[1])
        self._own = self._nearest_few(self.train)
        # For the local views: train distances on ranks and on whitened columns.
        self._scales = tuple(last for _, last, _ in self._own)
        # The first rows are a random sample.
        self.n_mixture = min(self.n // 2, _MIXTURE_ROWS)
        self.copula = _mixture(self.train.normal[: self.n_mixture])
        self.dependence = Dependence(Z)

    @cached_property
    def density(self) -> Mixture:
        """A mixture of the train rows, which ranks the rows of one table."""
        return _mixture(self.train.z[: self.n_mixture])

    @cached_property
    def middle(self) -> Middle:
        """The middle of the train rows, to explain distances from it."""
        return Middle.of(clipped(self.train.z))

    def place(self, Z: FloatArray, candidates: Rows, *, own: int = 0) -> Placed:
        """Transform rows to every scale; `own` is 1 for the train rows."""
        return self._placed(Z, candidates, self._look_up(Z, own), own)

    def _look_up(self, Z: FloatArray, own: int) -> tuple[FloatArray, ...]:
        # A train row is compared with one row fewer; its counts are those of a new row.
        tails = self._tails[: self.n + 1 - own]
        return search.look_up(Z, self._columns, own, self._normal, tails)

    def _placed(
        self,
        Z: FloatArray,
        candidates: Rows,
        looked_up: tuple[FloatArray, ...],
        own: int,
    ) -> Placed:
        share, normal, tail, gap = looked_up
        return Placed(
            z=Z,
            whitened=kernels.rotate(Z, self._axes),
            share=share,
            normal=normal,
            tail=tail,
            gap=search.rarity_of_gaps(gap, self._gaps, own, self._rarities),
            candidates=candidates,
        )

    def forget_columns(self) -> None:
        """Drop the columns of train rows that only calibration needs."""
        self.train = replace(
            self.train, tail=self.train.tail[:0].copy(), gap=self.train.gap[:0].copy()
        )
        del self._own

    def raw(self, at: Placed) -> dict[str, FloatArray]:
        """Return the rows' scores in each view, float64 of shape (m,).

        Higher is more anomalous; views have different units.
        """
        return self._raw(at, self._nearest_few(at), self.dependence.of(at.z))

    def raw_of_train(self, rows: IntArray) -> dict[str, FloatArray]:
        """Return leave-one-out scores of train rows in each view.

        Must be called before `forget_columns`.
        """
        shares = self.dependence.of_train(rows)
        if len(rows) == self.n:
            return self._raw(self.train, self._own, shares)
        near = tuple((a[rows], b[rows], c[rows]) for a, b, c in self._own)
        return self._raw(taken(self.train, rows), near, shares)

    def _nearest_few(self, at: Placed) -> tuple[Few, ...]:
        """Find the nearest candidates on ranks and on whitened columns."""
        return tuple(
            kernels.nearest_few(here, there, at.candidates, self._few)
            for here, there in (
                (at.share, self.train.share),
                (at.whitened, self.train.whitened),
            )
        )

    def _raw(
        self, at: Placed, near: tuple[Few, ...], shares: FloatArray
    ) -> dict[str, FloatArray]:
        train = self.train
        by_rank, whitened = near
        return {
            "whitened": whitened[0],
            "changes": kernels.nearest_hamming(at.z, train.z, at.candidates)[0],
            "tail": at.tail.max(axis=1),
            "gap": at.gap.max(axis=1),
            "local_rank": _isolation(by_rank, self._scales[0]),
            "local_whitened": _isolation(whitened, self._scales[1]),
            "copula": self.copula.surprise(at.normal),
            "dependence": shares,
        }


def _isolation(near: Few, scale: FloatArray) -> FloatArray:
    """Compare a row's distance to its fifth neighbour with those of its neighbours."""
    _, last, found = near
    ratio: FloatArray = (last + _TINY) / (kernels.mean_at(scale, found) + _TINY)
    return ratio


def _mixture(rows: FloatArray) -> Mixture:
    return fit_mixture(rows, np.random.default_rng(_MIXTURE_SEED))


def taken(at: Placed, rows: IntArray) -> Placed:
    """Return a subset of the rows."""
    return Placed(
        **{name: getattr(at, name)[rows] for name in Placed.__dataclass_fields__}
    )
