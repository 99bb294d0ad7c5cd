"""The oracle: how well the generating law separates anomalies from inliers."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from importlib import resources

import numpy as np

from odbench.arrays import FloatArray, LabelArray

# Decimals of AUROC and AP.
DECIMALS = 6


def evaluate(labels: LabelArray, scores: FloatArray) -> tuple[float, float]:
    """Return AUROC and average precision of scores, to six decimals.

    Both are ratios of integers that are summed exactly, so they are the same on every
    machine. Ties count half in the AUROC and are one threshold in the average
    precision.

    Parameters
    ----------
    labels : int8 array of shape (n,)
        1 = anomaly; both labels occur.
    scores : float64 array of shape (n,)
        Higher is more anomalous.

    Returns
    -------
    tuple of float
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(labels[order], dtype=np.int64)
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    found, seen = hits[ends], ends + 1
    new = np.diff(found, prepend=0)
    missed = np.diff(seen - found, prepend=0)
    n_anomalies, n_inliers = int(found[-1]), int(seen[-1] - found[-1])
    # Twice the number of (inlier, anomaly) pairs in the right order.
    pairs = int((missed * (2 * (found - new) + new)).sum())
    auroc = pairs / (2 * n_anomalies * n_inliers)
    precision = 0.0
    for gain, part in zip(new.tolist(), (found / seen).tolist(), strict=True):
        precision += gain * part
    return round(auroc, DECIMALS), round(precision / n_anomalies, DECIMALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleRow:
    """The oracle's result on one set, as stored in the manifest.

    Attributes
    ----------
    dataset : str
        Such as ``gmm-subspace-017``.
    content_sha256 : str
        Content hash of the set.
    auroc, ap : float
        To six decimals.
    """

    dataset: str
    content_sha256: str
    auroc: float
    ap: float


def rows() -> list[OracleRow]:
    """Read the oracle's results on the public suite.

    They are read from the committed manifest, without generating sets or reading
    labels, so a sweep can list the oracle beside its detectors.

    Returns
    -------
    list of OracleRow
        In the manifest's order.
    """
    manifest = resources.files("odbench_manifest") / "synbench.csv"
    out = []
    for row in csv.DictReader(manifest.read_text(encoding="utf-8").splitlines()):
        facts = json.loads(row["parameters"])
        out.append(
            OracleRow(
                dataset=row["name"],
                content_sha256=row["content_sha256"],
                auroc=facts["oracle_auroc"],
                ap=facts["oracle_ap"],
            )
        )
    return out
