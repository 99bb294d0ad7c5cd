"""Descriptions of the suites, readable from both halves: names, sizes, sources."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from odbench.errors import ManifestError

PARTITIONS = ("public", "private")
TRANSPORTS = ("hub", "url", "generated")
_NO_SUBSETS: Mapping[str, tuple[str, ...]] = MappingProxyType({})
_NO_SIZES: Mapping[str, int] = MappingProxyType({})

# The reference row of a synthetic suite: it knows the distribution of the data.
ORACLE = "oracle"
ORACLE_WORDS = (
    "`oracle` is no detector: it knows the law that the data were drawn from, and "
    "shows what is possible at all. Gaps and tests against the best are against it."
)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite's description.

    Attributes
    ----------
    name, title, summary, citation, licence, homepage : str
        For people.
    transport : str
        One of `TRANSPORTS`: a data set repository of a hub, files under a base URL, or
        made here.
    repository : str
        ``owner/name`` on the hub; for "url" the folder that a mirror has for it.
    revision : str
        The commit that is used: 40 hex digits, or "main", which is resolved once a
        run.
    collection : str
        What a data set's source is called where its archive does not say.
    base_url : str
        Where the files of a "url" suite are.
    layout : str
        "split" for archives that hold train and test, "whole" for X and y.
    folders : mapping
        Partition -> folder within the repository.
    protocol : str
        What a leaderboard of the suite uses.
    sizes : mapping
        Partition -> number of data sets that the authors name.
    position : int
        Place among the suites of a page; 0 comes after the others, by name.
    subsets : mapping
        Name -> names of data sets; ``suite-subset`` on the command line.
    """

    name: str
    title: str
    transport: str
    summary: str = ""
    citation: str = ""
    licence: str = ""
    homepage: str = ""
    repository: str = ""
    revision: str = "main"
    collection: str = ""
    base_url: str = ""
    layout: str = "split"
    folders: Mapping[str, str] = field(
        default_factory=lambda: {"public": "public", "private": "private"}
    )
    protocol: str = "one-class"
    sizes: Mapping[str, int] = field(default_factory=lambda: _NO_SIZES)
    position: int = 0
    subsets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_SUBSETS)

    @property
    def short_title(self) -> str:
        """The name for people, such as ``OddBench``: the title up to its colon."""
        return self.title.partition(":")[0]

    @property
    def published_size(self) -> int:
        """Number of data sets that the authors name, over all partitions."""
        return sum(self.sizes.values())

    @property
    def takes_submissions(self) -> bool:
        """Whether there are data sets whose labels are not public.

        They are on the hub, or drawn from a secret seed where the suite is generated.
        """
        return "private" in self.sizes or self.transport == "generated"


def manifest_folder() -> Traversable:
    """Return the folder of the installed manifests."""
    return resources.files("odbench_manifest")


def read_suites(folder: Traversable | None = None) -> dict[str, Suite]:
    """Read every suite's description.

    Parameters
    ----------
    folder : Traversable, optional
        Where the TOML files are; the installed ones by default.

    Returns
    -------
    dict of str to Suite
        By name, in alphabetical order.

    Raises
    ------
    ManifestError
        If a description is not TOML, lacks a field, or has one that is not known.
    """
    place = manifest_folder() if folder is None else folder
    suites = {}
    for file in sorted(place.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml") and file.name != "families.toml":
            suite = _suite(file)
            suites[suite.name] = suite
    return suites


def _suite(file: Traversable) -> Suite:
    """Read one description."""
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        values["subsets"] = {
            name: tuple(members) for name, members in values.get("subsets", {}).items()
        }
        suite = Suite(**values)
    except (tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        msg = f"suite description {file.name}: {error}; see docs/data.md"
        raise ManifestError(msg) from error
    if suite.transport not in TRANSPORTS:
        msg = (
            f"suite description {file.name}: transport is {suite.transport!r}; "
            f"wanted one of {', '.join(TRANSPORTS)}"
        )
        raise ManifestError(msg)
    return suite


@functools.cache
def load_suites() -> Mapping[str, Suite]:
    """Return every suite's description by name."""
    return MappingProxyType(read_suites())


def in_page_order(names: Iterable[str]) -> list[str]:
    """Sort names of suites as pages show them: by position, the others by name."""
    known = load_suites()

    def place(name: str) -> tuple[bool, int, str]:
        position = known[name].position if name in known else 0
        return position == 0, position, name

    return sorted(names, key=place)


def coverage(suite: str, partition: str, n_datasets: int) -> str:
    """Say how much of a suite a table covers.

    Parameters
    ----------
    suite, partition : str
        As in the results.
    n_datasets : int
        Data sets of the table.

    Returns
    -------
    str
        ``"260 of 690 data sets"``, or without the size where it is not known, or where
        there are more: a suite may have held other sets when they were measured.

    Examples
    --------
    >>> coverage("oddbench", "public", 260)
    '260 of 690 data sets'
    >>> coverage("mine", "public", 1)
    '1 data set'
    >>> coverage("oddbench", "public", 729)
    '729 data sets'
    """
    described = load_suites().get(suite)
    size = None if described is None else described.sizes.get(partition)
    if size is None or n_datasets > size:
        return f"{n_datasets} data set{'' if n_datasets == 1 else 's'}"
    return f"{n_datasets} of {size} data sets"
