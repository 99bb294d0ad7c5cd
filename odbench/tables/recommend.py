"""Recommend a detector for a table from the results on similar data sets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from odbench.errors import DataError, UsageError
from odbench.tables.encode import Encoder
from odbench.tables.read import read_source
from odbench.tables.recommend_cost import expected_costs
from odbench.tables.recommend_evidence import Evidence, distances, read_evidence
from odbench.tables.recommend_facts import table_facts
from odbench.tables.recommend_similar import (
    Similar,
    interval,
    may_be_as_good,
    nearest,
    places,
)
from odbench.tables.roles import infer_roles
from odbench.tables.sample import take_sample
from odbench.tables.source import Source
from odbench.text import counted

GIB = float(1 << 30)


@dataclass(frozen=True)
class Limits:
    """Limits that a detector must keep; None is no limit.

    Attributes
    ----------
    seconds : float or None
        To fit and score the table.
    memory : float or None
        GiB beyond the data.
    explainable : bool
        Only detectors that explain their own scores.
    """

    seconds: float | None = None
    memory: float | None = None
    explainable: bool = False

    def check(self) -> None:
        """Refuse limits that are not positive numbers."""
        for name, value in (
            ("--max-seconds", self.seconds),
            ("--max-memory", self.memory),
        ):
            if value is None:
                continue
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not (number and math.isfinite(value) and value > 0):
                msg = f"{name}: got {value!r}, wanted a number above 0"
                raise UsageError(msg)


@dataclass(frozen=True)
class Advice:
    """A recommendation with its reasons.

    Attributes
    ----------
    table, setting, provenance : str
    reference : str or None
        The reference's name, where one was given.
    facts : dict of str to float
        Facts of the reference, else of the table, from `table_facts`. Columns are
        those that a detector sees.
    n_sets, n_families : int
        Similar data sets behind the estimates, and their families.
    recommended : str
        A configuration's name; "" if none keeps the limits.
    as_good : tuple of str
        Others within the limits that are not clearly behind the recommended one,
        highest AUROC first.
    best_overall : str
        The best within the limits over all data sets of the evidence.
    rows : list of dict
        One per configuration, those within the limits first, highest AUROC first.
    notes : tuple of str
    """

    table: str
    setting: str
    reference: str | None
    provenance: str
    facts: dict[str, float]
    n_sets: int
    n_families: int
    recommended: str
    as_good: tuple[str, ...]
    best_overall: str
    rows: list[dict[str, Any]]
    notes: tuple[str, ...]


def recommend_detector(
    table: Any, reference: Any = None, limits: Limits | None = None
) -> Advice:
    """Say which detectors did best on data sets similar to a table.

    Parameters
    ----------
    table, reference : any argument of `read_source`
        With a reference the setting is one-class and facts are the reference's.
    limits : Limits, optional

    Returns
    -------
    Advice

    Raises
    ------
    UsageError, DataError
        If a limit or a table is wrong.
    """
    limits = limits or Limits()
    limits.check()
    source = read_source(table)
    learned = source if reference is None else read_source(reference)
    setting = "unsupervised" if reference is None else "one-class"
    facts = facts_of(learned)
    if source.n_rows == 0:
        msg = f"{source.name}: has no rows; wanted 1 or more"
        raise DataError(msg)
    notes = [*source.notes]
    if reference is not None:
        notes += [f"reference: {each}" for each in learned.notes]
    evidence, note = read_evidence(setting)
    n_rows = float(learned.n_rows + source.n_rows)
    similar = nearest(evidence, distances(evidence, facts))
    rows = configuration_rows(evidence, similar, n_rows, facts["columns"], limits)
    within = [row["detector"] for row in rows if row["within_limits"]]
    return Advice(
        table=source.name,
        setting=setting,
        reference=None if reference is None else learned.name,
        provenance=evidence.provenance,
        facts=facts,
        n_sets=len(similar.sets),
        n_families=similar.n_families,
        recommended=within[0] if within else "",
        as_good=as_good(evidence, similar, within),
        best_overall=best_overall(evidence, within),
        rows=rows,
        notes=tuple(
            n for n in (*notes, note, *_range_note(evidence, n_rows, facts)) if n
        ),
    )


def facts_of(source: Source) -> dict[str, float]:
    """Read, encode and measure a table."""
    sample = take_sample(source)
    if source.n_rows == 0:
        msg = f"{source.name}: has no rows; wanted 1 or more"
        raise DataError(msg)
    encoder = Encoder.of(infer_roles(sample.table), sample.table)
    X = encoder.encode(sample.table)
    if X.shape[1] == 0:
        msg = (
            f"{source.name}: no column can be used (all are constant, identifiers or "
            f"text); wanted a number, category or date"
        )
        raise DataError(msg)
    return table_facts(X, source.n_rows)


def configuration_rows(
    evidence: Evidence,
    similar: Similar,
    n_rows: float,
    n_columns: float,
    limits: Limits,
) -> list[dict[str, Any]]:
    """Return a row per configuration, the recommended one first."""
    columns: dict[str, Any] = {"detector": evidence.names}
    for name, values in (
        ("place", places(evidence.auroc)),
        ("auroc", evidence.auroc),
        ("ap", evidence.ap),
    ):
        mean, low, high = interval(similar.means(values))
        columns |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    seconds, memory = expected_costs(evidence, n_rows, n_columns)
    kept = np.asarray(evidence.explains) | (not limits.explainable)
    if limits.seconds is not None:
        kept &= seconds <= limits.seconds
    if limits.memory is not None:
        if np.isnan(memory).all():
            msg = (
                f"--max-memory: got {limits.memory}, but the evidence has too few "
                f"measurements of memory; leave it out, and bound a run with `odbench "
                f"run --memory-limit`"
            )
            raise UsageError(msg)
        # Unknown memory does not keep a limit.
        kept &= memory <= limits.memory * GIB
    columns |= {"seconds": seconds, "memory_gib": memory / GIB}
    columns |= {"explains": evidence.explains, "within_limits": kept}
    order = np.lexsort((-columns["auroc"], ~kept))
    return [{name: _plain(c[i]) for name, c in columns.items()} for i in order]


def as_good(evidence: Evidence, similar: Similar, names: list[str]) -> tuple[str, ...]:
    """Return the configurations that are not clearly behind the first of them."""
    if len(names) < 2:
        return ()
    means = similar.means(evidence.auroc[:, [evidence.names.index(n) for n in names]])
    kept = may_be_as_good(means)
    return tuple(name for name, is_kept in zip(names[1:], kept, strict=True) if is_kept)


def best_overall(evidence: Evidence, names: list[str]) -> str:
    """Return which of some configurations has the highest mean AUROC of families."""
    if not names:
        return ""
    everything = nearest(
        evidence, np.zeros(len(evidence.families)), len(evidence.families)
    )
    means = everything.means(evidence.auroc).mean(axis=0)
    return max(names, key=lambda name: float(means[evidence.names.index(name)]))


def _range_note(
    evidence: Evidence, n_rows: float, facts: dict[str, float]
) -> list[str]:
    """Say that a size is outside the evidence."""
    notes = []
    # Without a reference, the same rows are fitted and scored.
    alone = evidence.setting == "unsupervised"
    times, both = (2.0, "") if alone else (1.0, " to fit and score")
    for noun, purpose, size, known in (
        ("row", both, n_rows / times, evidence.total_rows / times),
        ("column", "", facts["columns"], evidence.facts["columns"]),
    ):
        if not known.min() <= size <= known.max():
            notes.append(
                f"{counted(round(size), noun)}{purpose}: the evidence has "
                f"{known.min():,.0f} to {known.max():,.0f}; seconds and memory are "
                f"extrapolated"
            )
    return notes


def _plain(value: Any) -> Any:
    """Turn a NumPy value into Python's, rounded for reading; NaN into None."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return str(value)
