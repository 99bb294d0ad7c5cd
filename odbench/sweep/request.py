"""The request for a run, checked once."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from odbench.data.own import short_name
from odbench.errors import UsageError
from odbench.scoring.settings import (
    CONTAMINATED,
    CONTAMINATION_LIMIT,
    ONE_CLASS,
    Protocol,
)
from odbench.suites import PARTITIONS
from odbench.sweep.backends import BACKENDS, CLUSTERS

_RUNS = Path("odbench-runs")
# Each seed is a trial, and more of them than this a mistake in typing.
_MOST_SEEDS = 10_000
# A longer limit in seconds is none.
_LONGEST = 1e300
# No machine has more bytes than a 64-bit number counts.
_MOST_GIB = 1 << 33
# Option -> its types, in Python and in words.
_COUNT = ((numbers.Integral, type(None)), "a whole number, or None")
_TEXT = ((str, type(None)), "a text, or None")
_FLAG = ((bool,), "True or False")
_KINDS = (
    ("grid", *_FLAG),
    ("seeds", *_COUNT),
    ("datasets", *_TEXT),
    ("limit", *_COUNT),
    ("partition", (str,), f"one of {', '.join(PARTITIONS)}"),
    ("jobs", *_COUNT),
    ("backend", (str,), f"one of {', '.join(BACKENDS)}"),
    ("scheduler", *_TEXT),
    ("timeout", (numbers.Real,), "a number of seconds"),
    ("memory_limit", (numbers.Real, type(None)), "a number of GiB, or None"),
    ("mirror", (str, Path, type(None)), "the path of a folder, or None"),
    ("keep_scores", *_FLAG),
    ("protocol", (str,), "a setting such as 'one-class'"),
    ("contamination", (numbers.Real,), "a share from 0 to below 0.5, such as 0.05"),
    ("require_sandbox", *_FLAG),
    ("retry_failed", *_FLAG),
    ("show_progress", *_FLAG),
)


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """The options of a run; `odbench.run` describes each."""

    suites: tuple[str, ...]
    detectors: Sequence[Any] | None = None
    grid: bool = False
    seeds: int | None = None
    datasets: str | None = None
    limit: int | None = None
    partition: str = "public"
    jobs: int | None = None
    backend: str = "loky"
    scheduler: str | None = None
    timeout: float = 3600.0
    memory_limit: float | None = None
    mirror: str | None = None
    out: Path | None = None
    keep_scores: bool = False
    require_sandbox: bool = False
    protocol: str = ONE_CLASS
    contamination: float = 0.0
    retry_failed: bool = False
    show_progress: bool = True

    @classmethod
    def of(cls, **options: Any) -> RunRequest:
        """Return the request with these options.

        Raises
        ------
        UsageError
            If an option does not exist, or its value is impossible.
        """
        known = [option.name for option in fields(cls)]
        for name in options:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}? " if close else ""
                msg = f"run: no option {name!r}; {hint}it has {', '.join(known)}"
                raise UsageError(msg)
        return cls(**options)

    def __post_init__(self) -> None:
        self._check_types()
        checks = (
            (
                "seeds",
                self.seeds is None or 1 <= self.seeds <= _MOST_SEEDS,
                f"1 to {_MOST_SEEDS}",
            ),
            ("limit", self.limit is None or self.limit >= 1, "1 or more"),
            ("jobs", self.jobs is None or self.jobs >= 1, "1 or more"),
            (
                "timeout",
                0 < self.timeout <= _LONGEST or self.timeout == math.inf,
                "more than 0 seconds",
            ),
            (
                "memory_limit",
                self.memory_limit is None or 0 < self.memory_limit < _MOST_GIB,
                f"more than 0 GiB and less than {_MOST_GIB}",
            ),
            (
                "contamination",
                0 <= self.contamination < CONTAMINATION_LIMIT,
                "a share from 0 to below 0.5, such as 0.05",
            ),
            (
                "partition",
                self.partition in PARTITIONS,
                f"one of {', '.join(PARTITIONS)}",
            ),
            ("backend", self.backend in BACKENDS, f"one of {', '.join(BACKENDS)}"),
        )
        for name, is_valid, wanted in checks:
            if not is_valid:
                msg = f"{name}: got {getattr(self, name)!r}, wanted {wanted}"
                raise UsageError(msg)
        if self.scheduler is not None and not self.scheduler.strip():
            # An unset variable of a script must not measure on this machine instead.
            msg = (
                f"scheduler: got {self.scheduler!r}, wanted an address; leave it out "
                f"to start workers on this machine"
            )
            raise UsageError(msg)
        if self.scheduler is not None and self.backend not in CLUSTERS:
            msg = (
                f"scheduler: got {self.scheduler!r} with backend {self.backend!r}; "
                f"wanted it with one of {', '.join(CLUSTERS)}"
            )
            raise UsageError(msg)
        self._check_setting()
        _check_working_folder()

    def _check_setting(self) -> None:
        protocol = self.setting
        if self.contamination and self.protocol not in {ONE_CLASS, protocol.label}:
            msg = (
                f"contamination: got {self.contamination:g} with protocol "
                f"{self.protocol!r}; wanted one of the two"
            )
            raise UsageError(msg)
        if self.partition == "private" and protocol.contamination is not None:
            msg = (
                f"protocol: got {protocol.label!r} for the private partition, whose "
                f"labels are not public; wanted another setting"
            )
            raise UsageError(msg)

    def _check_types(self) -> None:
        """Refuse values of a type that the checks of their size would fail on."""
        for suite in self.suites:
            if not isinstance(suite, str):
                msg = f"suite: got {suite!r}, wanted a name or the path of a folder"
                raise UsageError(msg)
        if not isinstance(self.detectors, Iterable | None):
            msg = (
                f"detectors: got {type(self.detectors).__name__}, wanted names, or a "
                f"list of detectors"
            )
            raise UsageError(msg)
        if not self.suites:
            msg = "suite: got no name; `odbench suites` lists the suites"
            raise UsageError(msg)
        for name, kinds, wanted in _KINDS:
            value = getattr(self, name)
            # A bool is an int, but no number of anything.
            is_bool = isinstance(value, bool) and bool not in kinds
            if is_bool or not isinstance(value, kinds):
                msg = f"{name}: got {value!r}, wanted {wanted}"
                raise UsageError(msg)

    @property
    def setting(self) -> Protocol:
        """The protocol; `contamination` alone stands for "contaminated=SHARE"."""
        if self.contamination:
            return Protocol.parse(f"{CONTAMINATED}={self.contamination}")
        return Protocol.parse(self.protocol)

    @property
    def keeps_scores(self) -> bool:
        """Whether scores are kept; always for private data sets, scored elsewhere."""
        return self.keep_scores or self.partition == "private"

    @property
    def folder(self) -> Path:
        """The run's folder; by default named after the suites."""
        if self.out is not None:
            return self.out
        name = "+".join(short_name(suite) for suite in self.suites)
        return _RUNS / (name if self.partition == "public" else f"{name}-private")


def _check_working_folder() -> None:
    """Refuse a working folder that was deleted: results may be relative to it."""
    try:
        Path.cwd()
    except FileNotFoundError:
        msg = "working folder: was deleted; change to another one with `cd`"
        raise UsageError(msg) from None
