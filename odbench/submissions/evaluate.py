"""The private evaluation: scores a submission against labels that nobody may learn.

What a submitter gets back is one row of rounded aggregates, and after a resubmission
that is no real improvement the row that was there before, to the last character. The
audit log holds every evaluation and is the only state: the table is written from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from odbench.errors import RunLockedError, SubmissionError
from odbench.submissions.audit_log import AuditLog
from odbench.submissions.checking import Submission, file_sha256, open_submission
from odbench.submissions.dataset_list import SetList
from odbench.submissions.ladder import climbs
from odbench.submissions.private_table import check_table, released, table_file, write
from odbench.submissions.rescoring import Answers, Exact, is_whole
from odbench.submissions.rules import RULES, TIERS, Rules, same
from odbench.submissions.statement import check_text

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who wants what evaluated.

    Attributes
    ----------
    path : Path
        The archive.
    submitter : str
        Who submits, as the maintainer has verified it.
    now : datetime
        With a time zone.
    tier : str
        "re-scored", or "re-run" where the maintainer made the scores by running the
        code: such numbers replace a row whether they are better or not.
    """

    path: Path
    submitter: str
    now: datetime
    tier: str = "re-scored"

    def __post_init__(self) -> None:
        check_text("submitter", self.submitter, 80)
        if self.now.tzinfo is None:
            msg = (
                f"evaluation: the time {self.now} has no zone; wanted one, such as UTC"
            )
            raise SubmissionError(msg)
        if self.tier not in TIERS[1:]:
            msg = f"tier {self.tier!r}; wanted one of {', '.join(TIERS[1:])}"
            raise SubmissionError(msg)


@dataclass(frozen=True, kw_only=True)
class Evaluator:
    """A maintainer's evaluator of one set list.

    Attributes
    ----------
    answers : Answers
        The data sets and their labels.
    leaderboard : Path
        The folder that holds ``audit.jsonl`` and ``<suite>/private.csv``.
    rules : Rules
        How much an answer says, and how often one is given.
    """

    answers: Answers
    leaderboard: Path
    rules: Rules = RULES

    def evaluate(self, request: Request) -> Row:
        """Score a submission, log it, and return the row that the table now has.

        The same archive again gets the same answer again, and counts for nothing.

        Parameters
        ----------
        request : Request

        Returns
        -------
        dict
            The method's row of the table: `private_table.COLUMNS`.

        Raises
        ------
        SubmissionError
            If the submission has faults, scores too few data sets, or comes too
            early; if log, table or labels are not what they must be.
        RunLockedError
            If another evaluation runs.
        """
        sets = self.answers.sets
        table = table_file(self.leaderboard, sets)
        with (
            _locked(self.leaderboard),
            open_submission(request.path, sets) as submission,
        ):
            log = AuditLog(self.leaderboard / "audit.jsonl")
            check_table(table, _about(sets, log.entries), sets)
            line = self._line(request, submission, _about(sets, log.entries))
            if line is not None:
                log.append(line)
            entries = _about(sets, log.entries)
            write(table, entries, sets)
            method = submission.statement.method
        return next(
            row for row in released(entries, sets) if same(row["method"], method)
        )

    def _line(
        self, request: Request, submission: Submission, entries: Sequence[Row]
    ) -> Row | None:
        """Return the line for the log; None for an archive that has its answer."""
        method, sets = submission.statement.method, self.answers.sets
        _refuse_faults(request.path, submission)
        sha256 = file_sha256(request.path)
        known = [
            entry
            for entry in entries
            if entry["sets_sha256"] == sets.sha256 and same(entry["method"], method)
        ]
        done = {(entry["archive_sha256"], entry["tier"]) for entry in known}
        if (sha256, request.tier) in done:
            return None
        self.rules.admit(
            entries, method=method, submitter=request.submitter, now=request.now
        )
        self._check_coverage(submission)
        row = known[-1]["row"] if known else None
        exact = self.answers.score(submission)
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

    def _check_coverage(self, submission: Submission) -> None:
        covered = sum(is_whole(submission, each) for each in self.answers.sets.sets)
        if covered < self.rules.min_sets:
            msg = (
                f"submission: scores {covered} data sets under every seed; wanted at "
                f"least {self.rules.min_sets}, a mean over fewer would tell labels"
            )
            raise SubmissionError(msg)

    def _row(
        self, request: Request, submission: Submission, exact: Exact, sha256: str
    ) -> Row:
        said, sets, decimals = (
            submission.statement,
            self.answers.sets,
            self.rules.decimals,
        )
        return {
            "suite": sets.suite,
            "partition": sets.partition,
            "method": said.method,
            "version": said.version,
            "authors": "; ".join(said.authors),
            "submitter": request.submitter,
            "kind": said.kind,
            "configuration": said.configuration,
            "training_data": said.training_data,
            "tier": request.tier,
            "n_datasets": len(sets.sets),
            "n_failed": exact.n_failed,
            "mean_auroc": round(exact.mean_auroc, decimals),
            "mean_ap": round(exact.mean_ap, decimals),
            "mean_ap_adjusted": round(exact.mean_ap_adjusted, decimals),
            "median_fit_seconds": said.fit_seconds,
            "median_score_seconds": said.score_seconds,
            "hardware": said.hardware,
            "code_url": said.code_url,
            "evaluated": request.now.date().isoformat(),
            "archive_sha256": sha256,
            "sets_sha256": sets.sha256,
        }


def _about(sets: SetList, entries: Sequence[Row]) -> list[Row]:
    """Return the log's entries about a suite and partition."""
    return [
        entry
        for entry in entries
        if (entry["suite"], entry["partition"]) == (sets.suite, sets.partition)
    ]


def _refuse_faults(path: Path, submission: Submission) -> None:
    faults = list(submission.faults())
    if faults:
        msg = (
            f"submission {str(path)!r}: {faults[0]} ({len(faults)} faults in all; "
            f"`odbench submission check` lists them)"
        )
        raise SubmissionError(msg)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one evaluation at a time read and write the state."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".evaluation.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            msg = (
                f"leaderboard {str(folder)!r}: another evaluation runs; try again later"
            )
            raise RunLockedError(msg) from None
        yield
