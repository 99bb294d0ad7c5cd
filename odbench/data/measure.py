"""Measure a data set's contents for its manifest row."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from odbench.data.audit import audit, audit_beyond_duplicates
from odbench.data.content import content_sha256
from odbench.data.dataset import BEYOND_DUPLICATES, DatasetRecord, RawDataset
from odbench.data.transports.source import Obtained
from odbench.text import printable

_DECIMALS = 4
# Tags that were derived from labels, and would reveal something about them.
_LABEL_TAGS = ("few_anomalies", "many_anomalies", "well_seperable", "low_isotropy")
_URL = re.compile(r"https?://[^\s'\"]{1,500}")
# More, from a strange archive, would not fit into a field of a CSV file.
_MOST_TAGS = 100
_MOST_CHARACTERS = 100
_REPO = re.compile(r"'github_repo': '([\w.-]+/[\w.-]+)'")
_REPO_PATH = re.compile(r"'github_repo_path': '([^'\n]{1,300})'")


def measure(record: DatasetRecord, obtained: Obtained) -> DatasetRecord:
    """Return a record with all its measured fields.

    Parameters
    ----------
    record : DatasetRecord
        Name, suite, partition, path, and the fields that a maintainer enters by hand
        (licence, family).
    obtained : Obtained
        The data set as its source delivered it.

    Returns
    -------
    DatasetRecord
        Sizes, content hash and audit fields from the arrays; domain, tags and source
        from the archive's facts if it has them. Shares are rounded to 4 decimals.
        Without labels, every field that depends on them is None.
    """
    raw = obtained.raw
    found = audit(raw.train, raw.test, raw.labels)
    inside = found.anomalies_in_train
    published = {k: v for k, v in _published(dict(raw.facts)).items() if v}
    if raw.labels is None and "tags" in published:
        tags = (tag for tag in published["tags"] if tag not in _LABEL_TAGS)
        published["tags"] = tuple(tags)
    return dataclasses.replace(
        record,
        n_train=len(raw.train),
        n_test=len(raw.test),
        n_columns=raw.train.shape[1],
        n_anomalies=None if raw.labels is None else int((raw.labels == 1).sum()),
        content_sha256=content_sha256(raw.train, raw.test, raw.labels, raw.severity),
        duplicate_train=round(found.duplicate_train, _DECIMALS),
        test_in_train=round(found.test_in_train, _DECIMALS),
        anomalies_in_train=None if inside is None else round(inside, _DECIMALS),
        label_conflict=found.label_conflict,
        file_bytes=obtained.file_bytes,
        file_sha256=obtained.file_sha256,
        **published,
        **_beyond_duplicates(raw),
    )


def complete(record: DatasetRecord, raw: RawDataset) -> DatasetRecord:
    """Return a manifest row with its empty audit fields measured.

    Parameters
    ----------
    record : DatasetRecord
        A measured row, perhaps of an earlier version that knew fewer fields.
    raw : RawDataset
        Its contents.

    Returns
    -------
    DatasetRecord
        The row itself if no field of `BEYOND_DUPLICATES` is empty that can be measured.
    """
    if not lacking(record, labelled=raw.labels is not None):
        return record
    return dataclasses.replace(record, **_beyond_duplicates(raw))


def lacking(record: DatasetRecord, *, labelled: bool) -> bool:
    """Check whether fields of `BEYOND_DUPLICATES` are empty that can be measured."""
    wanted = BEYOND_DUPLICATES if labelled else ("large_integers",)
    return any(getattr(record, name) is None for name in wanted)


def _beyond_duplicates(raw: RawDataset) -> dict[str, Any]:
    """Return the fields `BEYOND_DUPLICATES`, shares rounded as in a manifest."""
    found = audit_beyond_duplicates(raw.train, raw.test, raw.labels)
    return {name: round(value, _DECIMALS) for name, value in found.items()}


def _published(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest fields that an archive's facts give."""
    tags = facts.get("tags")
    tags = tags if isinstance(tags, list) else str(tags or "").split()
    source = facts.get("classification_bench")
    if source is None and "tablib_origin" in facts:
        source = "TabLib"
    return {
        "domain": _short(facts.get("origin")),
        # The manifest separates tags by spaces.
        "tags": tuple(
            _short(tag).replace(" ", "_") for tag in tags[:_MOST_TAGS] if _short(tag)
        ),
        "source": _short(source),
        "source_url": clean_url(str(facts.get("github_link") or "")),
    }


def _short(fact: Any) -> str:
    """Return a fact as one short line."""
    text = " ".join(str("" if fact is None else fact)[:_MOST_CHARACTERS].split())
    return printable(text)


def clean_url(text: str) -> str:
    """Return the source's URL from the link in an archive.

    A few published links are not a URL but a dump of the page's description. The URL
    is then made from the repository and path in it.

    >>> clean_url("https://github.com/a/b/blob/master/c.csv")
    'https://github.com/a/b/blob/master/c.csv'
    >>> clean_url("{'github_repo': 'a/b', 'github_repo_path': 'c.html'}")
    'https://github.com/a/b/blob/master/c.html'
    >>> clean_url("unknown")
    ''
    """
    if match := _REPO.search(text):
        path = _REPO_PATH.search(text)
        tail = f"/blob/master/{path[1]}" if path else ""
        return f"https://github.com/{match[1]}{tail}"
    found = _URL.match(text)
    return found[0] if found else ""
