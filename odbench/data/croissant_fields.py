"""Croissant's terms, and the type and meaning of each column of a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT, _INTEGER, _SHARE = "sc:Text", "sc:Integer", "sc:Float"

# The context of the specification, with the terms that a reader may look for.
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{
        term: f"cr:{term}"
        for term in (
            "annotation", "arrayShape", "citeAs", "column", "containedIn",
            "equivalentProperty", "excludes", "extract", "field", "fileObject",
            "fileProperty", "fileSet", "format", "includes", "isArray",
            "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path",
            "readLines", "recordSet", "references", "regex", "repeated", "replace",
            "samplingRate", "sdVersion", "separator", "source", "subField",
            "transform", "unArchive", "value",
        )
    },
}  # fmt: skip

FIELDS: Mapping[str, tuple[str, str]] = {
    "name": (_TEXT, "Name; suite/name is the id."),
    "suite": (_TEXT, "The suite."),
    "partition": (_TEXT, "public or private; private ones have no public labels."),
    "path": (_TEXT, "The file within the repository; empty if it is generated."),
    "n_train": (_INTEGER, "Training rows, all of them inliers."),
    "n_test": (_INTEGER, "Test rows."),
    "n_columns": (_INTEGER, "Columns."),
    "n_anomalies": (_INTEGER, "Test rows with label 1; empty if labels are private."),
    "domain": (_TEXT, "Subject of the table, as published."),
    "archetype": (_TEXT, "Kind of anomaly in a synthetic table."),
    "tags": (_TEXT, "Tags as published, separated by spaces."),
    "source": (_TEXT, "The collection that the table came from."),
    "source_url": (_TEXT, "Page of the original file."),
    "licence": (_TEXT, "SPDX identifier, as stated for the collection."),
    "family": (_TEXT, "Data sets of one family share a source."),
    "content_sha256": (_TEXT, "Hash of the arrays, whatever the compression."),
    "duplicate_train": (_SHARE, "1 - distinct training rows / training rows."),
    "test_in_train": (_SHARE, "Share of test rows that are also in train."),
    "anomalies_in_train": (_SHARE, "Share of test anomalies that are also in train."),
    "label_conflict": (_INTEGER, "1 if an anomaly's vector is also among the inliers."),
    "n_distinct_test": (_INTEGER, "Distinct pairs of a vector and its label in test."),
    "n_distinct_anomalies": (_INTEGER, "Those with label 1."),
    "ceiling_auroc": (_SHARE, "The best AUROC that a score of the vectors can reach."),
    "ceiling_ap": (_SHARE, "The best AP that a score of the vectors can reach."),
    "trivial_share": (_SHARE, "Share of the anomalies that one simple rule finds."),
    "large_integers": (_INTEGER, "Columns of whole numbers that float64 rounds."),
    "file_bytes": (_INTEGER, "Size of the published file in bytes."),
    "file_sha256": (_TEXT, "SHA-256 of the published file."),
    "parameters": (_TEXT, "JSON of facts that only one suite has."),
}
