"""Limits on the detail and frequency of answers, so that they do not reveal labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from odbench.errors import SubmissionError, UsageError
from odbench.submissions.names import same_name

# Aggregates over fewer private data sets, or with more decimals, reveal too much about
# single data sets.
FEWEST_SETS = 20
MOST_DECIMALS = 3
TIERS = ("self-reported", "re-scored", "re-run")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Limits on the answers of an evaluator, so that they do not reveal labels.

    Attributes
    ----------
    step : float
        Rise in mean AUROC that a resubmission needs to replace its row.
    decimals : int
        Decimals of the released aggregates; 1 to 3.
    min_sets : int
        Minimum number of data sets scored under every seed; at least 20.
    wait_days : float
        Minimum number of days between two evaluations of one method.
    per_submitter : int
        Maximum number of evaluations per submitter within `window_days`, over all
        methods, so that new names do not circumvent the Ladder.
    window_days : float
        Length of that window, in days.
    """

    step: float = 0.005
    decimals: int = MOST_DECIMALS
    min_sets: int = FEWEST_SETS
    wait_days: float = 7.0
    per_submitter: int = 4
    window_days: float = 30.0

    def __post_init__(self) -> None:
        if not 1 <= self.decimals <= MOST_DECIMALS or self.min_sets < FEWEST_SETS:
            msg = (
                f"rules: {self.decimals} decimals over {self.min_sets} data sets; "
                f"wanted 1 to {MOST_DECIMALS} decimals over at least {FEWEST_SETS}"
            )
            raise UsageError(msg)
        if not 10.0**-self.decimals <= self.step < 1:
            msg = (
                f"rules: step {self.step}; wanted at least one unit of the last "
                f"decimal, and below 1"
            )
            raise UsageError(msg)

    def admit(
        self,
        entries: Sequence[Mapping[str, Any]],
        *,
        method: str,
        submitter: str,
        now: datetime,
    ) -> None:
        """Refuse an evaluation that is too early or reuses another submitter's method.

        Parameters
        ----------
        entries : sequence of mapping
            The audit log of this suite and partition.
        method, submitter : str
            Names of both, compared by `same_name`.
        now : datetime
            Time of the evaluation, with a time zone.

        Raises
        ------
        SubmissionError
            If the method belongs to another submitter, or a limit is reached; the
            message says when the next evaluation is possible.
        """
        own = [entry for entry in entries if same_name(entry["method"], method)]
        if own and not same_name(own[0]["submitter"], submitter):
            msg = f"method {method!r}: belongs to another submitter; use another name"
            raise SubmissionError(msg)
        times = [datetime.fromisoformat(entry["time"]) for entry in own]
        wait = timedelta(days=self.wait_days)
        if times and now < max(times) + wait:
            _refuse(f"method {method!r}", max(times) + wait)
        window = timedelta(days=self.window_days)
        recent = sorted(
            time
            for entry in entries
            if same_name(entry["submitter"], submitter)
            and now < (time := datetime.fromisoformat(entry["time"])) + window
        )
        if len(recent) >= self.per_submitter:
            _refuse(f"submitter {submitter!r}", recent[-self.per_submitter] + window)


RULES = Rules()


def _refuse(subject: str, when: datetime) -> None:
    moment = when.isoformat(timespec="minutes")
    msg = f"{subject}: too many evaluations; the next one is possible from {moment}"
    raise SubmissionError(msg)
