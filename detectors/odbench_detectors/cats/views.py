"""The nine views of CATS: what each measures, for train rows and for new ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.cats import kernels_cpu as kernels
from odbench_detectors.cats.mixture import Mixture, fit_mixture
from odbench_detectors.cats.scale import normal_scores, sample, whitening

# Name -> what a high value means, for `explain`.
VIEWS = {
    "whitened": "far from every train row once correlations are taken out",
    "normal": "far from every train row on the normal scores of its columns",
    "changes": "differs in many columns even from the most alike train row",
    "tail": "a value at the edge of its column",
    "gap": "a value that is far from all train values of its column",
    "local_rank": "more isolated than the train rows around it, by ranks",
    "local_whitened": "more isolated than the train rows around it, whitened",
    "density": "where a smooth mixture of Gaussians has little mass",
    "copula": "a combination of ranks that a mixture of Gaussians finds unlikely",
}
# Neighbours whose mean scale a local view compares with.
FEW = 5
# Ranks and whitened columns are of order 1, so this only keeps 0 / 0 at bay.
_TINY = 1e-9
_MIXTURE_ROWS, _MIXTURE_SEED = 1_000, 1

Rows: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True)
class Placed:
    """Rows on every scale, with their candidates.

    Attributes
    ----------
    z, whitened, share, normal : float64 arrays of shape (m, d) or (m, e)
        Standardised, whitened, as shares of train values below, as normal scores.
    tail, gap : float64 arrays of shape (m, d)
        Surprise of each value by its column's tails, and by its distance to the
        nearest other train value.
    candidates : int32 array of shape (m, k)
        The nearest train rows, which every distance is taken to.
    """

    z: FloatArray
    whitened: FloatArray
    share: FloatArray
    normal: FloatArray
    tail: FloatArray
    gap: FloatArray
    candidates: Rows


class Views:
    """What the views need to know of a train table.

    Parameters
    ----------
    Z : float64 array of shape (n, d)
        Standardised train rows, at least two.
    columns : float64 array of shape (d, n)
        The same values, each column ascending.
    candidates : int32 array of shape (n, k)
        The nearest other train rows of each.
    """

    def __init__(self, Z: FloatArray, columns: FloatArray, candidates: Rows) -> None:
        self.n = len(Z)
        self._columns = columns
        self._axes = whitening(Z)
        _, _, gap = kernels.look_up(Z, columns, 1)
        self._gaps = np.sort(np.ascontiguousarray(gap.T), axis=1)
        self.train = self.place(Z, candidates, own=1)
        few = min(FEW, candidates.shape[1])
        self._few = few
        self._scales = tuple(
            kernels.nearest_few(space, space, candidates, few)[0]
            for space in (self.train.share, self.train.whitened)
        )
        self.learners = sample(self.n, min(self.n // 2, _MIXTURE_ROWS), _MIXTURE_SEED)
        self.mixtures = tuple(
            _mixture(space[self.learners])
            for space in (self.train.z, self.train.normal)
        )

    def place(self, Z: FloatArray, candidates: Rows, *, own: int = 0) -> Placed:
        """Put rows on every scale; `own` is 1 for the train rows themselves."""
        share, rarest, gap = kernels.look_up(Z, self._columns, own)
        others = self.n - own
        return Placed(
            z=Z,
            whitened=kernels.rotate(Z, self._axes),
            share=share,
            normal=normal_scores(share, self.n),
            tail=-np.log((1.0 + rarest) / (others + 1.0)),
            gap=kernels.rarity_of_gaps(gap, self._gaps, own),
            candidates=candidates,
        )

    def forget_columns(self) -> None:
        """Drop what only calibration needs of the train rows."""
        self.train = replace(
            self.train, tail=self.train.tail[:0].copy(), gap=self.train.gap[:0].copy()
        )

    def raw(self, at: Placed) -> dict[str, FloatArray]:
        """Return each view's scores of placed rows, float64 of shape (m,).

        Higher is more anomalous; the scales of two views have nothing in common.
        """
        train, scale = self.train, self._scales
        return {
            "whitened": kernels.nearest_city(
                at.whitened, train.whitened, at.candidates
            )[0],
            "normal": kernels.nearest_city(at.normal, train.normal, at.candidates)[0],
            "changes": kernels.fewest_changes(at.z, train.z, at.candidates)[0],
            "tail": at.tail.max(axis=1),
            "gap": at.gap.max(axis=1),
            "local_rank": self._isolation(
                at.share, train.share, at.candidates, scale[0]
            ),
            "local_whitened": self._isolation(
                at.whitened, train.whitened, at.candidates, scale[1]
            ),
            "density": self.mixtures[0].surprise(at.z),
            "copula": self.mixtures[1].surprise(at.normal),
        }

    def _isolation(
        self, rows: FloatArray, train: FloatArray, candidates: Rows, scale: FloatArray
    ) -> FloatArray:
        """Compare a row's distance to its fifth neighbour with its neighbours' own."""
        last, found = kernels.nearest_few(rows, train, candidates, self._few)
        ratio: FloatArray = (last + _TINY) / (kernels.mean_at(scale, found) + _TINY)
        return ratio


def _mixture(rows: FloatArray) -> Mixture:
    return fit_mixture(rows, np.random.default_rng(_MIXTURE_SEED))


def taken(at: Placed, rows: IntArray) -> Placed:
    """Return some of the placed rows."""
    return Placed(
        **{name: getattr(at, name)[rows] for name in Placed.__dataclass_fields__}
    )
