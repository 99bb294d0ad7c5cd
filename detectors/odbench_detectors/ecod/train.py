"""The train columns of ECOD and COPOD: shards, a sketch, on the CPU or a GPU."""

from __future__ import annotations

from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

import numpy as np

from odbench.detector import Workspace
from odbench.errors import DetectorError
from odbench_detectors.ecod import cpu, device, gpu
from odbench_detectors.shared.columns import (
    KIND,
    Floats,
    SortedColumns,
    check_rows,
    merged_columns,
)
from odbench_detectors.shared.columns_sketch import ColumnSketch
from odbench_detectors.shared.estimator import check_width


class TrainColumns:
    """Sorted columns of train rows that arrive in shards.

    Parameters
    ----------
    where : {"auto", "cpu", "cuda"}
        See `device.choose`; decided when the first shard arrives.
    quantiles : int
        Size of a `ColumnSketch`, or 0 to keep every value.
    n_jobs : int
        Threads.

    Attributes
    ----------
    xp : module or None
        CuPy if the columns lie on a GPU.
    """

    def __init__(
        self, where: Literal["auto", "cpu", "cuda"], quantiles: int, n_jobs: int
    ) -> None:
        self.xp: ModuleType | None = None
        self._where: Literal["auto", "cpu", "cuda"] = where
        self._quantiles = quantiles
        self._n_jobs = n_jobs
        self._shards: list[SortedColumns] = []
        self._sketch: ColumnSketch | None = None

    @property
    def empty(self) -> bool:
        """Whether no rows have been added."""
        return not self._shards and self._sketch is None

    @property
    def kernels(self) -> Any:
        """The module that computes: ``cpu``, or ``gpu`` with its `xp`."""
        if self.xp is None:
            return cpu
        return SimpleNamespace(
            sorted_columns=partial(gpu.sorted_columns, xp=self.xp),
            tail_sums=partial(gpu.tail_sums, xp=self.xp),
        )

    @property
    def rank_error(self) -> int:
        """Largest error of any count, in rows."""
        return 0 if self._sketch is None else self._sketch.rank_error

    def sort(self, X: Floats) -> SortedColumns:
        """Sort a table where the train columns lie."""
        columns: SortedColumns = self.kernels.sorted_columns(X, n_jobs=self._n_jobs)
        return columns

    def add(self, X: Floats, workspace: Workspace | None) -> None:
        """Add rows.

        Raises
        ------
        DetectorError
            If the columns differ from earlier ones or are not finite, or "cuda" is
            asked for and missing.
        """
        if self._shards:
            check_rows(X, self._shards[0].n_columns)
        if self._quantiles:
            sketch = self._sketch or ColumnSketch(X.shape[1], self._quantiles)
            sketch.add(X)
            self._sketch = sketch
            self._shards = []
            return
        if not self._shards:
            self.xp = device.choose(self._where, X.size)
        if workspace is None:
            self._shards.append(self.sort(X))
            return
        kind = KIND if self.xp is None else f"{KIND}.cuda"
        self._shards.append(workspace.obtain(kind, (X,), lambda _: self.sort(X)))

    def merge(self, other: TrainColumns) -> None:
        """Add the rows of another instance, which is not changed.

        Raises
        ------
        DetectorError
            If the columns differ, or one is a sketch and the other is not.
        """
        mine, theirs = self.columns(), other.columns()
        check_width(theirs.n_columns, mine.n_columns)
        if self._sketch is None and other._sketch is None:
            self._shards.append(theirs)
        elif self._sketch is not None and other._sketch is not None:
            self._sketch.merge(other._sketch)
            self._shards = []
        else:
            msg = "cannot merge quantiles and exact columns: fit both the same way"
            raise DetectorError(msg)

    def columns(self) -> SortedColumns:
        """Return the columns of all rows; shards are merged on the first call."""
        if self._sketch is not None and not self._shards:
            self._shards = [self._sketch.columns()]
        if len(self._shards) > 1:
            xp = np if self.xp is None else self.xp
            self._shards = [merged_columns(self._shards, xp=xp, n_jobs=self._n_jobs)]
        return self._shards[0]
