"""The rules of an evaluation: how much an answer says, and how often one is given."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from odbench.errors import SubmissionError, UsageError

# An aggregate of private data over fewer sets, or with more digits, tells too much
# about each of them.
FEWEST_SETS = 20
MOST_DECIMALS = 3
TIERS = ("self-reported", "re-scored", "re-run")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What keeps the answers of an evaluator from giving its labels away.

    Attributes
    ----------
    step : float
        By how much mean AUROC must rise for a resubmission to replace its row.
    decimals : int
        Aggregates are rounded to so many; at most 3.
    min_sets : int
        Data sets that a submission must score under every seed; at least 20.
    wait_days : float
        Days between two evaluations of one method.
    per_submitter, window_days : int, float
        At most so many evaluations of one submitter within so many days, over all
        methods: a new name must not be a way around the Ladder.
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
            msg = f"rules: step {self.step}; wanted at least the last decimal, below 1"
            raise UsageError(msg)

    def admit(
        self,
        entries: Sequence[Mapping[str, Any]],
        *,
        method: str,
        submitter: str,
        now: datetime,
    ) -> None:
        """Refuse an evaluation that comes too early or from the wrong side.

        Parameters
        ----------
        entries : sequence of mapping
            The audit log of this suite and partition.
        method, submitter : str
            Who asks for what; see `same_name`.
        now : datetime
            With a time zone.

        Raises
        ------
        SubmissionError
            If the method belongs to another submitter, or a limit is reached; it says
            when the next evaluation is possible.
        """
        own = [entry for entry in entries if same(entry["method"], method)]
        if own and not same(own[0]["submitter"], submitter):
            msg = f"method {method!r}: is somebody else's; use another name"
            raise SubmissionError(msg)
        times = [datetime.fromisoformat(entry["time"]) for entry in own]
        wait = timedelta(days=self.wait_days)
        if times and now < max(times) + wait:
            _refuse(f"method {method!r}", max(times) + wait)
        window = timedelta(days=self.window_days)
        recent = sorted(
            time
            for entry in entries
            if same(entry["submitter"], submitter)
            and now < (time := datetime.fromisoformat(entry["time"])) + window
        )
        if len(recent) >= self.per_submitter:
            _refuse(f"submitter {submitter!r}", recent[-self.per_submitter] + window)


RULES = Rules()
# Letters and digits that a reader takes for another, after case is folded: a capital
# may look alike where its small letter does not.
_CYRILLIC = ("авеёзіїјкмнорсԁԛѕтухһԝ", "abee3iijkmhopcdqstyxhw")
_GREEK = ("αβεζηικμνορτυχ", "abezhikmnoptyx")
_LOOK_ALIKE = {
    ord(one): other
    for pair in (_CYRILLIC, _GREEK, ("01l", "oii"))
    for one, other in zip(*pair, strict=True)
}


def same(one: str, other: str) -> bool:
    """Whether two names are the same to a reader: case, spaces, dashes, look-alikes.

    Examples
    --------
    >>> same("My-Method", "my method"), same("My-Method", "My-Method 2")
    (True, False)
    >>> same("IForest", "lF\N{CYRILLIC SMALL LETTER O}rest")
    True
    """
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    alike = folded.translate(_LOOK_ALIKE)
    return "".join(character for character in alike if character.isalnum())


def _refuse(who: str, when: datetime) -> None:
    moment = when.isoformat(timespec="minutes")
    msg = f"{who}: too many evaluations; the next one is possible from {moment}"
    raise SubmissionError(msg)
