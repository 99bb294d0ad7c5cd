"""Evaluation of submissions against hidden labels.

A submitter gets back one row of rounded aggregates. A resubmission that is not a real
improvement gets the previous row back, character for character. The audit log records
every evaluation and is the only state: the table is written from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from odbench.errors import RunLockedError, SubmissionError
from odbench.files import lock
from odbench.submissions.checking import Submission, file_sha256, open_submission
from odbench.submissions.dataset_list import DatasetList
from odbench.submissions.ladder import climbs
from odbench.submissions.names import same_name
from odbench.submissions.private_table import (
    check_table,
    released_rows,
    table_file,
    write_table,
)
from odbench.submissions.released import read_log
from odbench.submissions.rescoring import ExactMeans, Rescorer
from odbench.submissions.rules import RULES, TIERS, Rules
from odbench.submissions.statement import check_text

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """A submission to evaluate, with its verified submitter and the time.

    Attributes
    ----------
    path : Path
        The archive.
    submitter : str
        The submitter's identity, as verified by the maintainer.
    now : datetime
        Time of the evaluation, with a time zone.
    tier : str
        "re-scored", or "re-run" if the maintainer ran the code to make the scores;
        re-run numbers replace a row even if they are worse.
    """

    path: Path
    submitter: str
    now: datetime
    tier: str = "re-scored"

    def __post_init__(self) -> None:
        check_text("submitter", self.submitter, 80)
        if self.now.tzinfo is None:
            msg = f"evaluation: the time {self.now} has no zone; add one, such as UTC"
            raise SubmissionError(msg)
        if self.tier not in TIERS[1:]:
            msg = f"tier {self.tier!r}; wanted one of {', '.join(TIERS[1:])}"
            raise SubmissionError(msg)


@dataclass(frozen=True, kw_only=True)
class Evaluator:
    """Evaluates submissions for one list of data sets and keeps the log and the table.

    Attributes
    ----------
    rescorer : Rescorer
        The data sets and their labels.
    leaderboard : Path
        The folder that holds ``audit.jsonl`` and ``<suite>/private.csv``.
    rules : Rules
        Limits on the detail and the frequency of answers.
    """

    rescorer: Rescorer
    leaderboard: Path
    rules: Rules = RULES

    def evaluate(self, request: EvaluationRequest) -> Row:
        """Score a submission, log it, and return the method's row of the table.

        Repeating an archive returns the same row and does not count towards limits.

        Parameters
        ----------
        request : EvaluationRequest
            The archive, its submitter and the time.

        Returns
        -------
        dict
            The method's row of the table: `private_table.COLUMNS`.

        Raises
        ------
        SubmissionError
            If the submission has faults, scores too few data sets, or comes too
            early; if the log, the table or the labels are damaged.
        RunLockedError
            If another evaluation is running.
        """
        sets = self.rescorer.sets
        table = table_file(self.leaderboard, sets)
        with (
            _locked(self.leaderboard),
            open_submission(request.path, sets) as submission,
        ):
            log = read_log(self.leaderboard)
            check_table(table, _entries_for(sets, log.entries), sets)
            line = self._line(request, submission, _entries_for(sets, log.entries))
            if line is not None:
                log.append(line)
            entries = _entries_for(sets, log.entries)
            write_table(table, entries, sets)
            method = submission.statement.method
        return next(
            row
            for row in released_rows(entries, sets)
            if same_name(row["method"], method)
        )

    def _line(
        self, request: EvaluationRequest, submission: Submission, entries: Sequence[Row]
    ) -> Row | None:
        """Return a new line for the log, or None if the archive is already in it."""
        method, sets = submission.statement.method, self.rescorer.sets
        _refuse_faults(request.path, submission)
        sha256 = file_sha256(request.path)
        known = [
            entry
            for entry in entries
            if entry["sets_sha256"] == sets.sha256
            and same_name(entry["method"], method)
        ]
        done = {(entry["archive_sha256"], entry["tier"]) for entry in known}
        if (sha256, request.tier) in done:
            return None
        self.rules.admit(
            entries, method=method, submitter=request.submitter, now=request.now
        )
        few = submission.too_few(self.rules.min_sets)
        if few:
            raise SubmissionError(few)
        row = known[-1]["row"] if known else None
        exact = self.rescorer.score(submission)
        before = row["mean_auroc"] if row else None
        better = climbs(exact.mean_auroc, before, step=self.rules.step)
        if better or request.tier == "re-run":
            row = self._row(request, submission, exact, sha256)
        return {
            "time": request.now.isoformat(timespec="seconds"),
            "suite": sets.suite,
            "partition": sets.partition,
            "sets_sha256": sets.sha256,
            "submitter": request.submitter,
            "method": method,
            "tier": request.tier,
            "archive_sha256": sha256,
            "row": row,
        }

    def _row(
        self,
        request: EvaluationRequest,
        submission: Submission,
        exact: ExactMeans,
        sha256: str,
    ) -> Row:
        statement, sets, decimals = (
            submission.statement,
            self.rescorer.sets,
            self.rules.decimals,
        )
        return {
            "suite": sets.suite,
            "partition": sets.partition,
            "method": statement.method,
            "version": statement.version,
            "authors": "; ".join(statement.authors),
            "submitter": request.submitter,
            "kind": statement.kind,
            "configuration": statement.configuration,
            "training_data": statement.training_data,
            "tier": request.tier,
            "n_datasets": len(sets.sets),
            "n_failed": exact.n_failed,
            "mean_auroc": round(exact.mean_auroc, decimals),
            "mean_ap": round(exact.mean_ap, decimals),
            "mean_ap_adjusted": round(exact.mean_ap_adjusted, decimals),
            "median_fit_seconds": statement.fit_seconds,
            "median_score_seconds": statement.score_seconds,
            "hardware": statement.hardware,
            "code_url": statement.code_url,
            "evaluated": request.now.date().isoformat(),
            "archive_sha256": sha256,
            "sets_sha256": sets.sha256,
        }


def _entries_for(sets: DatasetList, entries: Sequence[Row]) -> list[Row]:
    """Return the log's entries for a suite and partition."""
    return [
        entry
        for entry in entries
        if (entry["suite"], entry["partition"]) == (sets.suite, sets.partition)
    ]


def _refuse_faults(path: Path, submission: Submission) -> None:
    faults = list(submission.faults())
    if faults:
        msg = (
            f"submission {str(path)!r}: {faults[0]} (faults in total: {len(faults)}; "
            f"`odbench submission check` lists them)"
        )
        raise SubmissionError(msg)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock so that only one evaluation at a time changes the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".evaluation.lock").open("a") as file:
        try:
            lock(file)
        except BlockingIOError:
            msg = (
                f"leaderboard {str(folder)!r}: another evaluation is running; "
                f"try again later"
            )
            raise RunLockedError(msg) from None
        yield
