"""Which data sets a submission is about, and how many scores each of them needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from odbench.errors import SubmissionError
from odbench.submissions.strict_json import canonical, digest, parse_object, write_whole

FORMAT = "odbench-sets-1"
# The only protocol of submissions: in the others the rows that are scored depend on
# labels, which would have to be known to whoever scores.
PROTOCOL = "one-class"
MAX_ROWS = 10_000_000
MAX_LIST_BYTES = 16 * 2**20

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()+,=@-]{0,199}")
_SHA256 = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSet:
    """One data set as a submission must find it.

    Attributes
    ----------
    dataset : str
        Its name.
    content_sha256 : str
        Hash of its features (and of its labels, where those are public); empty where
        the manifest has not measured it.
    n_train, n_test : int
        Rows of the data set.
    n_scored : int
        Test rows that are scored: fewer than `n_test` only over the row limit of the
        protocol.
    """

    dataset: str
    content_sha256: str
    n_train: int
    n_test: int
    n_scored: int

    def __post_init__(self) -> None:
        if not isinstance(self.dataset, str) or not _NAME.fullmatch(self.dataset):
            msg = f"set list: {str(self.dataset)[:60]!r} is not a data set's name"
            raise SubmissionError(msg)
        sizes = (self.n_train, self.n_test, self.n_scored)
        if (
            not isinstance(self.content_sha256, str)
            or not _SHA256.fullmatch(self.content_sha256)
            or any(type(size) is not int or not 0 < size <= MAX_ROWS for size in sizes)
            or self.n_scored > self.n_test
        ):
            msg = (
                f"set list: data set {self.dataset!r} has an impossible size or hash; "
                f"wanted 64 hexadecimal digits and 0 < n_scored <= n_test <= {MAX_ROWS}"
            )
            raise SubmissionError(msg)


@dataclass(frozen=True, kw_only=True)
class SetList:
    """The data sets of one partition of one suite.

    Attributes
    ----------
    suite, partition : str
        Such as "oddbench" and "private".
    sets : tuple of ExpectedSet
        By name, each once.
    protocol : str
        Always "one-class".
    """

    suite: str
    partition: str
    sets: tuple[ExpectedSet, ...]
    protocol: str = PROTOCOL

    def __post_init__(self) -> None:
        for what in (self.suite, self.partition):
            if not isinstance(what, str) or not re.fullmatch(r"[a-z0-9_-]{1,40}", what):
                msg = f"set list: {str(what)[:60]!r} is no suite's or partition's name"
                raise SubmissionError(msg)
        if self.protocol != PROTOCOL:
            msg = f"set list: protocol {str(self.protocol)[:60]!r}; wanted {PROTOCOL!r}"
            raise SubmissionError(msg)
        names = [expected.dataset for expected in self.sets]
        # Names that differ in case only cannot live in one folder everywhere.
        if not names or len({name.casefold() for name in names}) != len(names):
            msg = f"set list of {self.suite}: empty, or a data set stands in it twice"
            raise SubmissionError(msg)
        object.__setattr__(self, "sets", tuple(sorted(self.sets, key=_by_name)))

    @cached_property
    def by_name(self) -> Mapping[str, ExpectedSet]:
        """The sets by their names."""
        return {expected.dataset: expected for expected in self.sets}

    @cached_property
    def sha256(self) -> str:
        """What a submission quotes, so that it cannot be taken for another list's."""
        return digest(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return the list as it is written."""
        return {
            "format": FORMAT,
            "suite": self.suite,
            "partition": self.partition,
            "protocol": self.protocol,
            "sets": [asdict(expected) for expected in self.sets],
        }

    def write(self, path: Path) -> None:
        """Write the list to a file."""
        write_whole(path, canonical(self.as_json()) + b"\n")


def read_set_list(path: Path) -> SetList:
    """Read a list that `SetList.write` wrote.

    Parameters
    ----------
    path : Path
        A JSON file.

    Returns
    -------
    SetList

    Raises
    ------
    SubmissionError
        If there is no such file or it is not such a list.
    """
    if not path.is_file():
        msg = f"set list {str(path)!r}: no such file; `submission sets` writes one"
        raise SubmissionError(msg)
    if path.stat().st_size > MAX_LIST_BYTES:
        msg = f"set list {str(path)!r}: over {MAX_LIST_BYTES} bytes; wanted a set list"
        raise SubmissionError(msg)
    content = parse_object(path.read_bytes(), where=f"set list {str(path)!r}")
    if content.get("format") != FORMAT:
        msg = f"set list {str(path)!r}: wanted the format {FORMAT!r}"
        raise SubmissionError(msg)
    try:
        return SetList(
            suite=content["suite"],
            partition=content["partition"],
            protocol=content["protocol"],
            sets=tuple(ExpectedSet(**expected) for expected in content["sets"]),
        )
    except (KeyError, TypeError) as error:
        msg = f"set list {str(path)!r}: a field is missing or unknown ({error})"
        raise SubmissionError(msg) from None


def _by_name(expected: ExpectedSet) -> str:
    return expected.dataset
