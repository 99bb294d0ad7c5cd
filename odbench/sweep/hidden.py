"""Paths that a detector's process must not reach, and ports that it may."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from odbench.results import RESULTS, SCORES
from odbench.sweep.journal import FOLDER

# A detector must neither read nor write the results of others.
_OF_THE_RUN = (FOLDER, RESULTS, SCORES, ".lock", "run.json", "leaderboard.csv")


# Files with secrets of the user, below the home folder.
_SECRETS = (
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".kaggle",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".npmrc",
    ".pgpass",
    ".git-credentials",
    ".config/git",
    ".config/gh",
    ".config/gcloud",
    ".config/hub",
    ".bash_history",
    ".python_history",
    ".cache/huggingface/token",
    ".cache/huggingface/stored_tokens",
    ".huggingface",
)
# Memory, queues and sockets of the user's other processes.
_OF_OTHER_PROCESSES = ("/dev/shm", "/dev/mqueue", "/run/user")  # noqa: S108
# Web servers; a detector may download weights.
_WEB = (80, 443)
# Files of a mirror are at most this deep.
_DEPTH = 4


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
    return tuple(dict.fromkeys([*hidden, *_targets(hidden)]))


def local_paths(out: Path) -> tuple[Path, ...]:
    """Return the data, labels, results and secrets on the machine of a worker.

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
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
    own = (*data, *(out / name for name in _OF_THE_RUN))
    return (*own, *_targets(own), *_secrets())


def allowed_ports() -> tuple[int, ...]:
    """Return the TCP ports to which a detector may connect: those of the web.

    A cluster's scheduler runs any code it is sent, with access to labels, so its port
    must be out of reach. Proxies and the hub's endpoint are allowed where the
    environment names them.
    """
    named = ("http_proxy", "https_proxy", "all_proxy")
    addresses = [
        os.environ.get(spelled, "")
        for name in named
        for spelled in (name, name.upper())
    ]
    addresses.append(os.environ.get("HF_ENDPOINT", ""))
    ports = set(_WEB)
    for address in filter(None, addresses):
        try:
            ports.add(urlsplit(address).port or _WEB[0])
        except ValueError:
            continue
    return tuple(sorted(ports))


def _secrets() -> Iterator[Path]:
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - raises for an unknown user
    named = [os.environ.get("HF_TOKEN_PATH", ""), os.environ.get("NETRC", "")]
    if hub := os.environ.get("HF_HOME"):
        named += [f"{hub}/token", f"{hub}/stored_tokens"]
    for path in (*(home / name for name in _SECRETS), *map(Path, filter(None, named))):
        if path.exists():
            yield path
    for place in _OF_OTHER_PROCESSES:
        if Path(place).exists():
            yield Path(place)


def _targets(places: Iterable[Path], depth: int = _DEPTH) -> Iterator[Path]:
    """Yield where symbolic links at or below some places lead."""
    for place in places:
        if place.is_symlink():
            yield place.resolve()
        if depth and place.is_dir():
            try:
                entries = [
                    Path(entry.path)
                    for entry in os.scandir(place)
                    if entry.is_symlink() or entry.is_dir()
                ]
            except OSError:
                continue
            yield from _targets(entries, depth - 1)
