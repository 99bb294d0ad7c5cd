"""Provenance of a leaderboard: its inputs, so that anyone can build it again.

It holds no time and no absolute path, so the same results and settings give the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odbench.errors import ResultsError
from odbench.leaderboard.evaluated import Evaluated
from odbench.leaderboard.tables import Settings
from odbench.provenance import is_deep
from odbench.results import RESULTS
from odbench.text import printable

if TYPE_CHECKING:
    import pandas as pd

# Increase this when a change makes the same results give different tables.
TABLES_VERSION = 1
# Keys that are copied from ``run.json``.
_FROM_RUN = (
    "versions", "machine", "linear_algebra", "instructions", "git", "configurations",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Source:
    """One input of a leaderboard.

    Attributes
    ----------
    name : str
        Last part of the given path, printable.
    results_sha256 : str
        Hash of the results file.
    trials : int
        Number of rows in it that are of present versions.
    detectors : dict
        Version of each detector, "" if it has none.
    sandbox : dict
        Number of successful trials by the layers of the sandbox that held; "" where
        none did, and empty if the results do not say.
    run : dict
        Versions, machine, git and configurations from the run's ``run.json``;
        empty if there is no such file.
    """

    name: str
    results_sha256: str
    trials: int
    detectors: dict[str, str]
    sandbox: dict[str, int]
    run: dict[str, Any]


def source_of(path: Path, results: pd.DataFrame) -> Source:
    """Describe a results file.

    Parameters
    ----------
    path : Path
        A ``results.parquet`` or the folder of a run.
    results : pandas.DataFrame
        The present results in it.

    Returns
    -------
    Source

    Raises
    ------
    ResultsError
        If the run's description is not JSON.
    """
    file = path / RESULTS if path.is_dir() else path
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    versions = results[["detector", "detector_version"]].drop_duplicates()
    known = {
        str(name): version if isinstance(version, str) else ""
        for name, version in versions.itertuples(index=False)
    }
    return Source(
        # A name that is not UTF-8 could not be written into a page.
        name=printable(path.resolve().name),
        results_sha256=digest,
        trials=len(results),
        detectors=dict(sorted(known.items())),
        sandbox=_sandbox(results),
        run=_description(file.with_name("run.json")),
    )


def _sandbox(results: pd.DataFrame) -> dict[str, int]:
    if "sandbox" not in results.columns:
        return {}
    held = results.loc[results["status"] == "ok", "sandbox"].dropna()
    return dict(sorted(Counter(printable(layers) for layers in held).items()))


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
    """Record the inputs, settings and outputs of a build as JSON.

    Parameters
    ----------
    sources : list of Source
        Inputs.
    settings : Settings
        Settings that the tables were computed with.
    files : mapping of str to bytes
        Outputs by their path below the folder; only their hashes are recorded.
    evaluated : sequence of Evaluated
        Tables of submissions that the page shows; these are inputs, too.

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
        # JSON has no infinite numbers and no NaN, so such parameters are kept as text.
        content = json.loads(file.read_text(encoding="utf-8"), parse_constant=str)
        # The command is left out: it names files, and a name need not be UTF-8.
        known = content if isinstance(content, dict) else {}
        kept = {name: known[name] for name in _FROM_RUN if name in known}
        too_deep = is_deep(kept)
        # Python reads half a surrogate pair and 1e999 but cannot write them again.
        json.dumps(kept, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        too_deep = True
    except ValueError as error:
        msg = f"run {str(file)!r}: not JSON ({error}); restore it or remove it"
        raise ResultsError(msg) from error
    if too_deep:
        msg = f"run {str(file)!r}: nested too deep; restore it or remove it"
        raise ResultsError(msg)
    return kept
