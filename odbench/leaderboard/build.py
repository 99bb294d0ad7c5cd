"""Build a folder of tables from results, byte for byte reproducible."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from odbench.errors import ResultsError, RunBrokenError, UsageError
from odbench.files import is_disk_fault, limit_cure, whole_files
from odbench.leaderboard import comparisons
from odbench.leaderboard.conclusion_text import markdown_section, sentence
from odbench.leaderboard.conclusions import (
    Conclusions,
    conclusion_table,
    conclusions_of,
)
from odbench.leaderboard.evaluated import (
    Evaluated,
    is_evaluated,
    markdown_lines,
)
from odbench.leaderboard.formats import csv_bytes, suite_markdown
from odbench.leaderboard.inputs import (
    Source,
    parameters_of,
    provenance_json,
    source_of,
)
from odbench.leaderboard.load import read_present
from odbench.leaderboard.page.data import Group
from odbench.leaderboard.page.lines import provenance_lines
from odbench.leaderboard.page.records import records_of
from odbench.leaderboard.page.render import group_of, render_groups
from odbench.leaderboard.private import may_be_shown, shown_table
from odbench.leaderboard.regret import regret_table
from odbench.leaderboard.tables import DEFAULT, Settings, left_out, table_of
from odbench.leaderboard.terminal import method_name
from odbench.scoring.cells import Cells, split_results
from odbench.scoring.policy import apply_policy
from odbench.scoring.settings import by_setting, not_ranked
from odbench.submissions.rules import MOST_DECIMALS
from odbench.suites import ORACLE, coverage
from odbench.text import markdown_text

if TYPE_CHECKING:
    import pandas as pd

PROVENANCE = "provenance.json"
# Files that a build can write for a suite, besides its README.md.
TABLES = (
    "public.csv", "private.csv", "complete_case.csv", "per_dataset.csv",
    "policies.csv", "slices.csv", "views.csv", "regret.csv", "power.csv",
    "pareto.csv", "significance.csv", "conclusions.csv",
    "critical_difference.json",
)  # fmt: skip
_OF_SUITE = re.compile(
    rf"[a-z0-9_-]{{1,40}}/({'|'.join(map(re.escape, (*TABLES, 'README.md')))})"
)


class Build(NamedTuple):
    """A leaderboard folder in memory.

    Attributes
    ----------
    files : dict of str to bytes
        Content by path below the folder, with forward slashes.
    tables : pandas.DataFrame
        The main leaderboard of all suites, for showing.
    remarks : list of str
        A sentence per public group: which conclusions change under audit views.
    """

    files: dict[str, bytes]
    tables: pd.DataFrame
    remarks: list[str]


def build_files(
    runs: Sequence[Path],
    *,
    settings: Settings = DEFAULT,
    evaluated: Sequence[Evaluated] = (),
) -> Build:
    """Compute every file of a leaderboard folder.

    Parameters
    ----------
    runs : sequence of Path
        Results files or folders of runs; their order does not matter.
    settings : Settings
        Permutations, clusters, seed.
    evaluated : sequence of Evaluated
        Tables of evaluated submissions in the target folder, which are shown on the
        page and in the suites' Markdown.

    Returns
    -------
    Build

    Raises
    ------
    ResultsError
        If results cannot be read, do not belong together, or have no scores.
    """
    results, sources = _read(runs)
    for line in not_ranked(results):
        warnings.warn(line, stacklevel=2)
    results = by_setting(results)
    records = records_of(results)
    suites: dict[str, list[Cells]] = {}
    for cells in split_results(results):
        if cells.unscored:
            warnings.warn(left_out(cells), stacklevel=2)
        if len(cells.datasets):
            suites.setdefault(cells.suite, []).append(cells)
    # Free the trials, which are most of the memory.
    del results
    files: dict[str, bytes] = {}
    remarks: list[str] = []
    groups = [
        group
        for suite, cells in suites.items()
        for group in _suite(suite, cells, settings, files, remarks)
    ]
    for each in evaluated:
        _add_submissions(each, files)
    if not groups:
        names = ", ".join(source.name for source in sources)
        msg = f"results of {names}: hold no scores; nothing can be ranked"
        raise ResultsError(msg)
    tables = _shown(groups)
    files["README.md"] = _index(tables, evaluated).encode()
    page = render_groups(
        groups,
        records,
        provenance=provenance_lines(sources, settings, evaluated),
        files=sorted(files),
        parameters=parameters_of(sources),
        evaluated=evaluated,
    )
    files["index.html"] = page.encode()
    files = dict(sorted(files.items()))
    files[PROVENANCE] = provenance_json(sources, settings, files, evaluated)
    return Build(files, tables, [remark for remark in remarks if remark])


def write_files(files: dict[str, bytes], out: Path) -> None:
    """Write a build's files to a folder, and remove those of the previous build.

    All files are written under temporary names before the first is renamed, so a full
    disk leaves the folder unchanged.

    Parameters
    ----------
    files : dict of str to bytes
        From `build_files`.
    out : Path
        The folder; created if needed. Files that no build made are kept.

    Raises
    ------
    UsageError
        If the folder holds a table of submissions under the name of a table of
        this build, or cannot be written to.
    RunBrokenError
        If the disk is full.
    """
    _spare_submissions(files, out)
    folders: list[Path] = []
    try:
        for name in files:
            folders += _folders((out / name).parent)
        # The file that lists the others is the last one in `files`.
        with whole_files({out / name: content for name, content in files.items()}):
            for former in _former(out) - set(files):
                if not _is_submissions(out / former):
                    (out / former).unlink(missing_ok=True)
                    folders.append((out / former).parent)
    except OSError as error:
        place = error.filename if isinstance(error, IsADirectoryError) else out
        msg = (
            f"leaderboard {str(place)!r}: cannot be written ({error.strerror}); "
            f"{limit_cure(error) or 'make room, or name another folder with --out'}"
        )
        kind = RunBrokenError if is_disk_fault(error) else UsageError
        raise kind(msg) from error
    finally:
        # Folders that are not empty are kept.
        for folder in reversed(folders):
            with contextlib.suppress(OSError):
                folder.rmdir()


def first_difference(files: dict[str, bytes], out: Path) -> str | None:
    """Compare a build with the files on the disk.

    Parameters
    ----------
    files : dict of str to bytes
        From `build_files`.
    out : Path
        The folder to compare with.

    Returns
    -------
    str or None
        The first file that is missing or differs, in alphabetical order, else the first
        table of another build; None if there is no difference.
    """
    for name, content in files.items():
        path = out / name
        if not path.is_file() or path.read_bytes() != content:
            return name
    there = sorted(path for name in TABLES for path in out.glob(f"*/{name}"))
    names = [p.relative_to(out).as_posix() for p in there if not _is_submissions(p)]
    return next((name for name in names if name not in files), None)


def _folders(folder: Path) -> list[Path]:
    """Create a folder; return it and its parents that did not exist."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _former(out: Path) -> set[str]:
    """Return the suites' tables and pages that the previous build wrote."""
    try:
        files = json.loads((out / PROVENANCE).read_bytes())["files"]
        return {name for name in files if _OF_SUITE.fullmatch(name)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _is_submissions(file: Path) -> bool:
    """Check whether a table comes from evaluated submissions."""
    if file.name != "private.csv" or not file.is_file():
        return False
    return is_evaluated(file.read_bytes())


def _spare_submissions(files: dict[str, bytes], out: Path) -> None:
    """Refuse to overwrite a private table of evaluated submissions."""
    for name in files:
        if _is_submissions(out / name):
            msg = (
                f"{str(out / name)!r}: holds evaluated submissions, which results of "
                "runs must not replace; name another folder with --out"
            )
            raise UsageError(msg)


def _read(runs: Sequence[Path]) -> tuple[pd.DataFrame, list[Source]]:
    import pandas as pd

    frames, sources = [], []
    for run in runs:
        # Of one run the newest version counts; several runs must agree.
        frame = read_present(run)
        sources.append(source_of(run, frame))
        frames.append(frame)
    # The order of the runs must not affect the tables.
    order = sorted(range(len(runs)), key=lambda i: sources[i].results_sha256)
    ordered = [frames[i] for i in order]
    del frames
    together = ordered[0] if len(ordered) == 1 else pd.concat(ordered)
    return together, [sources[i] for i in order]


def _add_submissions(evaluated: Evaluated, files: dict[str, bytes]) -> None:
    """Add a table of submissions to its suite's Markdown."""
    if evaluated.file in files:
        msg = (
            f"{evaluated.file}: the folder has evaluated submissions under this name, "
            "which results of runs must not replace; name another folder with --out"
        )
        raise UsageError(msg)
    name = f"{evaluated.suite}/README.md"
    before = files.get(name, f"# {evaluated.suite}\n".encode())
    files[name] = before + (
        "\n".join(
            [
                "",
                f"## {evaluated.partition}, evaluated submissions",
                "",
                f"Over {evaluated.rows[0]['n_datasets']} data sets; tiers are "
                "explained in `docs/submissions.md`.",
                "",
                *markdown_lines(evaluated),
                "",
            ]
        ).encode()
    )


def _suite(
    suite: str,
    cells: list[Cells],
    settings: Settings,
    files: dict[str, bytes],
    remarks: list[str],
) -> list[Group]:
    """Add one suite's files and remarks; return the data for its page."""
    import pandas as pd

    groups = [group_of(part, settings) for part in cells if may_be_shown(part)]
    if not groups:
        return groups
    files[f"{suite}/README.md"] = suite_markdown(suite, _shown(groups)).encode()
    closed = [group.table for group in groups if group.private]
    if closed:
        table = pd.concat(closed, ignore_index=True)
        files[f"{suite}/private.csv"] = csv_bytes(table, decimals=MOST_DECIMALS)
    opened = [group for group in groups if not group.private]
    changes = [conclusions_of(group.quality) for group in opened]
    _write_open(suite, opened, changes, settings, files)
    remarks += map(sentence, changes)
    return groups


def _write_open(
    suite: str,
    groups: list[Group],
    changes: list[Conclusions],
    settings: Settings,
    files: dict[str, bytes],
) -> None:
    """Add the files of a suite's public partitions, and a section to its README."""
    import pandas as pd

    if not groups:
        return
    parts: dict[str, list[pd.DataFrame]] = {}
    for group, change in zip(groups, changes, strict=True):
        whole = apply_policy(group.quality.cells, "complete-case")
        made = {
            "public": group.table,
            "complete_case": table_of(whole, settings),
            "policies": group.policies,
            "per_dataset": comparisons.dataset_table(group.quality),
            "slices": group.slices,
            "views": group.views,
            "regret": None
            if group.views is None
            else regret_table(group.quality, settings),
            "power": comparisons.power_table(group.table),
            "pareto": comparisons.pareto_table(group.table),
            "significance": comparisons.evidence_table(group.table),
            "conclusions": conclusion_table(change),
        }
        for name, table in made.items():
            if table is not None and len(table):
                parts.setdefault(name, []).append(table)
    for name, tables in parts.items():
        joined = pd.concat(tables, ignore_index=True)
        files[f"{suite}/{name}.csv"] = csv_bytes(joined)
    tests = [comparisons.rank_tests(group.quality, settings) for group in groups]
    diagrams = json.dumps(tests, indent=2) + "\n"
    files[f"{suite}/critical_difference.json"] = diagrams.encode()
    section = [line for change in changes for line in ("", *markdown_section(change))]
    files[f"{suite}/README.md"] += "\n".join(section).rstrip("\n").encode() + b"\n"


def _shown(groups: Sequence[Group]) -> pd.DataFrame:
    """Join leaderboards; those of private partitions are rounded."""
    import pandas as pd

    tables = [shown_table(group.table, group.key[1]) for group in groups]
    return pd.concat(tables, ignore_index=True)


def _may_be_best(rows: pd.DataFrame) -> str:
    """Name the configurations that may be best by mean AUROC, at most three."""
    best = rows[rows["place_low"] == rows["place_low"].min()]
    best = best if len(best) else rows.head(1)
    names = [
        method_name(*pair)
        for pair in zip(best["detector"], best["config"], strict=True)
    ]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _index(tables: pd.DataFrame, evaluated: Sequence[Evaluated]) -> str:
    lines = [
        "# Leaderboards",
        "",
        "Generated by `odbench leaderboard build`; never edited by hand. What each",
        "column means: `docs/results.md`; each formula: `docs/metrics.md`.",
        "",
        "| suite | partition | protocol | covers | configurations | may be best |",
        "| :-- | :-- | :-- | --: | --: | :-- |",
    ]
    for key, rows in tables.groupby(["suite", "partition", "protocol"], sort=True):
        suite, partition, protocol = map(str, key)
        sets = coverage(suite, partition, int(rows["n_total"].iloc[0]))
        real = rows[rows["detector"] != ORACLE]
        best = _may_be_best(real if len(real) else rows)
        lines.append(
            f"| [{suite}]({suite}/README.md) | {partition} | {protocol} | {sets} | "
            f"{len(rows)} | {markdown_text(best)} |"
        )
    if evaluated:
        lines += ["", "Evaluated submissions:", ""]
        lines += ["| suite | partition | data sets | methods | best mean AUROC |"]
        lines += ["| :-- | :-- | --: | --: | :-- |"]
    for each in evaluated:
        lines.append(
            f"| [{each.suite}]({each.suite}/README.md) | {each.partition} | "
            f"{each.rows[0]['n_datasets']} | {len(each.rows)} | "
            f"{markdown_text(str(each.rows[0]['method']))} |"
        )
    return "\n".join(lines) + "\n"
