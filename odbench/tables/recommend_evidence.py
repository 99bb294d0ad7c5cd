"""The evidence behind `odbench recommend`: published results and facts of tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from odbench.arrays import FloatArray, IntArray
from odbench.errors import DataError
from odbench.tables.recommend_facts import FACTS
from odbench.threads import spare_threads

SETTINGS = ("one-class", "unsupervised")
# Values per data set and configuration.
VALUES = ("auroc", "ap", "seconds", "memory")


@dataclass(frozen=True)
class Evidence:
    """Results of m configurations on n data sets in one setting.

    Attributes
    ----------
    setting : str
    provenance : str
        Where the results come from.
    names : tuple of str, of length m
        Configurations, as `--detector` takes them.
    explains : tuple of bool, of length m
        Whether the detector explains its own scores.
    families : int64 array of shape (n,)
        Data sets of one family share a number.
    facts : mapping of str to float64 array of shape (n,)
        The keys of `FACTS`; NaN where a fact was not measured.
    total_rows : float64 array of shape (n,)
        Train and test rows, which the seconds are for.
    auroc, ap : float64 array of shape (n, m)
        AUROC and adjusted AP, higher is better.
    seconds : float64 array of shape (n, m)
        To fit and to score.
    memory : float64 array of shape (n, m)
        Bytes that a trial added at its peak; NaN where it was not seen, because the
        worker had needed as much before.
    """

    setting: str
    provenance: str
    names: tuple[str, ...]
    explains: tuple[bool, ...]
    families: IntArray
    facts: Mapping[str, FloatArray]
    total_rows: FloatArray
    auroc: FloatArray
    ap: FloatArray
    seconds: FloatArray
    memory: FloatArray


def read_evidence(setting: str, path: Path | None = None) -> tuple[Evidence, str]:
    """Read the shipped evidence of a setting, or of one-class if it has none.

    Parameters
    ----------
    setting : {"one-class", "unsupervised"}
    path : Path, optional
        Another file than the shipped one.

    Returns
    -------
    evidence : Evidence
    note : str
        One line if the evidence is of another setting, else "".

    Raises
    ------
    DataError
        If the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    shipped = files("odbench.tables") / "assets" / "evidence.parquet"
    where = str(shipped if path is None else path)
    spare_threads()
    try:
        table = pq.read_table(where)
        told = json.loads(table.schema.metadata[b"odbench"])
        held = np.asarray(table.column("protocol").to_pylist())
        shown = setting if setting in told else SETTINGS[0]
        rows = table.filter(pa.array(held == shown))
        evidence = _of_table(rows, told[shown], shown)
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        msg = f"evidence {where!r}: is damaged; install odbench again"
        raise DataError(msg) from error
    note = (
        ""
        if shown == setting
        else (
            f"no {setting} results are published with odbench yet; {shown} results are "
            f"shown instead"
        )
    )
    return evidence, note


def _of_table(table: object, told: Mapping[str, object], setting: str) -> Evidence:
    """Turn the rows of one setting into arrays; each has its own configurations."""
    numbers = {
        name: np.asarray(table.column(name).to_numpy(), dtype=np.float64)  # type: ignore[attr-defined]
        for name in table.column_names  # type: ignore[attr-defined]
        if "/" in name or name in FACTS or name == "test_rows"
    }
    described: Mapping[str, Mapping[str, bool]] = told["configurations"]  # type: ignore[assignment]
    names = tuple(described)
    values = {
        kind: np.stack([numbers[f"{kind}/{name}"] for name in names], axis=1)
        for kind in VALUES
    }
    needed = [values[kind] for kind in VALUES if kind != "memory"]
    kept = np.isfinite(np.concatenate(needed, axis=1)).all(axis=1)
    families = np.asarray(table.column("family").to_pylist())[kept]  # type: ignore[attr-defined]
    return Evidence(
        setting=setting,
        provenance=str(told["provenance"]),
        names=names,
        explains=tuple(bool(described[name]["explains"]) for name in names),
        families=np.unique(families, return_inverse=True)[1].astype(np.int64),
        facts={fact: numbers[fact][kept] for fact in FACTS},
        total_rows=(numbers["rows"] + numbers["test_rows"])[kept],
        **{kind: array[kept] for kind, array in values.items()},
    )


def distances(
    evidence: Evidence,
    facts: Mapping[str, float],
    among: NDArray[np.bool_] | None = None,
) -> FloatArray:
    """Return how far each data set is from a table.

    The mean of the absolute differences of the facts that both have, each divided by
    the fact's standard deviation over the evidence; rows and columns as logarithms.

    Parameters
    ----------
    evidence : Evidence
    facts : mapping of str to float
        From `table_facts`; NaN for an unknown fact.
    among : bool array of shape (n,), optional
        Data sets that the standard deviations are taken over; by default all.

    Returns
    -------
    float64 array of shape (n,)
        0 for a table that is the same in every fact.
    """
    gaps = []
    for fact, (_, scale) in FACTS.items():
        known, own = evidence.facts[fact], facts[fact]
        if scale == "log":
            known, own = np.log(np.maximum(known, 1)), np.log(max(own, 1))
        if np.isnan(known).all():
            continue
        spread = np.nanstd(known if among is None else known[among])
        gaps.append(np.abs(known - own) / (spread or 1.0))
    return np.asarray(np.nanmean(np.stack(gaps), axis=0), dtype=np.float64)
