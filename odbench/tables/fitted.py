"""Everything that was learned from a table, ready to score other rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import DataError, UsageError
from odbench.plugins.configuration import Configuration
from odbench.tables.columns import Column
from odbench.tables.encode import Encoder
from odbench.tables.learner import Learner
from odbench.tables.matching import closest
from odbench.tables.roles import infer_roles
from odbench.tables.sample import Sample
from odbench.tables.written import rewritten


@dataclass(frozen=True)
class Fitted:
    """The columns, encoding and detector learned from a table.

    Attributes
    ----------
    columns : tuple of Column
        All its columns with their roles.
    encoder : Encoder
    learner : Learner
    n_rows : int
        Rows of the table, of which the learner may have a sample.
    """

    columns: tuple[Column, ...]
    encoder: Encoder
    learner: Learner
    n_rows: int

    def rows_as_new(self) -> FloatArray:
        """Return the learner's rows as they would be scored as rows of another table.

        Values that are the same stay so to the last bit, and so do their ties.
        """
        learner = self.learner
        if not self.encoder.has_names:
            return learner.rows
        raw = learner.scale.restore(learner.rows)
        new = self.encoder.as_new(raw)
        return np.where(new == raw, learner.rows, learner.scale.apply(new))

    @classmethod
    def of(
        cls,
        name: str,
        sample: Sample,
        n_rows: int,
        configuration: Configuration,
        given: Mapping[str, str],
    ) -> Fitted:
        """Learn from a table.

        Parameters
        ----------
        name : str
            The table, for messages.
        sample : Sample
        n_rows : int
            Rows of the whole table.
        configuration : Configuration
        given : mapping of str to str
            Roles chosen by the user.

        Raises
        ------
        DataError
            If no column is left, or there are fewer than two rows.
        """
        if sample.table.num_rows < 2:
            msg = f"{name}: has one row, which needs others; score it with --reference"
            raise DataError(msg)
        columns = infer_roles(sample.table, given)
        encoder = Encoder.of(columns, sample.table)
        if not encoder.columns:
            roles = ", ".join(f"{c.name!r} {c.role}" for c in columns[:5])
            fewer = "" if "ignored" not in given.values() else "--ignore fewer, or "
            msg = (
                f"{name}: no column is left to compare rows by ({roles}); {fewer}name "
                f"one with --number or --category"
            )
            raise DataError(msg)
        learner = Learner.of(configuration, encoder.encode(sample.table))
        return cls(columns, encoder, learner, n_rows)


def chosen_roles(
    names: Sequence[str], roles: Mapping[str, Sequence[str]], table: str
) -> dict[str, str]:
    """Return the user's roles by column, each column once.

    Parameters
    ----------
    names : sequence of str
        The columns of the table.
    roles : mapping of str to sequence of str
        Role -> names; a name may be a comma-separated list of names.
    table : str
        For messages.

    Raises
    ------
    UsageError
        If a column does not exist or has two roles.
    """
    chosen: dict[str, str] = {}
    for role, listed in roles.items():
        for name in split_names(listed, names):
            if name not in names:
                raise UsageError(_unknown(name, names, table))
            if chosen.get(name, role) != role:
                msg = (
                    f"column {name!r}: got two roles, {chosen[name]} and {role}; give "
                    f"it one"
                )
                raise UsageError(msg)
            chosen[name] = role
    return chosen


def split_names(listed: Any, names: Sequence[str]) -> list[str]:
    """Split comma-separated names, but no name that itself has a comma.

    Names in Python may be no text, as those of a data frame, and one may stand alone.
    """
    found: list[str] = []
    several = isinstance(listed, Iterable) and not isinstance(listed, str)
    for each in listed if several else [listed]:
        item = str(each)
        parts = [item] if item in names else [part.strip() for part in item.split(",")]
        found += [part for part in parts if part]
    return found


def _unknown(name: str, names: Sequence[str], table: str) -> str:
    hint = closest(name, names)
    return f"{table}: has no column {name!r}; {hint}"


def read_as(fitted: Fitted, table: Any, name: str) -> dict[str, Column]:
    """Return how the columns of another table are written.

    Parameters
    ----------
    fitted : Fitted
    table : pyarrow.Table
        Some rows of the other table.
    name : str
        For messages.

    Returns
    -------
    dict of str to Column
        With the roles of `fitted`, written as in this table.

    Raises
    ------
    DataError
        If a column is missing.
    """
    missing = [
        c.name for c in fitted.encoder.columns if c.name not in table.column_names
    ]
    if missing:
        some = ", ".join(repr(each) for each in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        columns = "column" if len(missing) == 1 else "columns"
        are = "is" if len(missing) == 1 else "are"
        msg = (
            f"{name}: {columns} {some}{more} of the reference {are} missing; "
            f"{closest(missing[0], table.column_names)}"
        )
        raise DataError(msg)
    return rewritten(fitted.encoder.columns, table)
