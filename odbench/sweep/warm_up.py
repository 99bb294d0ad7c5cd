"""Run a detector on made-up rows, so that its code is imported and compiled."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from odbench.arrays import FloatArray
from odbench.sweep.workspace import SharedWork

if TYPE_CHECKING:
    from odbench.plugins.find import Configuration

# Some detectors choose their code by the number of columns, others by that of rows.
_NARROW, _WIDE, _WIDE_FROM = 4, 32, 32
# A few queries do not need the code for many, either.
_FEW_ROWS, _MANY_ROWS = (64, 8), (1000, 64)


class Sight(NamedTuple):
    """The tables that a detector sees.

    Attributes
    ----------
    is_wide : bool
        Whether there are many columns; see `is_wide`.
    one_table : bool
        Whether the training rows themselves are scored.
    as_batch : bool
        Whether the rows of a batch are scored together.
    """

    is_wide: bool
    one_table: bool
    as_batch: bool


def is_wide(n_columns: int, *, compiles: bool) -> bool:
    """Say whether a table may need code for many columns.

    Detectors with kernels may need it from five columns on, with enough rows.
    """
    return n_columns > _NARROW if compiles else n_columns >= _WIDE_FROM


def warm_up(configuration: Configuration, seed: int, sight: Sight) -> None:
    """Fit and score made-up rows, with arrays like those of a trial.

    Parameters
    ----------
    configuration : Configuration
        The detector. If its info says that it compiles, it gets a table with many rows
        as well, which may need other kernels.
    seed : int
        Its ``random_state``.
    sight : Sight
        The tables that it will see.
    """
    columns = _WIDE if sight.is_wide else _NARROW
    few_and_many = (_FEW_ROWS, _MANY_ROWS)
    with _no_collection() if configuration.info.compiles else contextlib.nullcontext():
        for rows in few_and_many if configuration.info.compiles else (_FEW_ROWS,):
            # A detector that fails on made-up rows may still succeed on real ones.
            with contextlib.suppress(Exception):
                _fit_and_score(configuration.build(seed), rows, columns, sight)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no garbage, which would take 7 % of the time that compilation takes."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def needs_of(detector: Any) -> dict[str, int]:
    """Return the work that a detector can share; see `odbench.detector.Workspace`."""
    return dict(detector.shared_needs()) if hasattr(detector, "shared_needs") else {}


def _made_up(n: int, columns: int) -> FloatArray:
    """Return rows of two groups: scattered, and too alike for float32 to tell apart.

    A search for neighbours needs other kernels for rows that are too alike, and others
    again for groups that are far apart.
    """
    rows = np.random.default_rng(0).normal(size=(n, columns))
    rows[::2] = 10.0 + 1e-9 * rows[::2]
    return rows


def _fit_and_score(
    detector: Any, n_rows: tuple[int, int], columns: int, sight: Sight
) -> None:
    train, test = (_made_up(n, columns) for n in n_rows)
    if hasattr(detector, "use_workspace"):
        # numba compiles once for read-only arrays and once for others.
        train.flags.writeable = test.flags.writeable = False
        work = SharedWork((train, test))
        work.announce(needs_of(detector))
        detector.use_workspace(work)
    if sight.one_table:
        detector.fit_score(train)
        return
    detector.fit(train)
    score = detector.score_batch if sight.as_batch else detector.decision_function
    score(test)
