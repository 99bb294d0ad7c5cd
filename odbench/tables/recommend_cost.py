"""Expected seconds and memory for a table's size, from trials of similar size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray
from odbench.tables.recommend_evidence import Evidence

# Trials of nearest size that an estimate is fitted to.
NEAREST_SIZES = 200
# Fewer measured trials give no estimate.
NEEDED = 200
# Seconds, or bytes, that count as nothing.
_LEAST = 1e-4


def expected_costs(
    evidence: Evidence,
    n_rows: float,
    n_columns: float,
    kept: NDArray[np.bool_] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Estimate seconds and bytes per configuration.

    A line through the logarithms of rows, columns and cost, by least squares over the
    trials of nearest size, is read off at this size. Slopes below 0 count as 0, so a
    larger table never costs less.

    Parameters
    ----------
    evidence : Evidence
    n_rows : float
        Rows to fit and rows to score together.
    n_columns : float
    kept : bool array of shape (n,), optional
        Data sets to learn from; by default all.

    Returns
    -------
    seconds, memory : float64 arrays of shape (m,)
        To fit and score on the machine of the evidence; bytes beyond the data. NaN
        with fewer than `NEEDED` measured trials.
    """
    sizes = np.log(np.stack([evidence.total_rows, evidence.facts["columns"]], axis=1))
    here = np.log([max(n_rows, 1.0), max(n_columns, 1.0)])
    far = np.abs(sizes - here).sum(axis=1)
    if kept is not None:
        far = np.where(kept, far, np.inf)
    near = np.argsort(far, kind="stable")
    near = near[np.isfinite(far[near])]
    seconds, memory = (
        np.array([_read_off(sizes[near] - here, column[near]) for column in values.T])
        for values in (evidence.seconds, evidence.memory)
    )
    return seconds, memory


def _read_off(offsets: FloatArray, costs: FloatArray) -> float:
    """Fit a line to the first measured costs; return its value at offset 0."""
    known = np.flatnonzero(np.isfinite(costs))[:NEAREST_SIZES]
    if len(known) < NEEDED:
        return float("nan")
    offsets, logs = offsets[known], np.log(np.maximum(costs[known], _LEAST))
    centre = offsets.mean(axis=0)
    slopes = np.linalg.lstsq(offsets - centre, logs - logs.mean(), rcond=None)[0]
    return float(np.exp(logs.mean() - centre @ np.maximum(slopes, 0.0)))
