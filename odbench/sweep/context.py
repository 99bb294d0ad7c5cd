"""The settings that all trials of a run share, as each worker gets them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from odbench.scoring.settings import Protocol
from odbench.sweep.sandbox import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """The settings that all trials of a run share.

    Attributes
    ----------
    out : Path
        The run's folder.
    token : str
        Also written into the folder, because a worker on another host may find a
        folder of the same name there.
    protocol : Protocol
        How the rows of a trial are taken from a data set.
    limits : Limits
        The limits of each trial.
    mirror : str or None
        Where data sets come from that are not in the store.
    hidden : tuple of Path
        Paths that may hold labels, besides those of the store.
    sys_path : tuple of str
        Where a detector's process finds a user's own modules.
    ports : tuple of int
        TCP ports to which a detector may connect.
    require_sandbox : bool
        Run no detector where only the audit hook holds.
    keep_scores : bool
        Write each trial's scores.
    selects : bool
        Measure by which configuration could be selected without labels.
    driver : int
        The process whose workers end with it; 0 for workers that serve others, too.
    """

    out: Path
    token: str
    protocol: Protocol
    limits: Limits
    mirror: str | None
    hidden: tuple[Path, ...]
    sys_path: tuple[str, ...]
    ports: tuple[int, ...]
    require_sandbox: bool
    keep_scores: bool
    selects: bool
    driver: int
