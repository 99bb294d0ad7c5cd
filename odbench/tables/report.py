"""Scored rows as one self-contained HTML page without scripts."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shlex
from collections.abc import Sequence
from importlib.resources import files as resource_files
from pathlib import Path

import numpy as np

from odbench import __version__
from odbench.arrays import IntArray
from odbench.tables.fitted import Fitted
from odbench.tables.pictures import Pictures
from odbench.tables.scored import Scored
from odbench.tables.wording import show_share
from odbench.text import counted, printable

# Rows shown: the first ones, and as many flagged ones in all.
ROWS, FLAGGED = 50, 200


# The name of an option, or a date, which a browser would break after its hyphens.
_HYPHENS = re.compile(r"(?<!\S)--[a-z-]+|(?<!\d)\d{4}-\d\d-\d\d(?!\d)")


def render_report(scored: Scored, fitted: Fitted, command: Sequence[str] = ()) -> str:
    """Return the page.

    Parameters
    ----------
    scored : Scored
    fitted : Fitted
        What the rows were scored with; its rows are in the pictures.
    command : sequence of str
        Arguments of the command, for the settings.

    Returns
    -------
    str
        HTML. Text from the table is escaped, and a content security policy forbids
        scripts and requests.
    """
    style = _asset("report.css")
    pictures = Pictures.of(fitted)
    places = _shown(scored)
    notes = "".join(f"<li>{_unbroken(_text(note))}</li>" for note in scored.notes)
    return _filled(
        _asset("report.html"),
        {
            "policy": _policy(style),
            "style": style,
            "title": _text(Path(scored.name).name),
            "lead": _text(_lead(scored)),
            "verdict": _unbroken(_text(scored.verdict())),
            "notes": f"<ul>{notes}</ul>" if notes else "",
            "count": str(len(places)),
            "rows": "".join(_row(scored, row, pictures) for row in places.tolist()),
            "columns": _columns(scored),
            "facts": _facts(scored, command),
        },
    )


def _shown(scored: Scored) -> IntArray:
    count = min(max(ROWS, scored.n_flagged), FLAGGED)
    return scored.top(count)


def _lead(scored: Scored) -> str:
    compared = scored.reference or "each other"
    return (
        f"{counted(len(scored.scores), 'row')} compared with {compared} by "
        f"{scored.detector} ({scored.setting})"
    )


def _row(scored: Scored, row: int, pictures: Pictures) -> str:
    name = f"row {scored.numbers(np.array([row]))[0]}"
    if scored.id_name:
        name = f"{scored.id_name} {scored.ids[row].as_py()} · {name}"
    flag = '<span class="flag">flagged</span>' if scored.flagged[row] else ""
    reasons = "".join(
        f"<li>{_unbroken(_text(reason.text))} "
        f'<span class="share">{show_share(reason.share)} of the score</span>'
        f"{pictures.draw(reason)}</li>"
        for reason in scored.reasons.get(row, ())
    )
    return (
        f'<li><div class="head"><span>{scored.rank[row]}</span><h3>{_text(name)}</h3>'
        f"<span>score {scored.scores[row]:.4g}</span>"
        f"<span>p = {scored.p_values[row]:.2g}</span>{flag}</div>"
        f'<ul class="why">{reasons}</ul></li>'
    )


def _columns(scored: Scored) -> str:
    return "".join(
        f'<tr><th scope="row">{_text(c.name)}</th><td>{_text(c.role)}'
        f"{'' if c.used else ', left out'}</td><td>{_text(c.note)}</td></tr>"
        for c in scored.columns
    )


def _facts(scored: Scored, command: Sequence[str]) -> str:
    facts = [
        ("Table", scored.name),
        ("Format", scored.form),
        ("Rows", f"{len(scored.scores):,}"),
        ("Detector", scored.detector),
        ("Setting", scored.setting),
        ("Reference", scored.reference or "none"),
        ("Rows behind p-values", f"{scored.n_reference:,}"),
        ("False discovery rate", show_share(scored.fdr)),
        ("Flagged", f"{scored.n_flagged:,}"),
        ("Highest score", f"{np.max(scored.scores):.4g}"),
        ("odbench", __version__),
    ]
    if command:
        facts.append(("Command", f"odbench {shlex.join(command)}"))
    return "".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>" for k, v in facts)


def _text(text: str) -> str:
    return html.escape(printable(text))


def _asset(name: str) -> str:
    place = resource_files("odbench.tables") / "assets" / name
    return place.read_text(encoding="utf-8")


def _unbroken(text: str) -> str:
    return _HYPHENS.sub(r'<span class="option">\g<0></span>', text)


def _policy(style: str) -> str:
    """Allow this style by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        f"base-uri 'none'; form-action 'none'"
    )


def _filled(template: str, values: dict[str, str]) -> str:
    """Fill a template in one pass, so that placeholders in values stay text."""
    pieces = re.split(r"\{\{(\w+)\}\}", template)
    pieces[1::2] = [values[name] for name in pieces[1::2]]
    return "".join(pieces)
