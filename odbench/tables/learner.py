"""A detector fitted on encoded rows, with its p-values: everything that scores rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.data.rng import shuffled, stream
from odbench.errors import DetectorError
from odbench.plugins.configuration import Configuration
from odbench.tables.conformal import Conformal, every_kth
from odbench.tables.missing import Missing, Raised
from odbench.tables.order import canonical_order, hash_rows
from odbench.tables.scale import Scale

# Detectors are fitted on at most this many rows.
FIT_ROWS = 50_000
# Parts of the reference that are held out in turn.
PARTS = 5
# A trimming detector scores each third of a table with categories, fitted on the other
# two, and the mean over several ways to cut it in thirds counts: one way alone moves
# the figures by a point. With fewer rows, it is fitted on all.
_THIRDS, _WAYS, _FEWEST = 3, 6, 20
# With more rows to score, one part is held out, which needs one detector.
ONE_PART_ABOVE = 200_000
Told = Callable[[int], None]


@dataclass(frozen=True)
class Learner:
    """A detector, its train rows, and the units that it is given.

    Attributes
    ----------
    configuration : Configuration
        The detector.
    rows : float64 array of shape (n, d)
        Encoded rows in canonical order, so that the order in the table does not matter.
    scale : Scale
    places : int64 array of shape (n,)
        For each row its place among the rows given.
    """

    configuration: Configuration
    rows: FloatArray
    scale: Scale
    places: IntArray

    @classmethod
    def of(cls, configuration: Configuration, X: FloatArray) -> Learner:
        """Bring encoded rows, float64 of shape (n, d), in order and in units."""
        places = canonical_order(hash_rows(X))
        rows = np.ascontiguousarray(X[places])
        scale = Scale.of(rows)
        return cls(configuration, scale.apply(rows), scale, places)

    @property
    def n_fit(self) -> int:
        """Number of rows that the detector is fitted on."""
        return min(len(self.rows), FIT_ROWS)

    @cached_property
    def detector(self) -> Any:
        """The detector, fitted on the first `n_fit` rows."""
        return self.fit(self.rows[: self.n_fit])

    def fit(self, rows: FloatArray) -> Any:
        """Return a detector fitted on rows in the detector's units."""
        detector: Any = self.configuration.build(random_state=0)
        self._attempt("fit", lambda: detector.fit(np.ascontiguousarray(rows)))
        return detector

    def own_scores(
        self, *, named: bool = False, missing: Sequence[int] | IntArray = ()
    ) -> FloatArray:
        """Score the train rows, each as if it were not among them where that is known.

        Parameters
        ----------
        named : bool
            Whether some columns are rarities of categories. The most normal rows may
            hold no row of some category, and all its rows would then look anomalous: a
            detector that trims learns from two thirds of all rows instead.
        missing : int64 array, optional
            Columns that tell missing values. The most normal rows may hold none of
            some column; of numbers alone, a detector that trims sees the others, and
            `Raised` counts what is missing.

        Returns
        -------
        float64 array of shape (n,)
            In the order of the rows given; higher is more anomalous. Equal rows have
            the same score.
        """
        first, rest = self.rows[: self.n_fit], self.rows[self.n_fit :]
        trims = self.configuration.info.trims and len(first) >= _FEWEST
        if named and trims:
            scores = self._left_out_scores(first)
        elif len(missing) and trims:
            scores = self._scores_without(np.asarray(missing), first)
        else:
            scores = self._fit_score(first)
        if len(rest):
            scores = np.concatenate([scores, self.score(rest)])
        back = np.empty_like(scores)
        back[self.places] = _even(self.rows, scores)
        return back

    def _fit_score(self, rows: FloatArray) -> FloatArray:
        detector: Any = self.configuration.build(random_state=0)
        scores = self._attempt("fit", lambda: detector.fit_score(rows))
        # So that later calls need not fit again.
        self.__dict__["detector"] = detector
        return self._checked(scores, len(rows))

    def _scores_without(self, missing: IntArray, rows: FloatArray) -> FloatArray:
        """Score rows by the other columns, and by how rare their missing values are."""
        others = np.delete(np.arange(rows.shape[1]), missing)
        detector: Any = self.configuration.build(random_state=0)
        seen = np.ascontiguousarray(rows[:, others])
        scores = self._attempt("fit", lambda: detector.fit_score(seen))
        scores = self._checked(scores, len(rows))
        # They are 0 or 1 before they are scaled.
        half = (0.5 - self.scale.mean[missing]) / self.scale.deviation[missing]
        rarity = Missing.of(rows, missing, half)
        raised = Raised(detector, others, rarity, np.sort(scores))
        self.__dict__["detector"] = raised
        return raised.raised(scores, rows)

    def _left_out_scores(self, rows: FloatArray) -> FloatArray:
        """Score each row by detectors that have not seen it: the mean of several."""
        sums, fit = np.zeros(len(rows)), self.fit
        if hasattr(first := self.configuration.build(random_state=0), "refit"):
            # One choice for all parts, because scores of two detectors have two units.
            self._attempt("fit", lambda: first.fit(rows))
            fit = partial(self._refit, first)
        for way in range(_WAYS):
            places = shuffled(len(rows), stream("thirds-1", "", way))
            for third in every_kth(len(rows), _THIRDS):
                part = np.sort(places[third])
                others = np.delete(rows, part, axis=0)
                sums[part] += self.score(rows[part], fit(others))
        return sums / _WAYS

    def _refit(self, detector: Any, rows: FloatArray) -> Any:
        self._attempt("refit", lambda: detector.refit(rows))
        return detector

    def score(self, Z: FloatArray, detector: Any = None) -> FloatArray:
        """Score rows that are in the detector's units, float64 of shape (m,)."""
        detector = self.detector if detector is None else detector
        return self._checked(
            self._attempt("decision_function", lambda: detector.decision_function(Z)),
            len(Z),
        )

    def calibrate(self, n_to_score: int, as_new: FloatArray | None = None) -> Conformal:
        """Hold rows out and fit detectors for p-values.

        Parameters
        ----------
        n_to_score : int
            Many rows are scored with one detector, which is split conformal.
        as_new : float64 array of shape (n, d), optional
            The rows as they are scored where they are held out; `rows` if not given.

        Returns
        -------
        Conformal
        """
        n = len(self.rows)
        if n <= FIT_ROWS and n_to_score <= ONE_PART_ABOVE:
            parts, rows = every_kth(n, PARTS), self.rows
        else:
            size = min(n // 2, FIT_ROWS)
            rows = self.rows
            parts = [np.arange(size, n, dtype=np.int64)]
        return Conformal.of(
            rows, lambda kept: _Checked(self, self.fit(kept)), parts, as_new
        )

    def _attempt(self, step: str, call: Callable[[], Any]) -> Any:
        name = self.configuration.info.name
        try:
            return call()
        except DetectorError as error:
            msg = str(error) if name in str(error) else f"detector {name!r}: {error}"
            raise DetectorError(msg) from error
        except MemoryError:
            raise
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            msg = f"detector {name!r}: {step} failed ({type(error).__name__}: {said})"
            raise DetectorError(msg) from error

    def _checked(self, scores: Any, n: int) -> FloatArray:
        name = self.configuration.info.name
        if np.shape(scores) != (n,):
            msg = (
                f"detector {name!r}: returned scores of shape {np.shape(scores)}, "
                f"wanted ({n},); check it with `odbench detectors check`"
            )
            raise DetectorError(msg)
        if not np.isfinite(scores).all():
            msg = f"detector {name!r}: returned scores that are not finite; try another"
            raise DetectorError(msg)
        return np.asarray(scores, dtype=np.float64)


@dataclass(frozen=True)
class _Checked:
    """A fitted detector whose scores are checked."""

    learner: Learner
    detector: Any

    def decision_function(self, X: FloatArray) -> FloatArray:
        return self.learner.score(X, self.detector)


def _even(rows: FloatArray, scores: FloatArray) -> FloatArray:
    """Give equal rows the mean of their scores."""
    _, place = np.unique(hash_rows(rows), return_inverse=True)
    sums = np.bincount(place, weights=scores)
    return np.asarray((sums / np.bincount(place))[place], dtype=np.float64)
