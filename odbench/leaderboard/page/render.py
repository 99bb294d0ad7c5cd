"""The leaderboard as one self-contained HTML page.

`render_page` turns results into one HTML file that contains its style, script and data.
The same results give the same bytes. Text from results is never treated as markup: the
data are in a block without any ``<``, the script turns them into text nodes, and a
content security policy allows only that script to run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files as resource_files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from odbench.leaderboard import comparisons
from odbench.leaderboard.evaluated import Evaluated
from odbench.leaderboard.page.data import Group, page_data
from odbench.leaderboard.page.records import Records, records_of
from odbench.leaderboard.slices import slice_table
from odbench.leaderboard.tables import DEFAULT, Settings, table_of
from odbench.leaderboard.views import has_grid, view_table
from odbench.results import select_present
from odbench.scoring.cells import Cells, split_results
from odbench.scoring.policy import apply_policy
from odbench.scoring.settings import by_setting
from odbench.submissions.rules import FEWEST_SETS
from odbench.suites import in_page_order

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Leaderboards of outlier detectors"
STYLES = ("style.css", "tables.css")
# Joined in this order: each file may use definitions of the files before it.
SCRIPTS = (
    "dom.js", "format.js", "data.js", "state.js", "theme.js", "table.js", "cells.js",
    "metrics.js", "scope.js", "charts.js", "submissions.js", "leaderboard.js",
    "detector.js", "dataset.js", "winrates.js", "ranks.js", "pareto.js", "failures.js",
    "search.js", "about.js", "app.js",
)  # fmt: skip
# Sign flips behind the intervals of places within a slice.
SLICE_PERMUTATIONS = 1_000
Provenance = Sequence[tuple[str, str]]
Parameters = Mapping[str, Mapping[str, object]]
_NOTHING: Mapping[str, Mapping[str, object]] = MappingProxyType({})


def render_page(
    results: pd.DataFrame,
    *,
    title: str = TITLE,
    provenance: Provenance = (),
    files: Collection[str] = (),
    parameters: Parameters = _NOTHING,
    settings: Settings = DEFAULT,
    evaluated: Collection[Evaluated] = (),
) -> str:
    """Render the page from results alone.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial, with the columns of `odbench.results`.
    title : str
        Heading of the page.
    provenance : sequence of (str, str)
        Sources of the page: one name and value per line.
    files : collection of str
        Paths of files next to the page, such as ``oddbench/public.csv``; files with
        known names are linked.
    parameters : mapping of str to mapping
        All parameters of a configuration, by its ``config_id``.
    settings : Settings
        Permutations, clusters, seed.
    evaluated : collection of Evaluated
        Tables of evaluated submissions next to the page.

    Returns
    -------
    str
        HTML.
    """
    present, remarks = select_present(results)
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    return render_groups(
        list(groups_of(present, settings)),
        records_of(by_setting(present)),
        title=title,
        provenance=provenance,
        files=files,
        parameters=parameters,
        evaluated=evaluated,
    )


def groups_of(results: pd.DataFrame, settings: Settings = DEFAULT) -> Iterator[Group]:
    """Compute the tables that the page shows, for each suite, partition and protocol.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial.
    settings : Settings
        Permutations, clusters, seed.

    Yields
    ------
    Group
        Tables of one suite, partition and protocol. Groups without scored data sets
        and private groups of too few data sets are skipped.
    """
    for cells in split_results(results):
        least = FEWEST_SETS if cells.partition == "private" else 1
        if len(cells.datasets) >= least:
            yield group_of(cells, settings)


def group_of(cells: Cells, settings: Settings) -> Group:
    """Compute the tables of one suite, partition and protocol.

    Parameters
    ----------
    cells : Cells
        The results of the group.
    settings : Settings
        Permutations, clusters, seed.

    Returns
    -------
    Group
        For a private partition, only the leaderboard.
    """
    quality = apply_policy(cells, "main")
    table = table_of(quality, settings)
    if cells.partition == "private":
        return Group(quality, table)
    # There are many slices and views: slices have intervals of places from fewer
    # permutations, views have none.
    few = replace(settings, permutations=min(settings.permutations, SLICE_PERMUTATIONS))
    quick = replace(settings, permutations=0)
    return Group(
        quality,
        table,
        slices=slice_table(quality, few),
        views=view_table(quality, quick) if has_grid(cells) else None,
        policies=comparisons.policy_table(cells),
        settings=settings,
    )


def render_groups(
    groups: Collection[Group],
    records: Records,
    *,
    title: str = TITLE,
    provenance: Provenance = (),
    files: Collection[str] = (),
    parameters: Parameters = _NOTHING,
    evaluated: Collection[Evaluated] = (),
) -> str:
    """Render the page from tables that are already computed.

    Parameters
    ----------
    groups : collection of Group
        Public partitions are shown first.
    records : Records
        From `odbench.leaderboard.page.records.records_of`.
    title, provenance, files, parameters, evaluated
        See `render_page`.

    Returns
    -------
    str
        HTML.
    """
    groups = _in_order(groups)
    data = page_data(groups, records, title=title, files=files, evaluated=evaluated)
    for method in data["methods"]:
        known = parameters.get(method["config_id"], _NOTHING)
        method["params"] = [[str(name), str(value)] for name, value in known.items()]
    data["provenance"] = [list(line) for line in provenance]
    style = "".join(_asset(name) for name in STYLES)
    script = _script()
    return _filled(
        _asset("page.html"),
        {
            "policy": _policy(style, script),
            "title": html.escape(title),
            "style": style,
            "script": script,
            "data": inert_json(data),
            "provenance": _definitions(provenance),
            "fallback": _links(sorted({*files, *(each.file for each in evaluated)})),
        },
    )


def inert_json(data: Any) -> str:
    """Return JSON that cannot be read as HTML markup.

    Parameters
    ----------
    data : object
        Any value that JSON can hold; NaN is refused.

    Returns
    -------
    str
        JSON in which ``<``, ``>``, ``&`` and line separators are escaped.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    # A lone surrogate cannot be encoded as UTF-8, so it is replaced.
    return text.encode("utf-8", "replace").decode("utf-8")


