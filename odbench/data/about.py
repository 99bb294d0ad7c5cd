"""Answers about a suite: how it was collected, whom it concerns, its limits."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from odbench.errors import ManifestError
from odbench.suites import Suite, manifest_folder

FOLDER = "about"
# In the folder of a suite of one's own.
FILE = "about.toml"
_NO_SOURCES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question of the datasheet.

    Attributes
    ----------
    key : str
        The answer's key in the file.
    text : str
        The question, a heading of the datasheet.
    rai : str
        Property of Croissant's vocabulary for responsible AI, without its prefix.
    """

    key: str
    text: str
    rai: str


QUESTIONS = (
    Question(
        key="collection",
        text="How were the tables collected?",
        rai="dataCollection",
    ),
    Question(
        key="collection_type",
        text="What kind of collection is that?",
        rai="dataCollectionType",
    ),
    Question(
        key="raw_data",
        text="Where do the raw data come from?",
        rai="dataCollectionRawData",
    ),
    Question(
        key="missing",
        text="What is missing?",
        rai="dataCollectionMissingData",
    ),
    Question(
        key="imputation",
        text="Were missing values filled in?",
        rai="dataImputationProtocol",
    ),
    Question(
        key="preprocessing",
        text="How were the tables prepared?",
        rai="dataPreprocessingProtocol",
    ),
    Question(
        key="manipulation",
        text="What does odbench change?",
        rai="dataManipulationProtocol",
    ),
    Question(
        key="annotation",
        text="Where do the labels come from?",
        rai="dataAnnotationProtocol",
    ),
    Question(
        key="annotation_tools",
        text="Which software took part in labelling?",
        rai="machineAnnotationTools",
    ),
    Question(
        key="annotation_analysis",
        text="How good are the labels?",
        rai="dataAnnotationAnalysis",
    ),
    Question(
        key="personal",
        text="Do the tables hold personal or sensitive data?",
        rai="personalSensitiveInformation",
    ),
    Question(
        key="biases",
        text="What is over- or underrepresented?",
        rai="dataBiases",
    ),
    Question(
        key="uses",
        text="What are the tables good for?",
        rai="dataUseCases",
    ),
    Question(
        key="limits",
        text="What do they not support?",
        rai="dataLimitations",
    ),
    Question(
        key="impact",
        text="What could go wrong for people?",
        rai="dataSocialImpact",
    ),
    Question(
        key="maintenance",
        text="Who maintains them, and how do they change?",
        rai="dataReleaseMaintenancePlan",
    ),
)
_KEYS = tuple(question.key for question in QUESTIONS)


@dataclass(frozen=True, kw_only=True)
class About:
    """Facts about a suite beyond its numbers.

    Attributes
    ----------
    version : str
        ``MAJOR.MINOR.PATCH`` of the manifest: major where data sets changed, minor
        where some were added, patch where only facts about them changed.
    published : str
        Day of the first publication, ``YYYY-MM-DD``.
    creators : tuple of str
        Names of people; a name that ends in "developers" is an organization.
    licence_known : str
        How the licence is known, and what it does not cover.
    sources : mapping of str to str
        What is known of the licence of the data sets from a source, by the manifest's
        name of the source.
    answers : mapping of str to str
        By key of `QUESTIONS`; those without an answer are missing.
    """

    version: str = ""
    published: str = ""
    creators: tuple[str, ...] = ()
    licence_known: str = ""
    sources: Mapping[str, str] = field(default_factory=lambda: _NO_SOURCES)
    answers: Mapping[str, str] = field(default_factory=lambda: _NO_SOURCES)

    def licence_of(self, source: str) -> str:
        """Return how the licence of a source's data sets is known."""
        return self.sources.get(source, self.licence_known)


def read_about(suite: Suite) -> About:
    """Read the answers about a suite.

    Parameters
    ----------
    suite : Suite
        Shipped, or of one's own: then the answers are ``about.toml`` in its folder.

    Returns
    -------
    About
        Empty if there is no file.

    Raises
    ------
    ManifestError
        If the file is not TOML, a key is unknown, or a value has another type.
    """
    file = _file(suite)
    if not file.is_file():
        return About()
    try:
        return _parse(tomllib.loads(file.read_text(encoding="utf-8")))
    # A text that is not UTF-8 or not TOML is a ValueError.
    except (ValueError, TypeError, RecursionError) as error:
        msg = f"answers {file}: {error}; docs/data/index.md lists the keys"
        raise ManifestError(msg) from error


def _file(suite: Suite) -> Traversable:
    if suite.root:
        return Path(suite.root) / FILE
    return manifest_folder() / FOLDER / f"{suite.name}.toml"


def _parse(values: dict[str, Any]) -> About:
    known = {each.name for each in fields(About)} - {"answers"}
    unknown = sorted(values.keys() - known - set(_KEYS))
    if unknown:
        msg = f"unknown key {unknown[0]!r}"
        raise TypeError(msg)
    for key, value in values.items():
        kind = {"creators": list, "sources": dict}.get(key, str)
        inner = value.values() if isinstance(value, dict) else value
        if not isinstance(value, kind) or not all(isinstance(v, str) for v in inner):
            msg = f"{key} is {value!r}; wanted {_WANTED.get(kind, 'a text')}"
            raise TypeError(msg)
    own = {key: values[key] for key in known & values.keys()}
    own["creators"] = tuple(own.get("creators", ()))
    answers = {key: " ".join(values[key].split()) for key in _KEYS if key in values}
    return About(**own, answers=MappingProxyType(answers))


_WANTED = {list: "a list of texts", dict: "a table of texts"}
