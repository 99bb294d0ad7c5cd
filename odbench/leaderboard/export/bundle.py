"""The files of an export, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from odbench.errors import ResultsError, UsageError
from odbench.leaderboard.comparisons import rank_tests
from odbench.leaderboard.export import figures
from odbench.leaderboard.export.bibtex import OWN_KEY, references
from odbench.leaderboard.export.cells import table_cells
from odbench.leaderboard.export.latex import escaped, latex_document, latex_table
from odbench.leaderboard.export.markdown import markdown_table
from odbench.leaderboard.export.paragraph import protocol_paragraph
from odbench.leaderboard.formats import csv_bytes
from odbench.leaderboard.private import may_be_shown, shown_table
from odbench.leaderboard.slices import slice_table
from odbench.leaderboard.tables import DEFAULT, Settings, table_of
from odbench.leaderboard.terminal import heading_of
from odbench.scoring.cells import split_results
from odbench.scoring.policy import Policy, Quality, apply_policy
from odbench.scoring.settings import by_setting
from odbench.suites import ORACLE
from odbench.text import markdown_text

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("latex", "markdown", "csv", "svg", "pdf", "bibtex")
_DRAWN = ("svg", "pdf")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts of an export that results do not hold.

    Attributes
    ----------
    settings : Settings
        Permutations, clusters, seed.
    policy : str
        How failures count.
    run : mapping
        The run's ``run.json``.
    own : set of tuple of str or None
        Detector and configuration of the run's own rows among published ones.
    published : str
        Where the published results come from.
    """

    settings: Settings = DEFAULT
    policy: Policy = "main"
    run: Mapping[str, Any] = field(default_factory=dict)
    own: set[tuple[str, str]] | None = None
    published: str = ""


def parse_formats(text: str) -> list[str]:
    """Return the formats that a comma-separated text names; ``all`` is all of them.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return list(FORMATS)
    wrong = [name for name in names if name not in FORMATS]
    if wrong or not names:
        msg = f"--format: got {text!r}, wanted all or some of {','.join(FORMATS)}"
        raise UsageError(msg)
    return list(dict.fromkeys(names))


def export_files(
    results: pd.DataFrame, formats: Sequence[str], facts: Facts
) -> dict[str, bytes]:
    """Compute the files of an export.

    Parameters
    ----------
    results : pandas.DataFrame
        Present results, the columns of `odbench.results`.
    formats : sequence of str
        Some of `FORMATS`.
    facts : Facts
        Settings and the run's description.

    Returns
    -------
    dict of str to bytes
        Content by name. Each suite, partition and setting has its own files. A private
        partition has rounded tables over at least 20 data sets, and no figures.

    Raises
    ------
    UsageError
        If figures are wanted and matplotlib is not installed, or figures alone of
        private partitions.
    ResultsError
        If no data set has public labels, or too few private ones are scored.
    """
    if set(_DRAWN) & set(formats):
        figures.need_matplotlib()
    made: dict[str, bytes] = {}
    inputs: list[str] = []
    suites: list[str] = []
    for cells in split_results(by_setting(results)):
        quality = apply_policy(cells, facts.policy)
        if not quality.auroc.size or not may_be_shown(cells):
            continue
        suites.append(cells.suite)
        made |= _group(quality, formats, facts, _versions(results), inputs)
    if not suites:
        msg = (
            "export: no data set has public labels, and no private partition enough "
            "data sets; nothing can be ranked"
        )
        raise ResultsError(msg)
    if not made and set(_DRAWN) & set(formats):
        msg = (
            "--format: figures of a private partition show too much; wanted latex, "
            "markdown or csv"
        )
        raise UsageError(msg)
    if "bibtex" in formats:
        made["references.bib"] = references(suites)[1].encode()
    if "latex" in formats:
        made["document.tex"] = latex_document(inputs).encode()
    return made


def _group(
    quality: Quality,
    formats: Sequence[str],
    facts: Facts,
    versions: Mapping[str, str],
    inputs: list[str],
) -> dict[str, bytes]:
    """Return the files of one suite, partition and setting."""
    cells = quality.cells
    table = shown_table(table_of(quality, facts.settings), cells.partition)
    if facts.own is not None:
        own = zip(table["detector"], table["config"], strict=True)
        table["source"] = ["run" if o in facts.own else "published" for o in own]
    stem = f"{cells.suite}-{cells.partition}-{cells.protocol}".replace("=", "-")
    text = protocol_paragraph(
        table,
        settings=facts.settings,
        policy=facts.policy,
        detectors={name: versions.get(name, "") for name in table["detector"]},
        run=facts.run,
        published=facts.published,
    )
    made: dict[str, bytes] = {}
    if "latex" in formats:
        made |= _latex(table, text, stem)
        inputs += [f"{stem}-table.tex", f"{stem}-protocol.tex"]
    if "markdown" in formats:
        shown = markdown_table(table_cells(table), caption=_caption(table))
        made[f"{stem}.md"] = f"{shown}\n{markdown_text(text)}\n".encode()
    if "csv" in formats:
        made[f"{stem}.csv"] = csv_bytes(table)
    is_drawn = cells.partition != "private"
    for form in (form for form in _DRAWN if is_drawn and form in formats):
        made |= _figures(quality, table, stem, form, facts.settings)
    return made


def _latex(table: pd.DataFrame, text: str, stem: str) -> dict[str, bytes]:
    suite = str(table["suite"].iloc[0])
    cited = ",".join([*references([suite])[0].values(), OWN_KEY])
    shown = latex_table(
        table_cells(table), caption=_caption(table), label=f"tab:{stem}"
    )
    return {
        f"{stem}-table.tex": shown.encode(),
        f"{stem}-protocol.tex": (
            f"\\paragraph{{Protocol.}} {escaped(text)} \\cite{{{cited}}}\n"
        ).encode(),
    }


def _figures(
    quality: Quality, table: pd.DataFrame, stem: str, form: str, settings: Settings
) -> dict[str, bytes]:
    slices = slice_table(quality, Settings(permutations=0, cluster=settings.cluster))
    drawings = {"slices": partial(figures.draw_slices, table=table, slices=slices)}
    if table["median_fit_seconds"].notna().any():
        drawings["pareto"] = partial(figures.draw_pareto, table=table)
    if len(table) > 1:
        drawings["critical-difference"] = partial(
            figures.draw_critical_difference, tests=rank_tests(quality, settings)
        )
    return {
        f"{stem}-{name}.{form}": figures.figure_bytes(draw, form)
        for name, draw in drawings.items()
    }


def _caption(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    heading = heading_of(first["suite"], first["partition"], first["protocol"])
    return (
        f"{heading}: {int(first['n_total'])} data sets, 95 % intervals in brackets; "
        f"bold: best value, and places that may be the first."
    )


def _versions(results: pd.DataFrame) -> dict[str, str]:
    known = results[["detector", "detector_version"]].drop_duplicates().dropna()
    return dict(known[known["detector"] != ORACLE].itertuples(index=False, name=None))
