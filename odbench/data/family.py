"""Families: groups of data sets that share a source and are not independent."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from typing import TypeAlias

from odbench.data.dataset import DatasetRecord
from odbench.errors import ManifestError
from odbench.suites import manifest_folder

# A family's precedence (0 is the highest) and name.
_Rank: TypeAlias = tuple[int, str]
_REPOSITORY = re.compile(r"https?://github\.com/([\w.-]+)/([\w.-]+)")


def read_families(folder: Traversable | None = None) -> dict[str, str]:
    """Read the families that were grouped by hand.

    Returns
    -------
    dict of str to str
        Family by data set id.

    Raises
    ------
    ManifestError
        If the file is malformed or names a data set twice.
    """
    file = (manifest_folder() if folder is None else folder) / "families.toml"
    if not file.is_file():
        return {}
    families: dict[str, str] = {}
    try:
        listed: dict[str, list[str]] = tomllib.loads(file.read_text("utf-8"))[
            "families"
        ]
        _check(listed)
    # A text that is not UTF-8 or not TOML is a ValueError.
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        msg = f"{file.name}: {error}; wanted [families] with lists of suite/name"
        raise ManifestError(msg) from error
    for family, members in listed.items():
        for member in members:
            if member in families:
                msg = f"{file.name}: {member} is in {families[member]} and in {family}"
                raise ManifestError(msg)
            families[member] = family
    return families


def _check(listed: object) -> None:
    """Refuse anything but lists of texts by name."""
    if not isinstance(listed, dict):
        msg = f"families is {listed!r}"
        raise TypeError(msg)
    for family, members in listed.items():
        if not isinstance(members, list) or any(type(m) is not str for m in members):
            msg = f"family {family} is {members!r}"
            raise TypeError(msg)


def with_families(
    records: Iterable[DatasetRecord], named: Mapping[str, str] | None = None
) -> list[DatasetRecord]:
    """Return records with their family.

    The family is, in this order, the one in `read_families`, the GitHub repository of
    the source URL (``github:owner/repository``), or the set's own id. The families of
    records with the same content, or made from the same table, are then joined, and
    keep the first of these names.

    Parameters
    ----------
    records : iterable of DatasetRecord
        Measured records of one suite.
    named : mapping, optional
        Family by data set id; `read_families` by default.

    Returns
    -------
    list of DatasetRecord
        In the same order. The family that a record already has is ignored.
    """
    known = read_families() if named is None else named
    records = list(records)
    leads: dict[_Rank, _Rank] = {}
    first: dict[str, _Rank] = {}
    for record in records:
        rank = _ranked(record, known)
        for content in filter(None, (record.content_sha256, table_of(record))):
            _join(leads, rank, first.setdefault(content, rank))
    return [
        dataclasses.replace(record, family=_end(leads, _ranked(record, known))[1])
        for record in records
    ]


def table_of(record: DatasetRecord) -> str:
    """Return the SHA-256 of the table that a data set was made from, if it is known.

    One table under two names is split twice, so that the contents differ.
    """
    try:
        values = json.loads(record.parameters or "{}")
    except (ValueError, RecursionError):
        return ""
    found = values.get("table_sha256") if isinstance(values, dict) else None
    return found if isinstance(found, str) else ""


def _join(leads: dict[_Rank, _Rank], one: _Rank, other: _Rank) -> None:
    """Make two families one, under the smaller rank."""
    one, other = _end(leads, one), _end(leads, other)
    if one != other:
        leads[max(one, other)] = min(one, other)


def _end(leads: Mapping[_Rank, _Rank], rank: _Rank) -> _Rank:
    """Follow the joins to the last family; each leads to a smaller rank."""
    while rank in leads:
        rank = leads[rank]
    return rank


def _ranked(record: DatasetRecord, named: Mapping[str, str]) -> _Rank:
    """Return a record's family with its precedence, before contents are compared."""
    if record.id in named:
        return 0, named[record.id]
    if match := _REPOSITORY.match(record.source_url):
        repository = match[2].removesuffix(".git")
        return 1, f"github:{match[1]}/{repository}".lower()
    return 2, record.id
