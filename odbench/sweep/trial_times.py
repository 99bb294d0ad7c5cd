"""Estimate how long a trial takes from the times of earlier trials."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from odbench.files import write_text
from odbench.scoring.settings import CONTAMINATED, ONE_CLASS, UNSUPERVISED

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import ArrayLike

    from odbench.arrays import FloatArray

# Rows, columns and seconds of a trial; rows of train and test together.
Point: TypeAlias = tuple[float, float, float]
# Used before anything was measured: about what a cheap detector needs per cell.
_SECONDS_PER_CELL = 2e-7
# Trials of more rows are drawn down to this number.
_MOST_ROWS = 100_000.0
# Enough points to draw a surface through; the file stays small.
_POINTS = 48
# Other numbers were not measured: a nanosecond to 30 years, and at most more rows or
# columns than a disk holds.
_SECONDS, _SIZES = (1e-9, 1e9), (1, 1e12)
# Growth with rows and with columns, as powers, that is assumed before two sizes were
# timed; it counts as much as a point a factor of e away.
_GROWTH, _MOST_GROWTH = 0.8, 3.0
# Sizes a factor of e ** _NEAR apart say something about each other's departure from
# the growth; far from all points the growth alone counts.
_NEAR, _FAR_WEIGHT = 0.7, 0.1


class TrialTimes:
    """Seconds per trial, by configuration, setting and size.

    A configuration's earlier trials are points (rows, columns, seconds). The estimate
    is a power of the rows times a power of the columns, fitted to all points, and
    corrected by the points near the size. A configuration without trials on this
    machine has those of the published runs, if it is among them; without trials in a
    setting, it has those of the one-class setting.

    Parameters
    ----------
    file : Path or None
        Where the points are kept between runs.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._points: dict[str, list[Point]] = {}
        self._surfaces: dict[str, _Surface] = {}
        if file is not None:
            # A lost or broken file only makes the estimates worse.
            with contextlib.suppress(OSError, ValueError, RecursionError):
                stored = json.loads(file.read_text(encoding="utf-8"))
                self._points = _usable(stored)

    def knows(self, detector: str, config: str, protocol: str = ONE_CLASS) -> bool:
        """Say whether a trial of a configuration was ever timed."""
        return self._surface(detector, config, protocol) is not None

    def seconds(
        self,
        detector: str,
        config: str,
        *,
        n_rows: int,
        n_columns: int,
        protocol: str = ONE_CLASS,
    ) -> float:
        """Estimate the seconds of one trial.

        Parameters
        ----------
        detector, config : str
            Name and label of the configuration.
        n_rows, n_columns : int
            Size of the data set; rows of train and test together.
        protocol : str
            Label of the protocol.
        """
        names, sizes = [(detector, config)], [(n_rows, n_columns)]
        return float(self.expected(names, sizes, protocol)[0, 0])

    def expected(
        self,
        configurations: Sequence[tuple[str, str]],
        sizes: ArrayLike,
        protocol: str = ONE_CLASS,
    ) -> FloatArray:
        """Estimate the seconds of many trials.

        Parameters
        ----------
        configurations : sequence of (str, str)
            Name and label of each.
        sizes : array of shape (n_sizes, 2)
            Rows and columns of data sets.
        protocol : str
            Label of the protocol.

        Returns
        -------
        float64 array of shape (n_sizes, n_configurations)
        """
        table = np.asarray(sizes, dtype=np.float64).reshape(-1, 2)
        # Many batches are of one data set, and many data sets of one size.
        distinct, at = np.unique(table, axis=0, return_inverse=True)
        found = np.empty((len(distinct), len(configurations)))
        rows = np.clip(distinct[:, 0], 1, _MOST_ROWS)
        columns = np.maximum(distinct[:, 1], 1)
        for number, name in enumerate(configurations):
            surface = self._surface(*name, protocol)
            if surface is None:
                found[:, number] = 1e-3 + rows * columns * _SECONDS_PER_CELL
            else:
                found[:, number] = surface.seconds(rows, columns)
        return found[at.ravel()]

    def _surface(self, detector: str, config: str, protocol: str) -> _Surface | None:
        names = (_name(detector, config, protocol), _name(detector, config, ONE_CLASS))
        for name in dict.fromkeys(names):
            if name not in self._surfaces:
                points = self._points.get(name) or typical_points().get(name)
                if not points:
                    continue
                self._surfaces[name] = _Surface(points)
            return self._surfaces[name]
        return None

    def learn(
        self, trials: Iterable[tuple[str, str, str, float, float, float]]
    ) -> None:
        """Add finished trials: detector, configuration, protocol, and a point each."""
        touched = set()
        for detector, config, protocol, *point in trials:
            if _is_point(point):
                name = _name(detector, config, protocol)
                touched.add(name)
                rows, columns, seconds = map(float, point)
                self._points.setdefault(name, []).append((rows, columns, seconds))
        for name in touched:
            self._surfaces.pop(name, None)
            if len(self._points[name]) > 2 * _POINTS:
                self._points[name] = _thin(self._points[name])

    def learn_rows(self, rows: pa.Table) -> None:
        """Add the trials of some rows of the results."""
        names = ("n_train", "n_test", "n_columns", "fit_seconds", "score_seconds")
        texts = ("detector", "config", "protocol")
        columns = (rows[name].to_pylist() for name in (*texts, *names))
        self.learn(
            (
                *trial,
                # Without a split, the same rows are trained on and scored.
                test if trial[2] == UNSUPERVISED else train + test,
                width,
                (fit or 0.0) + (score or 0.0),
            )
            for *trial, train, test, width, fit, score in zip(*columns, strict=True)
            # A damaged journal may lack a size.
            if train is not None and test is not None
        )

    def thinned(self, most: int) -> dict[str, list[Point]]:
        """Return at most so many median points (rows, columns, seconds) by name."""
        return {name: _thin(points, most) for name, points in self._points.items()}

    def save(self) -> None:
        """Write the points to the file; a full disk loses them without an error."""
        self._points = self.thinned(_POINTS)
        self._surfaces = {}
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._file, json.dumps(self._points), durable=False)


