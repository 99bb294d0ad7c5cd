"""The suite: 800 names, each of which determines its data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, LabelArray
from odbench.errors import DataError, UnknownDatasetError, UsageError
from odbench.synbench import copula, gmm, oracle, scm_outliers
from odbench.synbench.draw import DIMENSION_BINS, Draw, Sizes, draw_sizes
from odbench.synbench.stream import Stream, seeded

# Any change of any bit of a set requires a new version.
VERSION = 1
# The root seed of the public partition.
ROOT = 260209329
SETS_PER_ARCHETYPE = 160
SMALLEST_ORACLE = 0.6
_MAX_ATTEMPTS = 500

Prior = Callable[[Stream, Sizes], Draw | None]
# Archetype -> (prior, function that draws it). The order is part of every seed.
_PRIORS: dict[str, tuple[str, Prior]] = {
    "gmm-subspace": ("gmm", gmm.draw),
    "scm-measurement": ("scm", scm_outliers.draw_measurement),
    "scm-structural": ("scm", scm_outliers.draw_structural),
    "copula-probabilistic": ("copula", copula.draw_probabilistic),
    "copula-dependence": ("copula", copula.draw_dependence),
}
ARCHETYPES = tuple(_PRIORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One generated set.

    Attributes
    ----------
    X_train : float64 array of shape (n_train, n_columns)
        Inliers.
    X_test : float64 array of shape (n_test, n_columns)
        Inliers and anomalies in random order.
    y_test : int8 array of shape (n_test,)
        1 = anomaly.
    oracle_scores : float64 array of shape (n_test,)
        The generating law's scores; higher is more anomalous.
    columns : tuple of str
    metadata : dict
        Every drawn parameter and measured fact, as JSON values.
    law : object
        The law of inliers, for the picture.
    severity : int8 array of shape (n_test,) or None
        0 = inlier, 1 to 4 = level of an anomaly; None if anomalies have no levels.
    """

    X_train: FloatArray
    X_test: FloatArray
    y_test: LabelArray
    oracle_scores: FloatArray
    columns: tuple[str, ...]
    metadata: dict[str, Any]
    law: Any
    severity: LabelArray | None = None


def names(subset: str | None = None) -> tuple[str, ...]:
    """Return the names of the suite's data sets, archetype by archetype.

    Parameters
    ----------
    subset : str, optional
        ``"synbench-mini"`` (or ``"mini"``) for 25 small ones; ``"synbench-1"`` (or
        ``"1"``) is the whole suite, under the name that says its version.

    Returns
    -------
    tuple of str
        Such as ``gmm-subspace-017``.

    Raises
    ------
    UsageError
        If there is no such subset.
    """
    if subset in (None, "synbench", "1", "synbench-1"):
        return tuple(
            f"{archetype}-{i:03d}"
            for archetype in ARCHETYPES
            for i in range(SETS_PER_ARCHETYPE)
        )
    if subset in ("mini", "synbench-mini"):
        return MINI
    msg = f"synbench has no subset {subset!r}; it has synbench-mini and synbench-1"
    raise UsageError(msg)


def generate(
    name: str,
) -> tuple[FloatArray, FloatArray, LabelArray, tuple[str, ...], dict[str, Any]]:
    """Generate one data set, bit-identical on every machine.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    tuple
        ``X_train, X_test, y_test, columns, metadata`` as in `Generated`.

    Raises
    ------
    UnknownDatasetError
        If the suite has no such set.
    """
    made = make(name)
    return made.X_train, made.X_test, made.y_test, made.columns, made.metadata


def make(name: str) -> Generated:
    """Generate one data set of the public partition, with its oracle and its law.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    UnknownDatasetError
        If the suite has no such set.
    """
    archetype, i = parse(name)

    def stream(*attempt: int) -> Stream:
        return seeded(ROOT, (ARCHETYPES.index(archetype), i, *attempt))

    return build(name, archetype, dimension_bin(i), stream)


def parse(name: str) -> tuple[str, int]:
    """Split a name into archetype and number.

    Raises
    ------
    UnknownDatasetError
        If the suite has no such set.
    """
    archetype, _, number = name.rpartition("-")
    known = archetype in _PRIORS and len(number) == 3 and number.isdecimal()
    if not known or int(number) >= SETS_PER_ARCHETYPE:
        msg = (
            f"synbench has no data set {name!r}; wanted an archetype "
            f"({', '.join(ARCHETYPES)}) and a number from 000 to "
            f"{SETS_PER_ARCHETYPE - 1}, such as {ARCHETYPES[0]}-017"
        )
        raise UnknownDatasetError(msg)
    return archetype, int(number)


