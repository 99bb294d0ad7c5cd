"""The settings in which detectors are judged: what a detector may see."""

from __future__ import annotations

import math
from dataclasses import dataclass

from odbench.errors import UsageError

# In the contaminated setting inliers must be the majority of the training rows.
CONTAMINATION_LIMIT = 0.5
# A detector depends on the batch if the scores of some rows change by more than this
# part of the scores' spread when other rows are scored with them.
BATCH_TOLERANCE = 1e-3

ONE_CLASS = "one-class"
TRANSDUCTIVE = "transductive"
UNSUPERVISED = "unsupervised"
CONTAMINATED = "contaminated"


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to judge detectors. Numbers of different settings never mix.

    Attributes
    ----------
    name : str
        As users type it, without a share.
    sees : str
        The rows that a detector gets.
    scores : str
        The rows whose scores are judged.
    valid_for : str
        The detectors that are ranked.
    """

    name: str
    sees: str
    scores: str
    valid_for: str


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            ONE_CLASS,
            sees="training rows, inliers only",
            scores="test rows, each independent of the others",
            valid_for="detectors whose scores do not depend on the batch",
        ),
        Setting(
            TRANSDUCTIVE,
            sees="training rows, inliers only, and all test rows without labels",
            scores="test rows",
            valid_for="any detector",
        ),
        Setting(
            UNSUPERVISED,
            sees="one table without labels: training and test rows, shuffled",
            scores="the same rows",
            valid_for="any detector",
        ),
        Setting(
            CONTAMINATED,
            sees="training rows, a share of them anomalies",
            scores="test rows, the same for every share",
            valid_for="detectors whose scores do not depend on the batch",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A setting, with the share of anomalies in training if it has one.

    Attributes
    ----------
    name : str
        A key of `SETTINGS`.
    contamination : float or None
        Share of anomalies among the training rows; None in the other settings.
    """

    name: str = ONE_CLASS
    contamination: float | None = None

    @classmethod
    def parse(cls, text: str) -> Protocol:
        """Return the protocol that a text names, such as "contaminated=0.05".

        Raises
        ------
        UsageError
            If there is no such setting, or the share is missing or impossible.
        """
        name, equals, share = text.partition("=")
        wanted = f"{', '.join(list(SETTINGS)[:3])} or {CONTAMINATED}=SHARE"
        if name not in SETTINGS or bool(equals) != (name == CONTAMINATED):
            msg = f"protocol: got {text!r}, wanted {wanted}, such as {CONTAMINATED}=.05"
            raise UsageError(msg)
        if not equals:
            return cls(name=name)
        try:
            value = float(share)
        except ValueError:
            value = math.nan
        if not 0 <= value < CONTAMINATION_LIMIT:
            msg = (
                f"protocol: got {text!r}, wanted a share from 0 to below "
                f"{CONTAMINATION_LIMIT}, such as {CONTAMINATED}=0.05"
            )
            raise UsageError(msg)
        return cls(name=name, contamination=value)

    @property
    def label(self) -> str:
        """The protocol's name in results and leaderboards."""
        if self.contamination is None:
            return self.name
        return f"{self.name}={self.contamination:g}"

    @property
    def setting(self) -> Setting:
        """The setting."""
        return SETTINGS[self.name]

    @property
    def is_one_table(self) -> bool:
        """Whether a detector scores the rows that it was fitted on."""
        return self.name == UNSUPERVISED


def needs_independence(label: str) -> bool:
    """Check whether a protocol ranks only detectors that ignore the batch."""
    return label.partition("=")[0] in {ONE_CLASS, CONTAMINATED}
