"""BibTeX entries of suites and of odbench."""

from __future__ import annotations

import re
from collections.abc import Iterable

from odbench import __version__
from odbench.suites import load_suites

# Authors, a colon, the title and a full stop, then venue, year and perhaps arXiv's id.
_PAPER = re.compile(
    r"(?P<authors>[^:.]+): (?P<title>[^.]+)\. "
    r"(?P<venue>[A-Za-z ]+) (?P<year>\d{4})(?:, arXiv:(?P<arxiv>\d+\.\d+))?\.?"
)
_LATEX = {"{": "", "}": "", "\\": "", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_",
          "$": r"\$"}  # fmt: skip
OWN_KEY = "odbench"


def references(suites: Iterable[str]) -> tuple[dict[str, str], str]:
    """Return the references of suites, from their descriptions.

    Parameters
    ----------
    suites : iterable of str
        Names; those that odbench does not know have no entry.

    Returns
    -------
    keys : dict of str to str
        Key of each suite's entry; suites of one paper share it.
    text : str
        BibTeX with one entry per paper and one for odbench; ends with a newline.
    """
    keys: dict[str, str] = {}
    entries: dict[str, str] = {}
    for name in sorted(set(suites)):
        suite = load_suites().get(name)
        if suite is None:
            continue
        key, entry = _entry(name, suite.title, suite.citation, suite.homepage)
        keys[name] = key
        entries[key] = entry
    entries[OWN_KEY] = _fields(
        "misc",
        OWN_KEY,
        author="{The odbench developers}",
        title="{odbench}: a benchmark suite for outlier detection on tables",
        note=f"Version {__version__}",
    )
    return keys, "\n".join(entries.values())


def _entry(name: str, title: str, citation: str, url: str) -> tuple[str, str]:
    """Return the entry of a paper, or of the suite itself where none is named."""
    found = _PAPER.fullmatch(" ".join(citation.split()))
    if found is None:
        told = _safe(" ".join(citation.split()))
        return name, _fields(
            "misc", name, title=f"{{{_safe(title)}}}", note=told, howpublished=url
        )
    authors = [part.strip() for part in found["authors"].split(",")]
    first = re.findall(r"\w+", found["title"])[0]
    key = re.sub(r"\W", "", f"{authors[0]}{found['year']}{first}", flags=re.A).lower()
    eprint = {"eprint": found["arxiv"], "archiveprefix": "arXiv"}
    return key, _fields(
        "inproceedings",
        key,
        author=_safe(" and ".join(authors)),
        title=f"{{{_safe(found['title'])}}}",
        booktitle=_safe(found["venue"]),
        year=found["year"],
        **(eprint if found["arxiv"] else {}),
    )


def _fields(kind: str, key: str, **values: str) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in values.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def _safe(text: str) -> str:
    """Escape the characters that LaTeX would obey."""
    return "".join(_LATEX.get(char, char) for char in text)
