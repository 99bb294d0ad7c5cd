"""Say whether a run has results in its journals that no results file holds yet."""

from __future__ import annotations

from pathlib import Path

# Where a run writes each result as soon as its trial ends.
JOURNALS = "journal"


def is_pending(run: Path) -> bool:
    """Check for journals of a run that goes on, or that was interrupted.

    Parameters
    ----------
    run : Path
        The folder of a run, or its results file.

    Returns
    -------
    bool
    """
    folder = run if run.is_dir() else run.parent
    journals = (folder / JOURNALS).glob("*.jsonl")
    return any(file.is_file() and file.stat().st_size for file in journals)


def pending_words(run: Path) -> str:
    """Return the remark on a run whose journals hold results."""
    return (
        f"run {str(run)!r}: has results in its journals, of a run that goes on or was "
        f"interrupted; the same `odbench run` again adds them"
    )