def dimension_bin(i: int) -> int:
    """Return the dimension bin of set number i, in rotation."""
    return i % len(DIMENSION_BINS)


def build(
    name: str, archetype: str, dimension_bin: int, stream: Callable[..., Stream]
) -> Generated:
    """Draw sets until one is learnable.

    Parameters
    ----------
    name : str
        For messages and metadata.
    archetype : str
        One of `ARCHETYPES`.
    dimension_bin : int
        Index into `DIMENSION_BINS`.
    stream : callable
        ``stream()`` for the first attempt, ``stream(k)`` for the spawn of attempt
        k + 1.

    Returns
    -------
    Generated
        The oracle's AUROC is at least 0.6.

    Raises
    ------
    DataError
        If 500 attempts fail.
    """
    prior, draw = _PRIORS[archetype]
    for attempt in range(_MAX_ATTEMPTS):
        source = stream(attempt - 1) if attempt else stream()
        sizes = draw_sizes(source, dimension_bin)
        drawn = draw(source, sizes)
        if drawn is None:
            continue
        made = _assemble(drawn, source)
        auroc, ap = oracle.evaluate(made.y_test, made.oracle_scores)
        if auroc < SMALLEST_ORACLE:
            continue
        facts = {
            "name": name,
            "generator": "synbench",
            "generator_version": VERSION,
            "archetype": archetype,
            "prior": prior,
            "dimension_bin": list(DIMENSION_BINS[dimension_bin]),
            "n_columns": sizes.n_columns,
            "n_inliers": sizes.n_inliers,
            "n_anomalies": sizes.n_anomalies,
            "redraws": attempt,
            "oracle_auroc": auroc,
            "oracle_ap": ap,
            "origin": "Synthetic",
            "tags": list(size_tags(sizes)),
        }
        return replace(made, metadata=facts | {"parameters": drawn.parameters})
    msg = (
        f"synbench {name!r}: no learnable set in {_MAX_ATTEMPTS} draws; this is a "
        f"fault of the generator, please report the name"
    )
    raise DataError(msg)


def size_tags(sizes: Sizes) -> tuple[str, ...]:
    """Return the tags by size, as in the published suites."""
    rules = {
        "many_anomalies": sizes.n_anomalies > 1000,
        "small_dataset": sizes.n_inliers < 2500,
        "low_dimensional": sizes.n_columns <= 5,
        "high_dimensional": sizes.n_columns > 20,
    }
    return ("synbench", *(tag for tag, holds in rules.items() if holds))


def _assemble(drawn: Draw, stream: Stream) -> Generated:
    """Combine inliers and anomalies in a random order."""
    n_inliers, n_anomalies = drawn.inliers.shape[1], drawn.anomalies.shape[1]
    order = stream.permutation(n_inliers + n_anomalies)
    test = np.concatenate((drawn.inliers, drawn.anomalies), axis=1)[:, order]
    labels = np.repeat(np.array([0, 1], dtype=np.int8), (n_inliers, n_anomalies))
    scores = np.concatenate((drawn.inlier_scores, drawn.anomaly_scores))
    return Generated(
        X_train=np.ascontiguousarray(drawn.train).T,
        X_test=np.ascontiguousarray(test).T,
        y_test=labels[order],
        oracle_scores=scores[order],
        columns=tuple(f"x{j}" for j in range(len(test))),
        metadata={},
        law=drawn.law,
    )


def _members(chosen: dict[str, Sequence[int]]) -> tuple[str, ...]:
    return tuple(f"{name}-{i:03d}" for name, which in chosen.items() for i in which)


# Small sets for a first look: per archetype the first two with 2 to 5 columns, the
# first two with 6 to 10 and the first with 11 to 20 that have at most 2,000 rows.
MINI = _members(
    {
        "gmm-subspace": (0, 10, 11, 26, 47),
        "scm-measurement": (7, 40, 65, 81, 86),
        "scm-structural": (7, 35, 36, 55, 66),
        "copula-probabilistic": (0, 12, 25, 36, 46),
        "copula-dependence": (1, 10, 20, 36, 62),
    }
)
