"""The list of data sets that a submission scores, and the number of scores of each."""

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
# The only protocol for submissions. In the others the choice of rows depends on labels,
# which submitters do not have.
PROTOCOL = "one-class"
MAX_ROWS = 10_000_000
MAX_LIST_BYTES = 16 * 2**20

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()+,=@-]{0,199}")
_SHA256 = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDataset:
    """One data set of the list: its content hash and sizes.

    Attributes
    ----------
    dataset : str
        Name of the data set.
    content_sha256 : str
        Hash of its features (and of its labels if they are public); empty if the
        manifest does not record it.
    n_train, n_test : int
        Numbers of train and test rows.
    n_scored : int
        Number of test rows to score: below `n_test` only if the data set exceeds the
        protocol's row limit.
    """

    dataset: str
    content_sha256: str
    n_train: int
    n_test: int
    n_scored: int

    def __post_init__(self) -> None:
        if not isinstance(self.dataset, str) or not _NAME.fullmatch(self.dataset):
            msg = (
                f"data set list: {str(self.dataset)[:60]!r} is not a valid name of a "
                f"data set"
            )
            raise SubmissionError(msg)
        sizes = (self.n_train, self.n_test, self.n_scored)
        if (
            not isinstance(self.content_sha256, str)
            or not _SHA256.fullmatch(self.content_sha256)
            or any(type(size) is not int or not 0 < size <= MAX_ROWS for size in sizes)
            or self.n_scored > self.n_test
        ):
            msg = (
                f"data set list: {self.dataset!r} has an impossible size or hash; "
                f"wanted 64 hexadecimal digits and 0 < n_scored <= n_test <= {MAX_ROWS}"
            )
            raise SubmissionError(msg)


@dataclass(frozen=True, kw_only=True)
class DatasetList:
    """The data sets of one partition of one suite.

    Attributes
    ----------
    suite, partition : str
        For example, "oddbench" and "private".
    sets : tuple of ExpectedDataset
        The data sets, sorted by name, without duplicates.
    protocol : str
        Always "one-class".
    """

    suite: str
    partition: str
    sets: tuple[ExpectedDataset, ...]
    protocol: str = PROTOCOL

    def __post_init__(self) -> None:
        for name in (self.suite, self.partition):
            if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9_-]{1,40}", name):
                msg = (
                    f"data set list: {str(name)[:60]!r} is not a valid name of a suite "
                    f"or partition"
                )
                raise SubmissionError(msg)
        if self.protocol != PROTOCOL:
            msg = (
                f"data set list: protocol {str(self.protocol)[:60]!r}; "
                f"wanted {PROTOCOL!r}"
            )
            raise SubmissionError(msg)
        names = [expected.dataset for expected in self.sets]
        # Some file systems ignore case, so names must differ in more than case.
        if not names or len({name.casefold() for name in names}) != len(names):
            msg = (
                f"data set list of {self.suite}: it is empty or names a data set twice"
            )
            raise SubmissionError(msg)
        object.__setattr__(self, "sets", tuple(sorted(self.sets, key=_by_name)))

    @cached_property
    def by_name(self) -> Mapping[str, ExpectedDataset]:
        """The data sets by name."""
        return {expected.dataset: expected for expected in self.sets}

    @cached_property
    def sha256(self) -> str:
        """Hash of the list; a submission states it, which ties it to this list."""
        return digest(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return the list as a JSON object."""
        return {
            "format": FORMAT,
            "suite": self.suite,
            "partition": self.partition,
            "protocol": self.protocol,
            "sets": [asdict(expected) for expected in self.sets],
        }

    def write(self, path: Path) -> None:
        """Write the list to a JSON file."""
        write_whole(path, canonical(self.as_json()) + b"\n")


def read_dataset_list(path: Path) -> DatasetList:
    """Read a list written by `DatasetList.write`.

    Parameters
    ----------
    path : Path
        A JSON file.

    Returns
    -------
    DatasetList

    Raises
    ------
    SubmissionError
        If the file is missing or is not a valid list.
    """
    where = f"data set list {str(path)!r}"
    if not path.is_file():
        msg = f"{where}: no such file; `submission sets` writes one"
        raise SubmissionError(msg)
    if path.stat().st_size > MAX_LIST_BYTES:
        msg = f"{where}: larger than {MAX_LIST_BYTES} bytes, so not a data set list"
        raise SubmissionError(msg)
    content = parse_object(path.read_bytes(), where=where)
    if content.get("format") != FORMAT:
        msg = f"{where}: wanted the format {FORMAT!r}"
        raise SubmissionError(msg)
    try:
        return DatasetList(
            suite=content["suite"],
            partition=content["partition"],
            protocol=content["protocol"],
            sets=tuple(ExpectedDataset(**expected) for expected in content["sets"]),
        )
    except (KeyError, TypeError) as error:
        msg = f"{where}: a field is missing or unknown ({error})"
        raise SubmissionError(msg) from None


def _by_name(expected: ExpectedDataset) -> str:
    return expected.dataset
