"""Descriptions of the suites: names, sizes, sources."""

from __future__ import annotations

import functools
import tomllib
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from odbench.errors import ManifestError

PARTITIONS = ("public", "private")
TRANSPORTS = ("hub", "url", "generated", "folder")
_NO_SUBSETS: Mapping[str, tuple[str, ...]] = MappingProxyType({})
_NO_SIZES: Mapping[str, int] = MappingProxyType({})

# The reference row of a synthetic suite, computed from the distribution of the data.
ORACLE = "oracle"
# It has no parameters to hash.
ORACLE_CONFIG_ID = "0" * 12
ORACLE_WORDS = (
    "`oracle` is not a detector: it knows the distribution that the data were drawn "
    "from, and shows the best possible result. Gaps and tests against the best use it."
)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite's description.

    Attributes
    ----------
    name, title, summary, citation, licence, homepage : str
        Texts for people; `name` is also the one on the command line.
    transport : str
        One of `TRANSPORTS`: "hub" for a data set repository on the hub, "url" for files
        under a base URL, "generated" for data sets that are made on this machine,
        "folder" for files in a folder of the user's.
    repository : str
        ``owner/name`` on the hub; for "url" the suite's folder in a mirror.
    revision : str
        The commit to use: 40 hex digits, or "main", which is resolved once per run.
    collection : str
        The source of a data set whose archive names none.
    base_url : str
        The URL of the files of a "url" suite.
    layout : str
        "split" for archives with train and test, "whole" for X and y, "either" where
        each archive tells.
    folders : mapping
        Folder within the repository, by partition.
    protocol : str
        The protocol of the suite's leaderboard.
    sizes : mapping
        Published number of data sets, by partition.
    position : int
        Position among the suites on a page; those with 0 come last, by name.
    subsets : mapping
        Names of data sets, by subset; ``suite-subset`` on the command line.
    root : str
        The folder of a "folder" suite, absolute.
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
    root: str = ""

    @property
    def short_title(self) -> str:
        """The title up to its colon, such as ``OddBench``."""
        return self.title.partition(":")[0]

    @property
    def published_size(self) -> int:
        """Published number of data sets, over all partitions."""
        return sum(self.sizes.values())


def manifest_folder() -> Traversable:
    """Return the folder of the installed manifests."""
    return resources.files("odbench_manifest")


def read_suites(folder: Traversable | None = None) -> dict[str, Suite]:
    """Read every suite's description.

    Parameters
    ----------
    folder : Traversable, optional
        The folder of the TOML files; the installed one by default.

    Returns
    -------
    dict of str to Suite
        By name, in alphabetical order.

    Raises
    ------
    ManifestError
        If a description is not TOML, or a field is missing or unknown.
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
        _check_fields(suite)
    # A text that is not UTF-8 or not TOML is a ValueError.
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        msg = f"suite description {file.name}: {error}; see docs/data.md"
        raise ManifestError(msg) from error
    if suite.transport not in TRANSPORTS:
        msg = (
            f"suite description {file.name}: transport is {suite.transport!r}; "
            f"wanted one of {', '.join(TRANSPORTS)}"
        )
        raise ManifestError(msg)
    return suite


def _check_fields(suite: Suite) -> None:
    """Refuse values of another type than the field's."""
    for each in fields(suite):
        value = getattr(suite, each.name)
        kind = {"str": str, "int": int}.get(str(each.type), Mapping)
        if not isinstance(value, kind):
            msg = f"{each.name} is {value!r}; wanted {kind.__name__.lower()}"
            raise TypeError(msg)
    for name, kind in (("folders", str), ("sizes", int)):
        for key, value in getattr(suite, name).items():
            if not isinstance(value, kind):
                msg = f"{name}.{key} is {value!r}; wanted {kind.__name__}"
                raise TypeError(msg)


# Suites from folders and plugins that this process has opened, by name.
_opened: dict[str, Suite] = {}


@functools.cache
def load_suites() -> Mapping[str, Suite]:
    """Return the description of every shipped and every opened suite by name."""
    return MappingProxyType(ChainMap(_opened, read_suites()))


def register(suite: Suite) -> None:
    """Make a suite that is not shipped known by its name to the whole process."""
    _opened[suite.name] = suite


def shipped_names() -> list[str]:
    """Return the names of the suites that come with odbench."""
    return [name for name in load_suites() if name not in _opened]


def in_page_order(names: Iterable[str]) -> list[str]:
    """Sort suites as pages show them: by position, and those without one by name."""
    known = load_suites()

    def place(name: str) -> tuple[bool, int, str]:
        position = known[name].position if name in known else 0
        return position == 0, position, name

    return sorted(names, key=place)


def coverage(suite: str, partition: str, n_datasets: int) -> str:
    """Describe how much of a suite a table covers.

    Parameters
    ----------
    suite, partition : str
        As in the results.
    n_datasets : int
        Number of data sets in the table.

    Returns
    -------
    str
        ``"260 of 690 data sets"``. The size is left out if it is unknown, or smaller
        than `n_datasets`: the suite may have had other sets when they were measured.

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
