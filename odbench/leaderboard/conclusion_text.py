"""Conclusions that change under audit views, in words: a sentence and Markdown."""

from __future__ import annotations

import numpy as np

from odbench.leaderboard.audit_views import MEANINGS
from odbench.leaderboard.conclusions import Conclusion, Conclusions
from odbench.scoring.metrics import ranked_metrics
from odbench.scoring.policy import PRIMARY
from odbench.text import counted, markdown_text

_LABELS = {metric.name: metric.label for metric in ranked_metrics()}


def sentence(conclusions: Conclusions) -> str:
    """Say in one sentence what changes under the views.

    Parameters
    ----------
    conclusions : Conclusions
        From `conclusions_of`.

    Returns
    -------
    str
        Empty if no view could be taken, or there is only one method.
    """
    by_primary = [each for each in conclusions.found if each.metric == PRIMARY]
    if not by_primary or len(by_primary[0].methods) < 2:
        return ""
    group = f"{conclusions.suite}/{conclusions.partition} ({conclusions.protocol})"
    parts = [
        f"{group}: the first place by mean {_LABELS[PRIMARY]} {_firsts(by_primary)}"
    ]
    ordered = [each for each in by_primary if not np.isnan(each.tau)]
    if ordered:
        least = min(ordered, key=lambda each: each.tau)
        more = f" or more (least: {least.view})" if least.tau < 1 else ""
        parts.append(f"Kendall's tau with the main order is {least.tau:.2f}{more}")
    parts += [
        f"by {each.view} the best method changes on {each.n_winner_changes:.0f} of "
        f"{counted(each.n_datasets, 'data set')}"
        for each in by_primary
        if each.n_winner_changes > 0
    ]
    if conclusions.left_out:
        parts.append(f"left out: {', '.join(conclusions.left_out)}")
    return "; ".join(parts) + "."


def _firsts(views: list[Conclusion]) -> str:
    """Say under which views another method is first."""
    changed = [e for e in views if not set(e.first) & set(e.main_first)]
    count = f"{len(views)} audit view{'s' if len(views) > 1 else ''}"
    if not changed:
        return f"stays the same under {count}"
    names = ", ".join(f"{e.view} (then {' = '.join(e.first)})" for e in changed)
    return f"changes under {len(changed)} of {count}: {names}"


def markdown_section(conclusions: Conclusions) -> list[str]:
    """Return the lines of a section of a suite's README.

    Parameters
    ----------
    conclusions : Conclusions
        From `conclusions_of`.

    Returns
    -------
    list of str
        Empty if no view could be taken and none was left out.
    """
    lines = []
    views = dict.fromkeys(each.view for each in conclusions.found)
    if conclusions.found:
        lines = [
            f"### Which conclusions change: {conclusions.partition}, "
            f"{conclusions.protocol}",
            "",
            markdown_text(sentence(conclusions)),
            "",
            "| view | by | sets | first | first over the same sets | tau | winner "
            "changes |",
            "| :-- | :-- | --: | :-- | :-- | --: | --: |",
            *map(_markdown_row, conclusions.found),
            "",
            "; ".join(f"{view}: {MEANINGS[view]}" for view in views) + ".",
            "",
        ]
    if conclusions.left_out:
        told = (f"{view} ({why})" for view, why in conclusions.left_out.items())
        lines += [f"Audit views that are left out: {', '.join(told)}.", ""]
    return lines


def _markdown_row(each: Conclusion) -> str:
    changes = "" if np.isnan(each.n_winner_changes) else f"{each.n_winner_changes:.0f}"
    cells = (
        each.view,
        _LABELS[each.metric],
        f"{each.n_datasets} of {each.n_known}",
        markdown_text(" = ".join(each.first)),
        markdown_text(" = ".join(each.main_first)),
        "" if np.isnan(each.tau) else f"{each.tau:.2f}",
        changes,
    )
    return "| " + " | ".join(cells) + " |"
