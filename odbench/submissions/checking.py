"""Reading a submission and listing its faults, without labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from odbench.errors import SubmissionError
from odbench.submissions.archive import (
    STATEMENT,
    Archive,
    member_name,
    open_archive,
    require_file,
)
from odbench.submissions.dataset_list import DatasetList
from odbench.submissions.rules import FEWEST_SETS
from odbench.submissions.score_bytes import ScoreArray, decode_scores
from odbench.submissions.statement import parse_statement
from odbench.submissions.strict_json import parse_object
from odbench.text import counted


class Submission:
    """A submission whose archive and statement are valid; scores are checked on read.

    Attributes
    ----------
    statement : Statement
        The submitter's description of the method and of the scores.
    """

    def __init__(self, archive: Archive, sets: DatasetList) -> None:
        self._archive = archive
        self._sets = sets
        self.statement = parse_statement(
            parse_object(archive.statement(), where=STATEMENT)
        )

    def has(self, dataset: str, seed: int) -> bool:
        """Return whether the archive has scores of a data set under a seed."""
        return (dataset, seed) in self._archive.trials

    def covers(self, dataset: str) -> bool:
        """Return whether the archive has scores of a data set under every seed."""
        return all(self.has(dataset, seed) for seed in self.statement.seeds)

    def too_few(self, wanted: int) -> str:
        """Say that the scores cover too few data sets to be evaluated, else ""."""
        covered = sum(self.covers(each.dataset) for each in self._sets.sets)
        if covered >= wanted:
            return ""
        return (
            f"submission: scores {counted(covered, 'data set')} under every seed; "
            f"wanted at least {wanted}, because a mean over fewer reveals labels"
        )

    def scores(self, dataset: str, seed: int) -> ScoreArray:
        """Return the scores of one trial.

        Parameters
        ----------
        dataset : str
            Name of a data set of the list.
        seed : int
            One of the statement's seeds.

        Returns
        -------
        float32 array of shape (n_scored,)
            Finite, higher = more anomalous, in the order of the data set's test rows.

        Raises
        ------
        SubmissionError
            If the scores are malformed or do not match the hash in the statement.
        """
        name = member_name(dataset, seed)
        content = self._archive.content(dataset, seed)
        if hashlib.sha256(content).hexdigest() != self._claims(dataset).get(str(seed)):
            msg = f"{name}: its SHA-256 is not the one in {STATEMENT}; pack it again"
            raise SubmissionError(msg)
        n_rows = self._sets.by_name[dataset].n_scored
        return decode_scores(content, n_rows, where=name)

    def faults(self) -> Iterator[str]:
        """Yield one line per fault that prevents an evaluation."""
        yield from self._faults_of_lists()
        yield from self._faults_of_members()
        for dataset, seed in sorted(self._archive.trials):
            try:
                self.scores(dataset, seed)
            except SubmissionError as error:
                yield str(error)

    def _faults_of_lists(self) -> Iterator[str]:
        """Yield the differences between the statement and the data set list."""
        statement, sets = self.statement, self._sets
        for name in ("suite", "partition", "protocol"):
            got, wanted = getattr(statement, name), getattr(sets, name)
            if got != wanted:
                yield f"{name}: made for {got!r}; wanted {wanted!r}"
        if statement.sets_sha256 != sets.sha256:
            yield (
                f"data set list: made for {statement.sets_sha256[:12]}..., wanted "
                f"{sets.sha256[:12]}...; pack the run again with the current list"
            )
        for dataset, facts in sorted(statement.sets.items()):
            expected = sets.by_name.get(dataset)
            if expected is None:
                yield f"data set {dataset[:80]!r}: not in the data set list"
            elif expected.content_sha256 not in ("", facts["content_sha256"]):
                yield (
                    f"data set {dataset!r}: scored with content "
                    f"{facts['content_sha256'][:12]!r}..., the list has "
                    f"{expected.content_sha256[:12]!r}...; run on the listed data"
                )

    def _faults_of_members(self) -> Iterator[str]:
        """Yield the differences between the statement and the archive's members."""
        statement = self.statement
        claimed = {
            (name, seed) for name in statement.sets for seed in self._claims(name)
        }
        packed = {(name, str(seed)) for name, seed in self._archive.trials}
        for name, seed in sorted(claimed ^ packed):
            place = "the statement" if (name, seed) in claimed else "the archive"
            yield f"scores of {name[:80]!r} under seed {seed[:12]!r}: only in {place}"
        for name, number in sorted(self._archive.trials):
            if number not in statement.seeds:
                yield f"scores of {name!r}: seed {number} is not a declared seed"

    def _claims(self, dataset: str) -> Mapping[str, str]:
        """Return the statement's hashes for a data set, by seed."""
        facts = self.statement.sets.get(dataset)
        claims: Mapping[str, str] = facts["scores"] if facts else {}
        return claims


@contextmanager
def open_submission(path: Path, sets: DatasetList) -> Iterator[Submission]:
    """Open a submission for reading; `archive.open_archive` lists what is refused."""
    with open_archive(path, sets) as archive:
        yield Submission(archive, sets)


def check(path: Path, sets: DatasetList, *, fewest: int = FEWEST_SETS) -> list[str]:
    """Return the faults of a submission; an empty list means it can be evaluated.

    Parameters
    ----------
    path : Path
        The archive.
    sets : DatasetList
        The data sets that it must be made for.
    fewest : int
        Number of data sets that it must cover.

    Returns
    -------
    list of str
        One line per fault. An archive that cannot be read safely, or without a valid
        statement, has one fault: checking stops there.

    Raises
    ------
    SubmissionError
        If there is no such file.
    """
    require_file(path)
    try:
        with open_submission(path, sets) as submission:
            faults = list(submission.faults())
            return faults or list(filter(None, [submission.too_few(fewest)]))
    except SubmissionError as error:
        return [str(error)]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
