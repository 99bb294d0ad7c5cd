"""Rows of the results, before and after a trial."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from odbench.arrays import FloatArray
from odbench.data.dataset import BEYOND_DUPLICATES
from odbench.scoring.settings import Protocol
from odbench.sweep.trials import Trial

if TYPE_CHECKING:
    from odbench.data.dataset import DatasetRecord
    from odbench.sweep.outcome import Outcome
    from odbench.sweep.shown import ShownRows


def blank_row(
    record: DatasetRecord, protocol: Protocol, trial: Trial
) -> dict[str, Any]:
    """Return the columns of a trial's result that are known before it runs.

    Parameters
    ----------
    record : DatasetRecord
        The data set.
    protocol : Protocol
        The protocol of the run.
    trial : Trial
        The trial.
    """
    return {
        "suite": record.suite,
        "partition": record.partition,
        "dataset": record.name,
        "content_sha256": record.content_sha256,
        **trial.facts,
        "seed": trial.seed,
        "protocol": protocol.label,
        "n_train": record.n_train,
        "n_test": record.n_test,
        "n_columns": record.n_columns,
        "n_anomalies": record.n_anomalies,
        "started_at": timestamp(datetime.now(UTC)),
        "worker": f"{socket.gethostname()}-{os.getpid()}",
        "domain": record.domain,
        "archetype": record.archetype,
        "family": record.family,
        "label_conflict": record.label_conflict,
        "duplicate_train": record.duplicate_train,
        "test_in_train": record.test_in_train,
        "anomalies_in_train": record.anomalies_in_train,
        **{name: getattr(record, name) for name in BEYOND_DUPLICATES},
        "source_url": record.source_url,
        "licence": record.licence,
        "key": trial.key,
    }


def result_row(
    blank: dict[str, Any],
    outcome: Outcome,
    shown: ShownRows,
    scores: FloatArray | None,
) -> dict[str, Any]:
    """Return a trial's result: its outcome, costs and metrics.

    Parameters
    ----------
    blank : dict
        From `blank_row`.
    outcome : Outcome
        How the trial ended.
    shown : ShownRows
        The rows that it used.
    scores : float64 array of shape (n_test,) or None
        Its scores in the order of the data set.
    """
    labels, distinct = shown.labels, shown.distinct
    row = {
        **blank,
        **({} if distinct is None else distinct.facts),
        "status": outcome.status,
        "reason": outcome.reason,
        "n_train": shown.n_train,
        "n_test": len(shown.rows),
        "contamination": shown.contamination,
        "batch_difference": outcome.batch_difference,
        "n_anomalies": None if labels is None else int(labels.sum()),
        "sandbox": " + ".join(outcome.layers),
        **outcome.costs,
    }
    if scores is not None and labels is not None:
        from odbench.scoring.metrics import evaluate

        weights = None if distinct is None else distinct.weights
        row.update(evaluate(labels, scores, weights, shown.severity))
    return row


def timestamp(moment: datetime) -> str:
    """Return a moment as the results write it, in milliseconds."""
    return moment.isoformat(timespec="milliseconds")
