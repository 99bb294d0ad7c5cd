"""The row "oracle": what a synthetic set's own law achieves, as results.

No detector runs and no label is read: the generator measured its oracle when it drew
the set, and the manifest keeps the numbers. Ask by name: ``--detectors knn,oracle``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from odbench.errors import UsageError
from odbench.scoring.metrics import adjusted_average_precision
from odbench.sweep.trials import Protocol, Task, Trial, key_of
from odbench.sweep.worker import blank_row

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord

NAME = "oracle"
_FACTS: Mapping[str, Any] = MappingProxyType(
    {
        "detector": NAME,
        "config": "default",
        "config_id": "0" * 12,
        "detector_reference": "",
        "deterministic": True,
        "inductive": True,
    }
)


def oracle_rows(
    records: Iterable[DatasetRecord], protocol: Protocol
) -> list[dict[str, Any]]:
    """Return the oracle's results on synthetic data sets.

    Parameters
    ----------
    records : iterable of DatasetRecord
        Those without an oracle are left out.
    protocol : Protocol
        The run's; the oracle knows the one-class protocol only.

    Returns
    -------
    list of dict
        Rows of the results; seconds are 0.

    Raises
    ------
    UsageError
        If no data set has an oracle, or the protocol is another.
    """
    if protocol.contamination:
        msg = "detector 'oracle': knows the one-class protocol only; leave it out"
        raise UsageError(msg)
    rows = [
        _row(record, facts, protocol)
        for record in records
        if "oracle_auroc" in (facts := json.loads(record.parameters or "{}"))
    ]
    if not rows:
        msg = "detector 'oracle': only synthetic data sets know their law; leave it out"
        raise UsageError(msg)
    return rows


def _row(
    record: DatasetRecord, parameters: Mapping[str, Any], protocol: Protocol
) -> dict[str, Any]:
    version = f"generator {parameters.get('generator_version', 1)}"
    facts = {**_FACTS, "detector_version": version}
    key = key_of(record, facts, 0, protocol)
    trial = Trial(NAME, 0, 0, key, facts)
    row = blank_row(Task(record, protocol, (trial,), 0.0), trial)
    auroc, ap = parameters["oracle_auroc"], parameters["oracle_ap"]
    n_anomalies = record.n_anomalies or 0
    rate = n_anomalies / record.n_test
    return {
        **row,
        "status": "ok",
        "reason": "",
        "auroc": auroc,
        "ap": ap,
        "ap_adjusted": adjusted_average_precision(ap, rate),
        "fit_seconds": 0.0,
        "score_seconds": 0.0,
    }
