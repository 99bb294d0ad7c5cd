"""Croissant 1.1: a suite as JSON-LD that search engines and loaders of data sets read.

The vocabulary is that of http://mlcommons.org/croissant/1.1; the answers of a datasheet
are properties of http://mlcommons.org/croissant/RAI/1.0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from odbench.data.about import QUESTIONS, About, read_about
from odbench.data.croissant_fields import CONTEXT, FIELDS
from odbench.data.dataset import DatasetRecord
from odbench.data.manifest import parse_manifest
from odbench.data.own import MANIFEST
from odbench.errors import ManifestError, UsageError
from odbench.suites import Suite, manifest_folder

VERSIONS = (
    "http://mlcommons.org/croissant/1.1",
    "http://mlcommons.org/croissant/RAI/1.0",
)
TABLES = "datasets"
KEYWORDS = ("outlier detection", "anomaly detection", "tabular data", "benchmark")
_HUB = "https://huggingface.co/datasets/"
_ARCHIVE = (
    "NumPy archives (npz) with the members train and test (rows by columns), "
    "train_labels and test_labels (1 = anomaly)."
)


def describe_suite(suite: Suite) -> dict[str, Any]:
    """Describe a shipped suite, or one of one's own, in Croissant 1.1.

    Parameters
    ----------
    suite : Suite
        The suite. It needs a manifest.

    Returns
    -------
    dict
        JSON-LD, see `croissant`.

    Raises
    ------
    UsageError
        If a suite of one's own has no manifest yet.
    ManifestError
        If its manifest or its answers are broken.
    """
    file = _manifest_of(suite)
    if not file.is_file():
        msg = (
            f"suite {suite.name}: {file} is missing; write it with `odbench datasets "
            f"audit --suite {suite.root or suite.name} --write`"
        )
        raise UsageError(msg)
    content = file.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"manifest {file}: is not UTF-8 (byte {error.start}); restore it"
        raise ManifestError(msg) from error
    records = parse_manifest(text, where=file.name)
    return croissant(suite, records, read_about(suite), (file.name, content))


def _manifest_of(suite: Suite) -> Traversable:
    if suite.root:
        return Path(suite.root) / MANIFEST
    return manifest_folder() / f"{suite.name}.csv"


def croissant(
    suite: Suite,
    records: Sequence[DatasetRecord],
    about: About,
    manifest: tuple[str, bytes],
) -> dict[str, Any]:
    """Describe a suite in Croissant 1.1.

    Parameters
    ----------
    suite : Suite
        The suite.
    records : sequence of DatasetRecord
        The rows of its manifest.
    about : About
        The answers of its datasheet; those without an answer are left out.
    manifest : (str, bytes)
        Name and content of the manifest, which becomes a record set with one record per
        data set. The file has to lie in the same folder as the description.

    Returns
    -------
    dict
        JSON-LD. Hub suites are live, because their revision is resolved when they are
        pulled; the hashes of their files are in the records.
    """
    told = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(VERSIONS),
        "name": suite.name,
        "alternateName": suite.title,
        "description": _description(suite),
        "url": suite.homepage or _own_description(suite),
        "license": licence_url(suite.licence),
        "usageInfo": _usage(about),
        "creator": [_creator(name) for name in about.creators],
        "datePublished": about.published,
        "version": about.version,
        "citeAs": " ".join(suite.citation.split()),
        "keywords": list(KEYWORDS),
        "isLiveDataset": suite.transport == "hub",
        **_answers(about),
        "distribution": [
            _manifest_file(*manifest),
            *_files(suite, records),
        ],
        "recordSet": [_record_set(manifest[0])],
    }
    return {key: value for key, value in told.items() if value not in ("", [], {})}


def as_text(description: dict[str, Any]) -> str:
    """Return a description as the text of its file."""
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


def licence_url(licence: str) -> str:
    """Return the page of an SPDX identifier, as Croissant recommends.

    Examples
    --------
    >>> licence_url("CC-BY-4.0")
    'https://spdx.org/licenses/CC-BY-4.0'
    >>> licence_url("")
    ''
    """
    return f"https://spdx.org/licenses/{licence}" if licence else ""


def _description(suite: Suite) -> str:
    return " ".join(f"{suite.title}. {suite.summary}".split())


def _own_description(suite: Suite) -> str:
    """Return the description beside this file, for a suite without a page."""
    return "suite.toml" if suite.transport == "folder" else f"{suite.name}.toml"


def _creator(name: str) -> dict[str, str]:
    kind = "Organization" if name.endswith("developers") else "Person"
    return {"@type": f"sc:{kind}", "name": name}


def _usage(about: About) -> dict[str, str]:
    if not about.licence_known:
        return {}
    return {
        "@type": "sc:CreativeWork",
        "name": "How the licence is known",
        "text": " ".join(about.licence_known.split()),
    }


def _answers(about: About) -> dict[str, str]:
    return {
        f"rai:{question.rai}": about.answers[question.key]
        for question in QUESTIONS
        if question.key in about.answers
    }


def _manifest_file(name: str, content: bytes) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": "One row per data set: sizes, hashes, audit.",
        "contentUrl": name,
        "contentSize": f"{len(content)} B",
        "encodingFormat": "text/csv",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _files(suite: Suite, records: Sequence[DatasetRecord]) -> list[dict[str, Any]]:
    """Return the entries of the data files; a generated suite has none."""
    if suite.transport == "generated":
        return []
    if suite.transport == "hub":
        partitions = {record.partition for record in records}
        return [_repository(suite), *_file_sets(suite, partitions)]
    return [_file(suite, record) for record in records]


def _repository(suite: Suite) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": "repository",
        "name": "repository",
        "description": f"The hub's repository {suite.repository}.",
        "contentUrl": f"{_HUB}{suite.repository}",
        "encodingFormat": "git+https",
    }


def _file_sets(suite: Suite, partitions: set[str]) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"{partition}-files",
            "name": f"{partition}-files",
            "description": _ARCHIVE,
            "containedIn": {"@id": "repository"},
            "encodingFormat": "application/zip",
            "includes": f"{folder}/*.npz",
        }
        for partition, folder in suite.folders.items()
        if partition in partitions
    ]


def _file(suite: Suite, record: DatasetRecord) -> dict[str, Any]:
    base = suite.base_url.format(revision=suite.revision)
    return {
        "@type": "cr:FileObject",
        "@id": record.path,
        "name": record.path.rpartition("/")[2],
        "contentUrl": f"{base}{record.path}",
        "contentSize": f"{record.file_bytes or 0} B",
        "encodingFormat": "application/zip",
        "sha256": record.file_sha256,
    }


def _record_set(manifest_name: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": TABLES,
        "name": TABLES,
        "description": "The data sets of the suite.",
        "key": [{"@id": f"{TABLES}/partition"}, {"@id": f"{TABLES}/name"}],
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{TABLES}/{column}",
                "name": column,
                "description": meaning,
                "dataType": kind,
                "source": {
                    "fileObject": {"@id": manifest_name},
                    "extract": {"column": column},
                },
            }
            for column, (kind, meaning) in FIELDS.items()
        ],
    }
