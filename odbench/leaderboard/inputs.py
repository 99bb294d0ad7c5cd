"""Which results a leaderboard was built from, so that anyone can build it again.

No time and no path of a machine stands in it: the same results and settings give
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import ResultsError
from odbench.leaderboard.evaluated import Evaluated
from odbench.leaderboard.tables import Settings

if TYPE_CHECKING:
    import pandas as pd

# Raised when the same results give other tables than before.
TABLES_VERSION = 1
# Levels of a run's description; one has five or so.
_DEEPEST = 50
# What is taken over from a run's own description.
_FROM_RUN = ("versions", "machine", "git", "configurations")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One input of a leaderboard.

    Attributes
    ----------
    name : str
        Last part of the path that was given.
    results_sha256 : str
        Hash of the results file.
    trials : int
        Rows in it.
    detectors : dict
        Version of each detector, "" where it has none.
    run : dict
        What the run's ``run.json`` says of versions, machine, git and
        configurations; empty where there is none.
    """

    name: str
    results_sha256: str
    trials: int
    detectors: dict[str, str]
    run: dict[str, Any]


def source_of(path: Path, results: pd.DataFrame) -> Source:
    """Describe a results file.

    Parameters
    ----------
    path : Path
        A ``results.parquet`` or the folder of a run.
    results : pandas.DataFrame
        What was read from it.

    Returns
    -------
    Source

    Raises
    ------
    ResultsError
        If the run's description is not JSON.
    """
    file = path / "results.parquet" if path.is_dir() else path
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    versions = results[["detector", "detector_version"]].drop_duplicates()
    known = {
        str(name): version if isinstance(version, str) else ""
        for name, version in versions.itertuples(index=False)
    }
    return Source(
        name=path.resolve().name,
        results_sha256=digest,
        trials=len(results),
        detectors=dict(sorted(known.items())),
        run=_description(file.with_name("run.json")),
    )


def parameters_of(sources: Iterable[Source]) -> dict[str, dict[str, Any]]:
    """Return the full parameters of every configuration that a run describes.

    Parameters
    ----------
    sources : iterable of Source
        Inputs; equal identifiers mean equal parameters.

    Returns
    -------
    dict
        Name and value of each parameter, by ``config_id``.
    """
    known: dict[str, dict[str, Any]] = {}
    for source in sources:
        described = source.run.get("configurations")
        if isinstance(described, dict):
            known |= {k: v for k, v in described.items() if isinstance(v, dict)}
    return known


def provenance_json(
    sources: list[Source],
    settings: Settings,
    files: Mapping[str, bytes],
    evaluated: Sequence[Evaluated] = (),
) -> bytes:
    """Write down inputs, settings and outputs of a build.

    Parameters
    ----------
    sources : list of Source
        Inputs.
    settings : Settings
        How the tables were computed.
    files : mapping of str to bytes
        Outputs by their path below the folder; their hashes are written down.
    evaluated : sequence of Evaluated
        Tables of submissions that the page shows; inputs, too.

    Returns
    -------
    bytes
        JSON with sorted keys.
    """
    content = {
        "tables_version": TABLES_VERSION,
        "settings": asdict(settings),
        "runs": [asdict(source) for source in sources],
        "submissions": {each.file: each.sha256 for each in evaluated},
        "files": {
            name: hashlib.sha256(data).hexdigest() for name, data in files.items()
        },
    }
    return (
        json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
    ).encode()


def _description(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        # A parameter may be infinite or no number, for which JSON has words alone.
        content = json.loads(file.read_text(encoding="utf-8"), parse_constant=str)
        too_deep = _is_deeper(content, _DEEPEST)
        # What Python reads and cannot write again: half a character, 1e999.
        json.dumps(content, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        too_deep = True
    except ValueError as error:
        msg = f"run {str(file)!r}: not JSON ({error}); restore it or remove it"
        raise ResultsError(msg) from error
    if too_deep:
        msg = f"run {str(file)!r}: nested too deep; restore it or remove it"
        raise ResultsError(msg)
    if not isinstance(content, dict):
        return {}
    return {name: content[name] for name in _FROM_RUN if name in content}


def _is_deeper(value: Any, levels: int) -> bool:
    """Say whether lists and objects stand in each other deeper than so many levels."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inside)
