"""Results of "oracle": the best scores possible on synthetic data sets.

The oracle knows the distribution of the data. No detector runs and no label is read:
the generator measured its oracle when it drew the data set, and the manifest keeps the
numbers. It is asked for by name: ``--detectors knn,oracle``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from odbench.errors import UsageError
from odbench.scoring.metrics import adjusted_average_precision
from odbench.scoring.settings import ONE_CLASS, TRANSDUCTIVE, Protocol
from odbench.suites import ORACLE, ORACLE_CONFIG_ID
from odbench.sweep.rows import blank_row
from odbench.sweep.trials import Trial, key_of

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord

_FACTS: Mapping[str, Any] = MappingProxyType(
    {
        "detector": ORACLE,
        "config": "default",
        "config_id": ORACLE_CONFIG_ID,
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
        Data sets; those without an oracle are left out.
    protocol : Protocol
        The protocol of the run; the oracle supports only one-class.

    Returns
    -------
    list of dict
        Rows of the results; seconds are 0.

    Raises
    ------
    UsageError
        If no data set has an oracle, or the protocol is not one-class.
    """
    if protocol.name not in {ONE_CLASS, TRANSDUCTIVE}:
        msg = "detector 'oracle': supports only the protocol one-class; leave it out"
        raise UsageError(msg)
    rows = [
        _row(record, facts, protocol)
        for record in records
        if "oracle_auroc" in (facts := json.loads(record.parameters or "{}"))
    ]
    if not rows:
        msg = "detector 'oracle': only synthetic data sets have one; leave it out"
        raise UsageError(msg)
    return rows


def _row(
    record: DatasetRecord, parameters: Mapping[str, Any], protocol: Protocol
) -> dict[str, Any]:
    version = f"generator {parameters.get('generator_version', 1)}"
    facts = {**_FACTS, "detector_version": version}
    key = key_of(record, facts, 0, protocol)
    trial = Trial(ORACLE, 0, 0, key, facts)
    row = blank_row(record, protocol, trial)
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
