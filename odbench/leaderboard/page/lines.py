"""The page's provenance: command, inputs, versions, machine."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from odbench.leaderboard.evaluated import Evaluated
from odbench.leaderboard.inputs import Source
from odbench.leaderboard.tables import DEFAULT, Settings
from odbench.provenance import recorded_machine
from odbench.text import counted

# Versions of these packages can change results.
_VERSIONS = ("odbench", "python", "numpy", "scipy", "scikit-learn", "numba", "pyod")


def provenance_lines(
    sources: Sequence[Source],
    settings: Settings,
    evaluated: Sequence[Evaluated] = (),
) -> list[tuple[str, str]]:
    """Describe the sources of a page.

    Parameters
    ----------
    sources : sequence of Source
        The runs of the page.
    settings : Settings
        Settings of the tables.
    evaluated : sequence of Evaluated
        Tables of submissions that are shown unchanged.

    Returns
    -------
    list of (str, str)
        One name and value per line: the command that rebuilds the page, and the
        recorded facts of each run. Times and absolute paths are left out, so that the
        same results give the same page.
    """
    lines = [("Command", _command(sources, settings))]
    for source in sources:
        about = f"Run {source.name}" if len(sources) > 1 else "Run"
        lines += [(f"{about}, {name}", value) for name, value in _run(source)]
    lines.append(("Inference", _inference(settings)))
    lines += [
        (
            f"Submissions {each.file}",
            f"{counted(len(each.rows), 'method')}, SHA-256 {each.sha256}",
        )
        for each in evaluated
    ]
    return lines


def _command(sources: Sequence[Source], settings: Settings) -> str:
    words = ["odbench", "leaderboard", "build", *(source.name for source in sources)]
    for option in ("permutations", "cluster", "seed"):
        value = getattr(settings, option)
        if value != getattr(DEFAULT, option):
            words += [f"--{option}", str(value)]
    return f"{shlex.join(words)} --out DIR"


def _run(source: Source) -> Iterator[tuple[str, str]]:
    yield (
        "results",
        f"{counted(source.trials, 'trial')}, SHA-256 {source.results_sha256}",
    )
    versions = source.run.get("versions")
    if isinstance(versions, dict):
        known = [f"{name} {versions[name]}" for name in _VERSIONS if name in versions]
        yield "versions", ", ".join(known)
    if machine := recorded_machine(source.run.get("machine")):
        yield "machine", _machine(machine)
    if source.sandbox:
        yield "sandbox", "; ".join(map(_sandbox, source.sandbox.items()))
    git = source.run.get("git")
    if isinstance(git, dict) and isinstance(git.get("commit"), str):
        dirty = " with uncommitted changes" if git.get("dirty") else ""
        yield "state", f"commit {git['commit'][:12]}{dirty}"


def _sandbox(held: tuple[str, int]) -> str:
    layers, trials = held
    return f"{layers or 'none'} ({counted(trials, 'trial')})"


def _machine(machine: dict[str, Any]) -> str:
    parts = []
    if "cores" in machine:
        parts.append(f"{machine['cores']} core{'' if machine['cores'] == 1 else 's'}")
    words = ("processor", "system", "architecture")
    parts += [machine[name] for name in words if name in machine]
    if "memory_bytes" in machine:
        parts.append(f"{machine['memory_bytes'] / 2**30:.0f} GiB")
    return ", ".join(parts)


def _inference(settings: Settings) -> str:
    drawn = "families" if settings.cluster == "family" else "data sets"
    return (
        f"{settings.permutations:,} random sign flips of {drawn}, seed {settings.seed}"
    )
