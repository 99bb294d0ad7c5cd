"""Rank the columns of a table from structure to noise, with warnings on quality."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odbench.arrays import IntArray
from odbench.data.information import SHUFFLES, Shared, compact, shared_information
from odbench.data.leaks import LEAK
from odbench.errors import DataError
from odbench.tables.column_quality import (
    REPEATED,
    CodedColumn,
    code_column,
    codes_for_label,
    pure_value,
    quality_warnings,
)
from odbench.tables.columns import USED, Column
from odbench.tables.fitted import chosen_roles
from odbench.tables.read import read_source
from odbench.tables.repeats import are_same, determines
from odbench.tables.roles import infer_roles
from odbench.tables.sample import take_sample
from odbench.tables.wording import show_share

# Information is measured on at most this many rows, and on fewer in wide tables.
MOST_ROWS, FEWEST_ROWS = 10_000, 500
# Each column is compared with at most this many others, evenly spread.
MOST_TARGETS = 300
# Pairs of values that are counted, those of shuffles included; some seconds.
COUNTED = 500_000_000
# Standard deviations beyond chance from which a dependence counts.
BEYOND_CHANCE = 5.0
# A label of more different values is no label.
MOST_LABELS = 20


@dataclass(frozen=True)
class RankedColumn:
    """A column with its place between structure and noise.

    Attributes
    ----------
    column, kind : str
        Its name, and its role as in `odbench.tables.columns`.
    distinct : int
        Number of different values.
    missing : float
        Share of the rows without a value.
    structure : float or None
        Mean share of the column's information that another column has, beyond chance.
        None if it is not compared: it is constant, an identifier or free text, or
        there is no other column.
    most_similar : str
        The column that has most of its information, "" if none has more than chance.
    redundancy : float or None
        The share of its information that `most_similar` has.
    label : float or None
        The share of the label's information that this column has.
    warnings : tuple of str
    suspicious : bool
        Whether a detector is better off without it: it repeats an earlier column, rises
        along the rows, or gives the label away.
    """

    column: str
    kind: str
    distinct: int
    missing: float
    structure: float | None = None
    most_similar: str = ""
    redundancy: float | None = None
    label: float | None = None
    warnings: tuple[str, ...] = ()
    suspicious: bool = False


@dataclass(frozen=True)
class Ranking:
    """The columns of a table, from structure to noise.

    Attributes
    ----------
    table, form : str
        The table and its format.
    n_rows, n_measured : int
        Rows of the table, and rows that information was measured on.
    label : str
        The column of labels, "" for none.
    columns : tuple of RankedColumn
        Those that are not compared are last.
    notes : tuple of str
    """

    table: str
    form: str
    n_rows: int
    n_measured: int
    label: str
    columns: tuple[RankedColumn, ...]
    notes: tuple[str, ...] = ()

    @property
    def to_ignore(self) -> tuple[str, ...]:
        """Columns that a detector is better off without, but never all it could see."""
        return tuple(one.column for one in to_leave_out(self.columns))


def to_leave_out(
    columns: Sequence[RankedColumn], kept: Collection[str] = ()
) -> list[RankedColumn]:
    """Return the suspicious columns; the last of them stays if nothing else would.

    Parameters
    ----------
    columns : sequence of RankedColumn
    kept : collection of str
        Columns that stay in any case.
    """
    used = [one for one in columns if one.kind in USED]
    found = [one for one in columns if one.suspicious and one.column not in kept]
    return found[:-1] if len(found) == len(used) else found


def rank_table_columns(table: Any, label: str = "") -> Ranking:
    """Rank the columns of a table.

    Parameters
    ----------
    table : any argument of `odbench.tables.read.read_source`
    label : str
        A column that says which rows are anomalies, "" for none. Every column is
        compared with it, and it is not ranked.

    Returns
    -------
    Ranking

    Raises
    ------
    UsageError, DataError
        If the table cannot be read, or has no such column.
    """
    source = read_source(table)
    if label:
        chosen_roles(source.names, {"label": [label]}, source.name)
    sample = take_sample(source)
    columns = infer_roles(sample.table)
    known = _label(source.name, label, sample.table) if label else None
    ranked, n_measured, notes = rank_columns(
        [column for column in columns if column.name != label], sample.table, known
    )
    if sample.table.num_rows < source.n_rows:
        notes.insert(
            0,
            f"kinds, different and missing values are those of "
            f"{sample.table.num_rows:,} of the rows, chosen by their content",
        )
    return Ranking(
        source.name,
        source.form,
        source.n_rows,
        n_measured,
        label,
        ranked,
        (*source.notes, *notes),
    )


def _label(name: str, label: str, table: Any) -> IntArray:
    """Return the codes of a column of labels, -1 where there is none."""
    coded = code_column(Column(label, "category"), table.column(label))
    if not 2 <= coded.distinct <= MOST_LABELS:
        msg = (
            f"{name}: label {label!r} has {coded.distinct:,} different values; wanted "
            f"2 to {MOST_LABELS}, such as 0 and 1; name another column with --label"
        )
        raise DataError(msg)
    is_missing = coded.values == coded.distinct
    return np.where(is_missing, -1, coded.codes)


def ignore_option(names: Sequence[str]) -> str:
    """Return the options of ``odbench score`` that leave columns out, for a shell.

    Examples
    --------
    >>> print(ignore_option(["a", "b c"]), "|", ignore_option(["last, first", "it's"]))
    --ignore 'a,b c' | --ignore 'last, first' --ignore 'it'"'"'s'
    """
    together = [",".join(names)] if not any("," in name for name in names) else names
    quoted = [shlex.quote(each) if "'" in each else f"'{each}'" for each in together]
    return " ".join(f"--ignore {each}" for each in quoted)


def rank_columns(
    columns: Sequence[Column],
    table: Any,
    label: IntArray | None = None,
    *,
    counted: int = COUNTED,
) -> tuple[tuple[RankedColumn, ...], int, list[str]]:
    """Rank columns whose roles are known.

    Parameters
    ----------
    columns : sequence of Column
    table : pyarrow.Table
        Has these columns.
    label : int64 array of shape (n,), optional
        Codes of the rows' labels, from 0; -1 for rows without one, which are left out
        where columns are compared with the label.
    counted : int
        Pairs of values to count at most, which decides how many rows are used.

    Returns
    -------
    ranked : tuple of RankedColumn
    n_measured : int
        Rows that information was measured on.
    notes : list of str
    """
    coded = {c.name: code_column(c, table.column(c.name)) for c in columns}
    ranked = {c.name: _alone(c, coded[c.name]) for c in columns}
    used = [c.name for c in columns if c.used]
    rows = _some_rows(table.num_rows, len(used), counted)
    notes = []
    if len(used) > 1:
        _compare(ranked, [(name, coded[name]) for name in used], rows)
    if label is not None and used:
        _compare_label(ranked, [c for c in columns if c.used], coded, table, label)
        if without := int((label < 0).sum()):
            notes.append(
                f"the label is compared on the {len(label) - without:,} rows that have "
                f"one; {without:,} {'has' if without == 1 else 'have'} none"
            )
    if len(used) > MOST_TARGETS:
        notes.append(f"each column is compared with {MOST_TARGETS} of {len(used):,}")
    if len(rows) < table.num_rows:
        notes.append(f"information is measured on {len(rows):,} rows drawn at random")
    order = sorted(ranked.values(), key=_place)
    return tuple(order), len(rows), notes


def _alone(column: Column, coded: CodedColumn) -> RankedColumn:
    """Return a column that is compared with no other yet."""
    return RankedColumn(
        column.name,
        column.role,
        coded.distinct,
        round(coded.missing, 4),
        warnings=tuple(quality_warnings(column, coded)),
        suspicious=column.used and coded.rises,
    )


def _place(one: RankedColumn) -> tuple[bool, float]:
    """Return the key of the order from structure to noise."""
    return one.structure is None, -(one.structure or 0.0)


def _some_rows(n: int, d: int, counted: int) -> IntArray:
    """Choose the rows that information is measured on, ascending."""
    pairs = max(d, 1) * min(max(d, 1), MOST_TARGETS) * (1 + SHUFFLES)
    most = int(np.clip(counted // pairs, FEWEST_ROWS, MOST_ROWS))
    if n <= most:
        return np.arange(n, dtype=np.int64)
    chosen = np.random.default_rng(0).choice(n, most, replace=False)
    return np.asarray(np.sort(chosen), dtype=np.int64)


def _compare(
    ranked: dict[str, RankedColumn],
    used: Sequence[tuple[str, CodedColumn]],
    rows: IntArray,
) -> None:
    """Add each column's relation to the others, by some of the rows."""
    d = len(used)
    codes = np.stack([coded.codes[rows] for _, coded in used], axis=1)
    step = -(-d // MOST_TARGETS)
    targets = np.arange(0, d, step)
    shared = shared_information(codes, codes[:, targets])
    own = np.arange(d)[:, None] == targets
    others = np.where(own, np.nan, shared.share)
    for place, (name, coded) in enumerate(used):
        nearest, share = _nearest(shared, own, place)
        other = int(targets[nearest])
        other_name, other_coded = used[other]
        kept = others[place][~own[place]]
        one = replace(ranked[name], structure=float(f"{kept.mean():.4g}"))
        if share > 0:
            one = replace(
                one, most_similar=other_name, redundancy=float(f"{share:.4g}")
            )
            if share >= REPEATED:
                mine, theirs = coded.values[rows], other_coded.values[rows]
                back = _tells(codes, place, other)
                if back >= REPEATED and are_same(mine, theirs):
                    one = _repeated(one, other_name, later=other < place)
                elif determines(codes[:, other], compact(mine)):
                    one = _warned(one, f"follows from {other_name!r}")
        ranked[name] = one


def _nearest(shared: Shared, own: Any, place: int) -> tuple[int, float]:
    """Return the target that tells most about a column beyond chance, and its share."""
    counts = (shared.excess[place] > BEYOND_CHANCE) & ~own[place]
    shares = np.where(counts, shared.share[place], -1.0)
    best = int(shares.argmax())
    return best, float(shares[best])


def _tells(codes: IntArray, place: int, other: int) -> float:
    """Return the share of another column's information that a column has."""
    return float(shared_information(codes[:, [other]], codes[:, [place]]).share[0, 0])


def _repeated(one: RankedColumn, other: str, *, later: bool) -> RankedColumn:
    """Say that a column is another; a detector is better off without the later one."""
    warning = f"repeats {other!r}"
    if later:
        return replace(_warned(one, warning), suspicious=True)
    return replace(one, warnings=(*one.warnings, warning))


def _warned(one: RankedColumn, warning: str) -> RankedColumn:
    return replace(one, warnings=(warning, *one.warnings))


def _compare_label(
    ranked: dict[str, RankedColumn],
    used: Sequence[Column],
    coded: dict[str, CodedColumn],
    table: Any,
    label: IntArray,
) -> None:
    """Add how much each column tells about the label."""
    known = label >= 0
    label = compact(label[known])
    for column in used:
        name, values = column.name, table.column(column.name).filter(known)
        some = replace(coded[column.name], codes=coded[column.name].codes[known])
        codes = codes_for_label(column, values, some, label)
        found = []
        share = float(shared_information(label[:, None], codes[:, None]).share[0, 0])
        if share >= LEAK:
            found.append(f"tells {show_share(share)} of the label")
        elif pure := pure_value(values, some, label):
            found.append(pure)
        one = ranked[name]
        ranked[name] = replace(
            one,
            label=float(f"{share:.4g}"),
            warnings=(*found, *one.warnings),
            suspicious=one.suspicious or bool(found),
        )
