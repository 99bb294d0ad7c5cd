"""A folder of tables from the results of runs, byte for byte the same each time."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from odbench.errors import ResultsError
from odbench.leaderboard import comparisons
from odbench.leaderboard.provenance import Source, provenance_json, source_of
from odbench.leaderboard.slices import slice_table
from odbench.leaderboard.suites import coverage
from odbench.leaderboard.tables import DEFAULT, Settings, left_out, table_of
from odbench.leaderboard.text import PRIVATE_DECIMALS, csv_bytes, suite_markdown
from odbench.leaderboard.views import has_grid, view_table
from odbench.results import read_results
from odbench.scoring.cells import Cells, split_results
from odbench.scoring.policy import apply_policy

if TYPE_CHECKING:
    import pandas as pd

# An aggregate over fewer data sets tells too much about each of them.
LEAST_PRIVATE_SETS = 20
PROVENANCE = "provenance.json"


class Build(NamedTuple):
    """A leaderboard folder that is not on a disk yet.

    Attributes
    ----------
    files : dict of str to bytes
        Content by path below the folder, with forward slashes.
    tables : pandas.DataFrame
        The main leaderboard of all suites, for showing.
    """

    files: dict[str, bytes]
    tables: pd.DataFrame


def build_files(runs: Sequence[Path], *, settings: Settings = DEFAULT) -> Build:
    """Compute every file of a leaderboard folder.

    Parameters
    ----------
    runs : sequence of Path
        Results files or folders of runs; their order does not matter.
    settings : Settings
        Resamples, permutations, seed.

    Returns
    -------
    Build

    Raises
    ------
    ResultsError
        If results cannot be read, do not belong together, or hold no scores.
    """
    import pandas as pd

    results, sources = _read(runs)
    files: dict[str, bytes] = {}
    mains = []
    suites: dict[str, list[Cells]] = {}
    for cells in split_results(results):
        if cells.unscored:
            warnings.warn(left_out(cells), stacklevel=2)
        if len(cells.datasets):
            suites.setdefault(cells.suite, []).append(cells)
    del results
    for suite, groups in suites.items():
        main = _suite(suite, groups, settings, files)
        if len(main):
            mains.append(main)
    if not mains:
        names = ", ".join(source.name for source in sources)
        msg = f"results of {names}: hold no scores; nothing can be ranked"
        raise ResultsError(msg)
    tables = pd.concat(mains, ignore_index=True)
    files["README.md"] = _index(tables).encode()
    files = dict(sorted(files.items()))
    files[PROVENANCE] = provenance_json(sources, settings, files)
    return Build(files, tables)


def write_files(files: dict[str, bytes], out: Path) -> None:
    """Write a build's files below a folder, each whole or not at all.

    Parameters
    ----------
    files : dict of str to bytes
        From `build_files`.
    out : Path
        The folder; made if it is not there. Other files in it stay.
    """
    for name, content in files.items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        temporary.write_bytes(content)
        temporary.replace(target)


def first_difference(files: dict[str, bytes], out: Path) -> str | None:
    """Compare a build with what is on the disk.

    Parameters
    ----------
    files : dict of str to bytes
        From `build_files`.
    out : Path
        The folder to compare with.

    Returns
    -------
    str or None
        The first file that is missing or differs, in the order of their names;
        None where all are the same.
    """
    for name, content in files.items():
        path = out / name
        if not path.is_file() or path.read_bytes() != content:
            return name
    return None


def _read(runs: Sequence[Path]) -> tuple[pd.DataFrame, list[Source]]:
    import pandas as pd

    frames, sources = [], []
    for run in runs:
        frame = read_results(run)
        sources.append(source_of(run, frame))
        frames.append(frame)
    # The order in which runs are named must not show in the tables.
    order = sorted(range(len(runs)), key=lambda i: sources[i].results_sha256)
    ordered = [frames[i] for i in order]
    del frames
    together = ordered[0] if len(ordered) == 1 else pd.concat(ordered)
    return together, [sources[i] for i in order]


def _suite(
    suite: str, groups: list[Cells], settings: Settings, files: dict[str, bytes]
) -> pd.DataFrame:
    """Add one suite's files; return its main leaderboard."""
    import pandas as pd

    public = [cells for cells in groups if cells.partition != "private"]
    private = [cells for cells in groups if cells.partition == "private"]
    shown = []
    if public:
        shown.append(_public(suite, public, settings, files))
    closed = _private(private, settings)
    if len(closed):
        files[f"{suite}/private.csv"] = csv_bytes(closed, decimals=PRIVATE_DECIMALS)
        shown.append(closed.round(PRIVATE_DECIMALS))
    if not shown:
        return pd.DataFrame()
    main = pd.concat(shown, ignore_index=True)
    files[f"{suite}/README.md"] = suite_markdown(suite, main).encode()
    return main


