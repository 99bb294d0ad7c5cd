"""A submitter's statement about a method: the file ``submission.json``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from odbench.errors import SubmissionError
from odbench.text import is_plain

FORMAT = "odbench-submission-1"
MAX_SEEDS = 10

KINDS = ("classical", "deep", "foundation", "ensemble", "automl", "other")
# Ways to find a configuration. The table shows them, because they affect comparisons.
CONFIGURATIONS = {
    "reference": "the authors' or the library's own defaults, for every data set",
    "fixed": "one configuration for every data set, chosen without the suite's labels",
    "public-tuned": "one configuration, chosen with labels of the public partition",
    "per-dataset": "chosen for each data set, without its labels",
}

_URL = re.compile(r"https?://[^\s\"'<>\\]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# A leading character that makes a spreadsheet treat the cell as a formula.
_FORMULA = ("=", "+", "-", "@", "|", "%")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A submitter's description of a method and of its scores.

    Attributes
    ----------
    suite, partition, protocol, sets_sha256 : str
        The list of data sets that was scored, and its hash.
    method, version : str
        Name of the row, and version of the code.
    authors : tuple of str
        At least one name.
    contact : str
        Address for questions.
    code_url : str
        Address of the code; empty for unpublished code.
    kind : str
        One of `KINDS`.
    configuration : str
        One of `CONFIGURATIONS`.
    parameters : str
        The configuration itself, as a reader would type it.
    seeds : tuple of int
        The seeds under which every data set was scored.
    hardware : str
        The machine.
    fit_seconds, score_seconds : float
        Medians over the trials, in seconds; stated by the submitter, not checked.
    training_data : str
        Data that the method was pretrained or tuned on, or "none".
    sets : mapping
        By data set: ``content_sha256`` and, by seed, the SHA-256 of the scores.
    odbench : str
        Version of odbench that packed the archive.
    """

    suite: str
    partition: str
    protocol: str
    sets_sha256: str
    method: str
    version: str
    authors: tuple[str, ...]
    contact: str
    code_url: str
    kind: str
    configuration: str
    parameters: str
    seeds: tuple[int, ...]
    hardware: str
    fit_seconds: float
    score_seconds: float
    training_data: str
    sets: Mapping[str, Mapping[str, Any]]
    odbench: str

    def __post_init__(self) -> None:
        for name, longest in _LENGTHS.items():
            check_text(name, getattr(self, name), longest)
        for author in _tuple_of("authors", self.authors, str, 50):
            check_text("authors", author, 100)
        if not any(map(str.isalnum, self.method)) or not self.authors:
            msg = "submission: wanted the method's name and at least one author"
            raise SubmissionError(msg)
        if self.code_url and not _URL.fullmatch(self.code_url):
            msg = f"submission: code_url {self.code_url[:80]!r}; wanted http(s)://..."
            raise SubmissionError(msg)
        _check_choice("kind", self.kind, KINDS)
        _check_choice("configuration", self.configuration, tuple(CONFIGURATIONS))
        seeds = _tuple_of("seeds", self.seeds, int, MAX_SEEDS)
        if not seeds or len(set(seeds)) != len(seeds) or not all(map(_is_seed, seeds)):
            msg = f"submission: wanted 1 to {MAX_SEEDS} different seeds from 0 to 2^31"
            raise SubmissionError(msg)
        for name in ("fit_seconds", "score_seconds"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value < 1e9:
                msg = f"submission: {name} must be a number of seconds, 0 or more"
                raise SubmissionError(msg)
        _check_sets(self.sets)

    def as_json(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {"format": FORMAT, **asdict(self)}


# Maximum length of each text, in characters.
_LENGTHS = {
    "suite": 40,
    "partition": 40,
    "protocol": 40,
    "sets_sha256": 64,
    "method": 80,
    "version": 80,
    "contact": 200,
    "code_url": 300,
    "kind": 40,
    "configuration": 40,
    "parameters": 1000,
    "hardware": 300,
    "training_data": 2000,
    "odbench": 80,
}


def parse_statement(content: Mapping[str, Any]) -> Statement:
    """Read a statement from the object in ``submission.json``.

    Parameters
    ----------
    content : mapping
        The parsed object; nothing in it is trusted.

    Returns
    -------
    Statement

    Raises
    ------
    SubmissionError
        If a field is missing, unknown or invalid.
    """
    if content.get("format") != FORMAT:
        msg = f"submission.json: wanted the format {FORMAT!r}; pack it again"
        raise SubmissionError(msg)
    known = {field.name for field in fields(Statement)}
    given = set(content) - {"format"}
    wrong = sorted(known - given) or sorted(given - known)
    if wrong:
        problem = "missing" if known - given else "unknown"
        msg = f"submission.json: {problem} field {', '.join(wrong)[:200]!r}"
        raise SubmissionError(msg)
    values = {name: content[name] for name in known}
    for name in ("authors", "seeds"):
        if isinstance(values[name], list):
            values[name] = tuple(values[name])
    return Statement(**values)


def check_text(name: str, value: Any, longest: int) -> None:
    """Refuse a text that is too long, has several lines or could act as a formula.

    Parameters
    ----------
    name : str
        Name of the field, for the message.
    value : object
        The text; anything else is refused.
    longest : int
        Maximum length, in characters.

    Raises
    ------
    SubmissionError
        If the text is refused.
    """
    if (
        not isinstance(value, str)
        or len(value) > longest
        or not is_plain(value)
        # Normalising also catches full-width forms of these characters.
        or unicodedata.normalize("NFKC", value).lstrip().startswith(_FORMULA)
    ):
        msg = (
            f"submission: {name} {str(value)[:60]!r}; wanted a line of at most "
            f"{longest} visible characters that does not start with one of "
            f"{' '.join(_FORMULA)}"
        )
        raise SubmissionError(msg)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        msg = f"submission: {name} {value[:60]!r}; wanted one of {', '.join(choices)}"
        raise SubmissionError(msg)


def _tuple_of(name: str, value: Any, kind: type, most: int) -> tuple[Any, ...]:
    if (
        not isinstance(value, tuple)
        or len(value) > most
        or any(type(item) is not kind for item in value)
    ):
        msg = f"submission: {name} must be a list of at most {most} {kind.__name__}"
        raise SubmissionError(msg)
    return value


def _is_seed(seed: int) -> bool:
    return 0 <= seed < 2**31


def _check_sets(sets: Any) -> None:
    """Check the structure of the hashes; `Submission.faults` checks their values."""
    fine = isinstance(sets, Mapping) and all(
        isinstance(facts, Mapping)
        and set(facts) == {"content_sha256", "scores"}
        and isinstance(facts["content_sha256"], str)
        and isinstance(facts["scores"], Mapping)
        and all(
            isinstance(value, str) and _SHA256.fullmatch(value)
            for value in facts["scores"].values()
        )
        for facts in sets.values()
    )
    if not fine:
        msg = (
            "submission: sets must map each data set to its content_sha256 and to the "
            "SHA-256 of its scores by seed"
        )
        raise SubmissionError(msg)
