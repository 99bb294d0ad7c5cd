"""Draw one data set of version 2: its law, its anomalies' strength, its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, LabelArray
from odbench.errors import DataError
from odbench.synbench import oracle
from odbench.synbench.draw import DIMENSION_BINS, Sizes, draw_sizes
from odbench.synbench.stream import Stream
from odbench.synbench.suite import Generated, size_tags
from odbench.synbench.v2 import copula, gmm, scm
from odbench.synbench.v2.difficulty import STRATA, can_reach, solve, target_range
from odbench.synbench.v2.law import Law
from odbench.synbench.v2.severity import severity_levels
from odbench.synbench.v2.table import draw_layout, make_table

# Any change of any bit of a set requires a new version.
VERSION = 2
_MAX_ATTEMPTS = 500
_LAWS: dict[str, Callable[[Stream, int], Law]] = {
    "gmm-subspace": gmm.draw,
    "scm-measurement": scm.draw_measurement,
    "scm-structural": scm.draw_structural,
    "copula-probabilistic": copula.draw_probabilistic,
    "copula-dependence": copula.draw_dependence,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The place of a set in the design.

    Attributes
    ----------
    archetype : str
        One of `odbench.synbench.suite.ARCHETYPES`.
    dimension_bin : int
        Index into `odbench.synbench.draw.DIMENSION_BINS`.
    stratum : int
        Index into `odbench.synbench.v2.difficulty.STRATA`.
    """

    archetype: str
    dimension_bin: int
    stratum: int


def build(
    name: str, suite: str, cell: Cell, stream: Callable[..., Stream], *, severity: bool
) -> Generated:
    """Draw a set, again and again until its law reaches the wanted difficulty.

    Parameters
    ----------
    name, suite : str
        For messages and metadata.
    cell : Cell
    stream : callable
        ``stream(k)`` for attempt k, from 0.
    severity : bool
        Whether anomalies have levels.

    Returns
    -------
    Generated
        The oracle's AUROC lies in the stratum.

    Raises
    ------
    DataError
        If 500 attempts fail.
    """
    for attempt in range(_MAX_ATTEMPTS):
        made = _attempt(stream(attempt), cell, severity=severity)
        if made is not None:
            made.metadata.update(name=name, generator=suite, redraws=attempt)
            return made
    msg = (
        f"{suite} {name!r}: no set of its difficulty in {_MAX_ATTEMPTS} draws; this is "
        f"a fault of the generator, please report the name"
    )
    raise DataError(msg)


def _attempt(stream: Stream, cell: Cell, *, severity: bool) -> Generated | None:
    sizes = draw_sizes(stream, cell.dimension_bin)
    layout = draw_layout(stream, sizes.n_columns)
    target = stream.number(*target_range(cell.stratum))
    law = _LAWS[cell.archetype](stream, layout.n_law)
    if not can_reach(law, stream, target):
        return None
    inliers = law.inliers(stream, sizes.n_inliers)
    test = tuple(part[..., sizes.n_train :] for part in inliers)
    plan = law.plan(stream, sizes.n_anomalies)
    strength = solve(law, test, plan, cell.stratum, target)
    if strength is None:
        return None
    anomalies = law.anomalies(plan, strength)
    base = np.concatenate((inliers[0], anomalies[0]), axis=1)
    table, drawn = make_table(stream, law, base, layout, sizes.n_train)
    scores = np.concatenate((law.score(test, strength), law.score(anomalies, strength)))
    made = _assemble(stream, table, scores, sizes, severity=severity)
    facts = {"difficulty": list(STRATA[cell.stratum]), "target": target}
    made.metadata.update(_facts(cell, sizes, made))
    made.metadata["parameters"] = {
        **law.parameters, **facts, "strength": strength, "table": drawn,
    }  # fmt: skip
    return made


def _assemble(
    stream: Stream,
    table: FloatArray,
    scores: FloatArray,
    sizes: Sizes,
    *,
    severity: bool,
) -> Generated:
    """Shuffle the test rows and attach labels."""
    n_train = sizes.n_train
    order = stream.permutation(table.shape[1] - n_train)
    n_inliers = sizes.n_inliers - n_train
    labels = np.repeat(np.array([0, 1], dtype=np.int8), (n_inliers, sizes.n_anomalies))
    levels: LabelArray | None = None
    if severity:
        levels = np.zeros_like(labels)
        levels[n_inliers:] = severity_levels(scores[n_inliers:])
        levels = levels[order]
    return Generated(
        X_train=np.ascontiguousarray(table[:, :n_train]).T,
        X_test=np.ascontiguousarray(table[:, n_train:][:, order]).T,
        y_test=labels[order],
        oracle_scores=scores[order],
        columns=tuple(f"x{j}" for j in range(len(table))),
        metadata={},
        law=None,
        severity=levels,
    )


def _facts(cell: Cell, sizes: Sizes, made: Generated) -> dict[str, Any]:
    auroc, ap = oracle.evaluate(made.y_test, made.oracle_scores)
    return {
        "generator_version": VERSION,
        "archetype": cell.archetype,
        "prior": cell.archetype.partition("-")[0],
        "dimension_bin": list(DIMENSION_BINS[cell.dimension_bin]),
        "n_columns": sizes.n_columns,
        "n_inliers": sizes.n_inliers,
        "n_anomalies": sizes.n_anomalies,
        "oracle_auroc": auroc,
        "oracle_ap": ap,
        "origin": "Synthetic",
        "tags": list(size_tags(sizes)),
    }
