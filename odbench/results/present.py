"""Select the present trials from results that also hold earlier versions.

A detector is edited, a default changes, a table is corrected: the results of the same
command then hold rows of several versions. The present version is the one of the latest
generation (`odbench.sweep.journal`); a clock is never asked.
"""

from __future__ import annotations

import glob
import shlex
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from odbench.arrays import BoolArray
from odbench.text import printable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_GROUP = ("suite", "partition", "protocol")
_METHOD = (*_GROUP, "detector", "config")
_DATASET = (*_GROUP, "dataset")
# Rows that agree in the first columns belong together only if they agree in the last.
# A changed default gives its configuration another config_id under the same name.
_RULES = (
    (*_METHOD, "detector_version"),
    (*_METHOD, "config_id"),
    (*_DATASET, "content_sha256"),
)
# The columns of results that tell which rows are present.
VERSIONED = tuple(dict.fromkeys(name for rule in _RULES for name in rule))
# Number of names in a remark before it says how many others there are.
_NAMED = 3

# Rows that are grouped faster without Arrow than Arrow's grouping is imported.
_FEW_ROWS = 20_000
_Version: TypeAlias = tuple[Any, ...]


class Versions:
    """The versions in results, and which of them newer ones replace."""

    def __init__(self) -> None:
        self._newest: list[dict[_Version, int]] = [{} for _ in _RULES]

    def add(self, rows: pd.DataFrame) -> None:
        """Add rows that have `VERSIONED` and ``generation``.

        Columns that are missing tell nothing, so their versions are not compared.
        """
        if "generation" not in rows.columns:
            return
        generations = rows["generation"].fillna(0).astype("int64")
        rows = rows.assign(generation=generations)
        for number, rule in enumerate(_RULES):
            if set(rule) <= set(rows.columns):
                groups = rows.groupby(list(rule), observed=True, sort=False)
                newest = groups["generation"].max()
                self._note(number, zip(newest.index, newest.tolist(), strict=True))

    def add_table(self, rows: pa.Table) -> None:
        """Add the rows of an Arrow table that has all of these columns."""
        if rows.num_rows <= _FEW_ROWS:
            # Arrow's grouping imports pandas, which takes longer than these rows.
            columns = rows.to_pydict()
            generations = columns["generation"]
            for number, rule in enumerate(_RULES):
                versions = zip(*(columns[name] for name in rule), strict=True)
                self._note(number, zip(versions, generations, strict=True))
            return
        for number, rule in enumerate(_RULES):
            groups = rows.group_by(list(rule), use_threads=False).aggregate(
                [("generation", "max")]
            )
            values = [groups[name].to_pylist() for name in rule]
            generations = groups["generation_max"].to_pylist()
            self._note(number, zip(zip(*values, strict=True), generations, strict=True))

    def _note(self, number: int, newest: Iterable[tuple[_Version, int | None]]) -> None:
        known = self._newest[number]
        for version, generation in newest:
            # A missing version or content conflicts with nothing.
            if version[-1]:
                known[version] = max(known.get(version, 0), generation or 0)

    def earlier(self, *, contested: bool = False) -> Earlier:
        """Return the versions that newer ones replace.

        Versions of the same generation do not replace each other: nothing tells which
        of them is newer.

        Parameters
        ----------
        contested : bool
            Add versions that share the latest generation with others.
        """
        return Earlier([_replaced(one, contested=contested) for one in self._newest])


class Earlier:
    """The versions that newer ones replace.

    Parameters
    ----------
    replaced : list of set of tuple
        For each rule, the values of its columns in rows that are not present.
    """

    def __init__(self, replaced: list[set[_Version]]) -> None:
        self._replaced = replaced

    def __bool__(self) -> bool:
        return any(self._replaced)

    def by_version(self, rows: pd.DataFrame) -> BoolArray:
        """Mark the rows whose detector or parameters were replaced."""
        return self._holds(rows, 0) | self._holds(rows, 1)

    def by_content(self, rows: pd.DataFrame) -> BoolArray:
        """Mark the rows whose data set was replaced by other content."""
        return self._holds(rows, 2)

    def holds(self, rows: pd.DataFrame) -> BoolArray:
        """Mark the rows of an earlier version or content."""
        return self.by_version(rows) | self.by_content(rows)

    def _holds(self, rows: pd.DataFrame, number: int) -> BoolArray:
        replaced, rule = self._replaced[number], _RULES[number]
        if not replaced:
            return np.zeros(len(rows), dtype=np.bool_)
        values = zip(*(rows[name].tolist() for name in rule), strict=True)
        return np.fromiter((row in replaced for row in values), np.bool_, len(rows))


def select_present(
    results: pd.DataFrame, *, run: Path | str = "RUN"
) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the rows of earlier versions of detectors, parameters and data sets.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial, with `VERSIONED` and ``generation``. Rows without a
        generation are older than all others.
    run : Path or str
        Where they come from, for the remark.

    Returns
    -------
    pandas.DataFrame
        The rows of the present versions. Versions of one generation stay side by side,
        because nothing tells which of them is newer.
    list of str
        A remark on the rows that were left out; empty if there are none.
    """
    versions = Versions()
    versions.add(results)
    earlier = versions.earlier()
    if not earlier:
        return results, []
    by_version, by_content = earlier.by_version(results), earlier.by_content(results)
    remark = _remark(results, by_version, by_content, run)
    return results[~(by_version | by_content)], [remark]


def _replaced(newest: dict[_Version, int], *, contested: bool) -> set[_Version]:
    latest: dict[_Version, int] = {}
    for version, generation in newest.items():
        key = version[:-1]
        latest[key] = max(latest.get(key, 0), generation)
    at_the_top = Counter(v[:-1] for v, n in newest.items() if n == latest[v[:-1]])
    return {
        version
        for version, n in newest.items()
        if n < latest[version[:-1]] or (contested and at_the_top[version[:-1]] > 1)
    }


def _remark(
    results: pd.DataFrame, by_version: BoolArray, by_content: BoolArray, run: Path | str
) -> str:
    detectors = Counter(results.loc[by_version, "detector"].astype(str))
    datasets = Counter(results.loc[by_content & ~by_version, "dataset"].astype(str))
    parts, filters = [], ""
    if detectors:
        parts.append(_counted(detectors, "version"))
    if datasets:
        parts.append(_counted(datasets, "content"))
    if len(detectors) == 1 and not datasets:
        filters = f" --detector {shlex.quote(next(iter(detectors)))}"
    if len(datasets) == 1 and not detectors:
        filters = f" --dataset {shlex.quote(glob.escape(next(iter(datasets))))}"
    drop = f"odbench runs drop {shlex.quote(str(run))}{filters} --old"
    are = "is" if detectors.total() + datasets.total() == 1 else "are"
    return printable(f"{' and '.join(parts)} {are} ignored; `{drop}` removes them")


def _counted(names: Counter[str], kind: str) -> str:
    """Return a phrase such as "12 rows of an earlier version of knn"."""
    count = names.total()
    what = f"an earlier {kind}" if len(names) == 1 else f"earlier {kind}s"
    rows = "row" if count == 1 else "rows"
    return f"{count} {rows} of {what} of {_listed(sorted(names))}"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
