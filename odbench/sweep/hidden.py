"""Paths that a detector's process must not read: labels, data, results of others."""

from __future__ import annotations

from pathlib import Path

from odbench.results import RESULTS, SCORES
from odbench.sweep.journal import FOLDER

# A detector must neither read nor write the results of others.
_OF_THE_RUN = (FOLDER, RESULTS, "run.json", "leaderboard.csv", SCORES)


def mirror_paths(mirror: str | None) -> tuple[Path, ...]:
    """Return the paths of mirrors that may hold labels, as the driver sees them.

    Parameters
    ----------
    mirror : str or None
        The mirror that was named; ``ODBENCH_MIRROR`` counts too.
    """
    from odbench.data.catalog import label_places

    here = Path.cwd().resolve()
    around = {here, *here.parents}
    hidden: list[Path] = []
    for place in label_places(mirror):
        folder = place.resolve()
        if folder in around and folder.is_dir():
            # A mirror around the working folder must not hide the user's own code.
            hidden += [entry for entry in folder.iterdir() if entry not in around]
        else:
            hidden.append(folder)
    return tuple(hidden)


def local_paths(out: Path) -> tuple[Path, ...]:
    """Return the data, labels and results on the machine of a worker.

    Parameters
    ----------
    out : Path
        The run's folder.
    """
    from odbench.data.store import Store

    root = Store.default().root
    # A process can only be shut out of a folder that exists.
    data = [root / "labels", root / "features"]
    for folder in data:
        folder.mkdir(parents=True, exist_ok=True)
    return (*data, *(out / name for name in _OF_THE_RUN))
