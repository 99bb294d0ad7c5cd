"""The trials that a run was asked for, for its table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from odbench.suites import ORACLE, ORACLE_CONFIG_ID

if TYPE_CHECKING:
    from odbench.leaderboard.run_table import Asked
    from odbench.sweep.failures import Failures
    from odbench.sweep.prepare import Prepared
    from odbench.sweep.request import RunRequest


def asked_of(request: RunRequest, prepared: Prepared) -> Asked:
    """Return the data sets, configurations, seeds and setting that a run was asked for.

    Parameters
    ----------
    request : RunRequest
        The request.
    prepared : Prepared
        From `odbench.sweep.prepare.prepare`.

    Returns
    -------
    Asked
    """
    from odbench.leaderboard.run_table import Asked

    facts = prepared.plan.variants.facts
    configurations = {(one["detector"], one["config_id"]) for one in facts}
    if ORACLE in (request.detectors or ()):
        configurations.add((ORACLE, ORACLE_CONFIG_ID))
    return Asked(
        datasets=frozenset((r.suite, r.partition, r.name) for r in prepared.records),
        configurations=frozenset(configurations),
        protocol=request.setting.label,
        seeds=max((seed for _, seed in prepared.plan.variants.pairs), default=0) + 1,
    )


def failures_of(folder: Path, asked: Asked, prepared: Prepared) -> Failures:
    """Return the failures of the data sets and configurations that were asked for."""
    from odbench.sweep.failures import read_failures

    found = read_failures(folder, datasets=asked.datasets, protocol=asked.protocol)
    facts = prepared.plan.variants.facts
    known = {(one["detector"], one["config"]) for one in facts}
    found.causes = {name: c for name, c in found.causes.items() if name in known}
    return found
