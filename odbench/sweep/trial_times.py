"""Estimate how long a trial takes from the times of earlier trials."""

from __future__ import annotations

import bisect
import contextlib
import json
import math
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from odbench.files import write_text

if TYPE_CHECKING:
    import pyarrow as pa

# Used before anything was measured: about what a cheap detector needs per cell.
_SECONDS_PER_CELL = 2e-7
# Enough points to draw a curve through; the file stays small.
_POINTS = 48
# Other numbers were not measured: a nanosecond to 30 years, and at most more cells
# than a disk holds.
_SECONDS, _CELLS = (1e-9, 1e9), (1, 1e18)


class TrialTimes:
    """Seconds per trial, by configuration and size.

    A configuration's earlier trials are points (rows x columns, seconds). Between
    points, seconds are interpolated on logarithmic scales; beyond the largest point
    they grow in proportion, below the smallest they stay the same. A configuration
    without trials on this machine has those of the published runs, if it is among them.

    Parameters
    ----------
    file : Path or None
        Where the points are kept between runs.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._points: dict[str, list[tuple[float, float]]] = {}
        if file is not None:
            # A lost or broken file only makes the estimates worse.
            with contextlib.suppress(OSError, ValueError, RecursionError):
                stored = json.loads(file.read_text(encoding="utf-8"))
                self._points = _usable(stored)

    def knows(self, detector: str, config: str) -> bool:
        """Say whether a trial of a configuration was ever timed."""
        return bool(self._points_of(detector, config))

    def seconds(
        self, detector: str, config: str, *, n_rows: int, n_columns: int
    ) -> float:
        """Estimate the seconds of one trial.

        Parameters
        ----------
        detector, config : str
            Name and label of the configuration.
        n_rows, n_columns : int
            Size of the data set; rows of train and test together.
        """
        cells = cells_of(n_rows=n_rows, n_columns=n_columns)
        points = self._points_of(detector, config)
        if not points:
            return 1e-3 + cells * _SECONDS_PER_CELL
        at = bisect.bisect_left(points, (cells, 0.0))
        if at == 0 or at == len(points):
            x, y = points[min(at, len(points) - 1)]
            return y * (cells / x if at else 1.0)
        (x0, y0), (x1, y1) = points[at - 1], points[at]
        width = math.log(x1) - math.log(x0)
        if width <= 0:
            return y1
        share = (math.log(cells) - math.log(x0)) / width
        return math.exp((1 - share) * math.log(y0) + share * math.log(y1))

    def _points_of(self, detector: str, config: str) -> list[tuple[float, float]]:
        name = f"{detector}:{config}"
        return self._points.get(name) or typical_points().get(name, [])

    def learn(self, trials: Iterable[tuple[str, str, float, float]]) -> None:
        """Add finished trials: detector, configuration, cells, seconds."""
        touched = set()
        for detector, config, cells, seconds in trials:
            if _is_point(cells, seconds):
                name = f"{detector}:{config}"
                touched.add(name)
                self._points.setdefault(name, []).append((float(cells), float(seconds)))
        for name in touched:
            self._points[name].sort()
            if len(self._points[name]) > 2 * _POINTS:
                self._points[name] = _thin(self._points[name])

    def learn_rows(self, rows: pa.Table) -> None:
        """Add the trials of some rows of the results."""
        names = ("n_train", "n_test", "n_columns", "fit_seconds", "score_seconds")
        columns = (rows[name].to_pylist() for name in ("detector", "config", *names))
        self.learn(
            (detector, config, (train + test) * width, (fit or 0.0) + (score or 0.0))
            for detector, config, train, test, width, fit, score in zip(
                *columns, strict=True
            )
        )

    def thinned(self, most: int) -> dict[str, list[tuple[float, float]]]:
        """Return at most so many median points (rows x columns, seconds) by name."""
        return {name: _thin(points, most) for name, points in self._points.items()}

    def save(self) -> None:
        """Write the points to the file; a full disk loses them without an error."""
        self._points = self.thinned(_POINTS)
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._file, json.dumps(self._points), durable=False)


@lru_cache(maxsize=1)
def typical_points() -> dict[str, list[tuple[float, float]]]:
    """Return the points of the published runs; two Zen 4 cores took these seconds."""
    file = resources.files("odbench.sweep") / "typical_times.json"
    return _usable(json.loads(file.read_text(encoding="utf-8")))


def cells_of(*, n_rows: int, n_columns: int) -> float:
    """Return the size of a data set as an estimate sees it: rows times columns."""
    return float(max(1, min(n_rows, 100_000)) * max(n_columns, 1))


def _usable(stored: object) -> dict[str, list[tuple[float, float]]]:
    """Return the points of a file's content that may have been measured."""
    if not isinstance(stored, dict):
        return {}
    found = {}
    for name, points in stored.items():
        pairs = [p for p in points if _is_pair(p)] if isinstance(points, list) else []
        if pairs:
            found[name] = _thin(sorted((float(x), float(y)) for x, y in pairs))
    return found


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_point(*value)


def _is_point(cells: object, seconds: object) -> bool:
    """Check whether two values can be a size and a time; NaN cannot."""
    return all(
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and least <= value <= most
        for value, (least, most) in ((cells, _CELLS), (seconds, _SECONDS))
    )


def _thin(
    points: list[tuple[float, float]], most: int = _POINTS
) -> list[tuple[float, float]]:
    """Cut the points into `most` slices and keep the median trial of each."""
    if len(points) <= most:
        return points
    size = len(points) / most
    slices = (points[int(i * size) : int((i + 1) * size)] for i in range(most))
    return [sorted(part, key=lambda p: p[1])[len(part) // 2] for part in slices]