class _Surface:
    """Seconds as a function of rows and columns, drawn through some points."""

    def __init__(self, points: list[Point]) -> None:
        table = np.log(np.array(points, dtype=np.float64))
        self._sizes = np.minimum(table[:, :2], [math.log(_MOST_ROWS), math.inf])
        self._middle = self._sizes.mean(axis=0)
        self._level = float(table[:, 2].mean())
        apart = self._sizes - self._middle
        rest = table[:, 2] - self._level - apart.sum(axis=1) * _GROWTH
        more = np.linalg.solve(apart.T @ apart + np.eye(2), apart.T @ rest)
        self._powers = np.clip(_GROWTH + more, 0.0, _MOST_GROWTH)
        self._departure = table[:, 2] - self._level - apart @ self._powers

    def seconds(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Return the seconds at some sizes."""
        sizes = np.log(np.column_stack([rows, columns]))
        squares = sum(
            np.subtract.outer(sizes[:, i], self._sizes[:, i]) ** 2 for i in range(2)
        )
        near = np.exp(-squares / (2 * _NEAR**2))
        departure = near @ self._departure / (near.sum(axis=1) + _FAR_WEIGHT)
        logs = self._level + (sizes - self._middle) @ self._powers + departure
        seconds: FloatArray = np.exp(np.clip(logs, *np.log(_SECONDS)))
        return seconds


def _name(detector: str, config: str, protocol: str) -> str:
    """Return the name of a configuration's points in a setting.

    Contaminated training rows are as much work as others, whatever their share.
    """
    setting = protocol.partition("=")[0]
    own = "" if setting in {ONE_CLASS, CONTAMINATED} else f" {setting}"
    return f"{detector}:{config}{own}"


@lru_cache(maxsize=1)
def typical_points() -> dict[str, list[Point]]:
    """Return the points of the published runs, as the machines of these took them."""
    file = resources.files("odbench.sweep") / "typical_times.json"
    return _usable(json.loads(file.read_text(encoding="utf-8")))


def cells_of(*, n_rows: int, n_columns: int) -> float:
    """Return the size of a data set as one number: rows times columns."""
    return float(max(1, min(n_rows, _MOST_ROWS)) * max(n_columns, 1))


def _usable(stored: object) -> dict[str, list[Point]]:
    """Return the points of a file's content that may have been measured."""
    if not isinstance(stored, dict):
        return {}
    found = {}
    for name, points in stored.items():
        # Earlier versions kept pairs, of cells and seconds.
        kept = [p for p in points if _is_point(p)] if isinstance(points, list) else []
        if kept:
            found[name] = _thin([(float(x), float(y), float(z)) for x, y, z in kept])
    return found


def _is_point(value: object) -> bool:
    """Check whether a value can be the size and the seconds of a trial; NaN cannot."""
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(
            isinstance(number, (int, float))
            and not isinstance(number, bool)
            and least <= number <= most
            for number, (least, most) in zip(
                value, (_SIZES, _SIZES, _SECONDS), strict=True
            )
        )
    )


def _thin(points: list[Point], most: int = _POINTS) -> list[Point]:
    """Cut the points into `most` slices by size and keep the median trial of each."""
    points = sorted(points, key=lambda p: (p[0] * p[1], p[2]))
    if len(points) <= most:
        return points
    size = len(points) / most
    slices = (points[int(i * size) : int((i + 1) * size)] for i in range(most))
    return [sorted(part, key=lambda p: p[2])[len(part) // 2] for part in slices]