def _in_order(groups: Iterable[Group]) -> list[Group]:
    """Sort groups: public before private, then by the order of suites."""
    groups = list(groups)
    suites = in_page_order({group.key[0] for group in groups})
    return sorted(groups, key=lambda g: (g.private, suites.index(g.key[0]), g.key))


def _asset(name: str) -> str:
    place = resource_files("odbench.leaderboard.page") / "assets" / name
    return place.read_text(encoding="utf-8")


def _script() -> str:
    body = "\n".join(_asset(name) for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{body}}})();\n'


def _policy(style: str, script: str) -> str:
    """Allow this script and this style by their hashes, and nothing else."""
    rules = (
        "default-src 'none'",
        f"script-src {_hash_source(script)}",
        f"style-src {_hash_source(style)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _hash_source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _filled(template: str, values: dict[str, str]) -> str:
    """Fill a template in one pass, so that placeholders in values stay text."""
    pieces = re.split(r"\{\{(\w+)\}\}", template)
    pieces[1::2] = [values[name] for name in pieces[1::2]]
    return "".join(pieces)


def _definitions(lines: Provenance) -> str:
    items = (
        f"<dt>{html.escape(name)}</dt><dd><code>{html.escape(value)}</code></dd>"
        for name, value in lines
    )
    body = "".join(items)
    return f"<dl>{body}</dl>" if body else "<p>Not recorded.</p>"


def _links(paths: Sequence[str]) -> str:
    plain = [path for path in paths if re.fullmatch(r"[\w-][\w./-]*\.csv", path)]
    items = (f'<li><a href="{path}">{path}</a></li>' for path in plain)
    return f"<ul>{''.join(items)}</ul>"