def _public(
    suite: str, groups: list[Cells], settings: Settings, files: dict[str, bytes]
) -> pd.DataFrame:
    import pandas as pd

    parts: dict[str, list[pd.DataFrame]] = {}
    tests: list[dict[str, Any]] = []
    # Slices and views are many; what they leave out is in the main table.
    quick = replace(settings, permutations=0)
    for cells in groups:
        quality = apply_policy(cells, "main")
        table = table_of(quality, settings)
        whole = apply_policy(cells, "complete-case")
        tests.append(comparisons.rank_tests(quality))
        made = {
            "public": table,
            "complete_case": table_of(whole, settings),
            "policies": comparisons.policy_table(cells),
            "per_dataset": comparisons.dataset_table(quality),
            "slices": slice_table(quality, quick),
            "pareto": comparisons.pareto_table(table),
            "significance": comparisons.evidence_table(table),
        }
        if has_grid(cells):
            made["views"] = view_table(quality, quick)
        for name, part in made.items():
            parts.setdefault(name, []).append(part)
    for name, tables in parts.items():
        filled = [table for table in tables if len(table)]
        if filled:
            joined = pd.concat(filled, ignore_index=True)
            files[f"{suite}/{name}.csv"] = csv_bytes(joined)
    diagrams = json.dumps(tests, indent=2) + "\n"
    files[f"{suite}/critical_difference.json"] = diagrams.encode()
    return pd.concat(parts["public"], ignore_index=True)


def _private(groups: list[Cells], settings: Settings) -> pd.DataFrame:
    """Compute aggregates over labels that are kept secret, where they are many."""
    import pandas as pd

    tables = []
    for cells in groups:
        if len(cells.datasets) < LEAST_PRIVATE_SETS:
            message = (
                f"leaderboard of {cells.suite}/private ({cells.protocol}): "
                f"{len(cells.datasets)} scored data sets; wanted at least "
                f"{LEAST_PRIVATE_SETS}, so it is left out"
            )
            warnings.warn(message, stacklevel=2)
            continue
        tables.append(table_of(apply_policy(cells, "main"), settings))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _index(tables: pd.DataFrame) -> str:
    lines = [
        "# Leaderboards",
        "",
        "Generated by `odbench leaderboard build`; never edited by hand. What each",
        "column means: `docs/results.md`; each formula: `docs/metrics.md`.",
        "",
        "| suite | partition | protocol | covers | configurations | best total rank |",
        "| :-- | :-- | :-- | --: | --: | :-- |",
    ]
    for key, rows in tables.groupby(["suite", "partition", "protocol"], sort=True):
        suite, partition, protocol = map(str, key)
        sets = coverage(suite, partition, int(rows["n_total"].iloc[0]))
        best = rows.iloc[0]["detector"]
        lines.append(
            f"| [{suite}]({suite}/README.md) | {partition} | {protocol} | {sets} | "
            f"{len(rows)} | {best} |"
        )
    return "\n".join(lines) + "\n"
