"""The protocol of a leaderboard as a paragraph: numbers, settings, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from odbench import __version__
from odbench.leaderboard.tables import Settings
from odbench.provenance import recorded_machine
from odbench.scoring.policy import MEANINGS, Policy
from odbench.scoring.settings import describe
from odbench.suites import ORACLE, coverage, load_suites

if TYPE_CHECKING:
    import pandas as pd

_LIBRARIES = ("numpy", "scipy", "scikit-learn")


def protocol_paragraph(
    rows: pd.DataFrame,
    *,
    settings: Settings,
    policy: Policy,
    detectors: Mapping[str, str],
    run: Mapping[str, Any],
    published: str = "",
) -> str:
    """State how the numbers of one table were made.

    Parameters
    ----------
    rows : pandas.DataFrame
        Leaderboard of one suite, partition and protocol.
    settings : Settings
        Settings of the table.
    policy : str
        How failures count.
    detectors : mapping of str to str
        Version of each detector.
    run : mapping
        The run's ``run.json``, or nothing.
    published : str
        Where published results among the rows come from.

    Returns
    -------
    str
        Sentences in plain text.
    """
    first = rows.iloc[0]
    sentences = [
        _data(first, len(rows)),
        *describe(str(first["protocol"])),
        _means(rows),
        f"A failed trial, and a data set that was not tried, counts as "
        f"{MEANINGS[policy]}; {_failed(rows)}.",
        _intervals(first, settings),
        _versions(detectors, run),
    ]
    if (rows["detector"] == ORACLE).any():
        sentences.append(
            "The row oracle is not a detector: it knows the distribution of the data."
        )
    if "source" in rows.columns:
        sentences.append(
            f"Rows marked * are of this run, all others published results "
            f"({published}); their seconds are of another run."
        )
    return " ".join(sentence for sentence in sentences if sentence)


def _data(first: Any, configurations: int) -> str:
    name, partition = str(first["suite"]), str(first["partition"])
    suite = load_suites().get(name)
    title = suite.short_title if suite is not None else name
    sets = coverage(name, partition, int(first["n_total"]))
    families = int(first["n_families"])
    return (
        f"{configurations} configurations are compared on {sets} of {title} "
        f"({partition} partition, {families} families of data sets that come from one "
        f"source) in the setting {first['protocol']}."
    )


def _means(rows: pd.DataFrame) -> str:
    least, most = int(rows["n_seeds"].min()), int(rows["n_seeds"].max())
    seeds = f"{most}" if least == most else f"{least} to {most}"
    plural = "" if seeds == "1" else "s"
    return (
        f"AUROC and average precision (AP) are means over data sets, in percent, "
        f"each averaged over {seeds} seed{plural} first; ranks are by AUROC; "
        f"seconds are the median time to fit and score a data set."
    )


def _failed(rows: pd.DataFrame) -> str:
    failed, missing = int(rows["n_failed"].sum()), int(rows["n_missing"].sum())
    trials = int(rows["n_trials"].sum())
    return f"{failed} of {trials} trials failed and {missing} are missing"


def _intervals(first: Any, settings: Settings) -> str:
    unit = "families of data sets" if settings.cluster == "family" else "data sets"
    parts = []
    if settings.permutations:
        parts.append(
            f"The intervals of places hold for all places at once, from "
            f"{settings.permutations} random sign flips of {unit} (seed "
            f"{settings.seed}); 1 in the interval means: may be best."
        )
    if first.get("mean_auroc_low") == first.get("mean_auroc_low"):
        parts.append(f"All other intervals are at 95 % over {unit}.")
    return " ".join(parts)


def _versions(detectors: Mapping[str, str], run: Mapping[str, Any]) -> str:
    versions = run.get("versions")
    versions = versions if isinstance(versions, dict) else {}
    used = [f"odbench {versions.get('odbench', __version__)}"]
    if "python" in versions:
        used.append(f"Python {versions['python']}")
    used += [f"{name} {versions[name]}" for name in _LIBRARIES if name in versions]
    # Detectors that come with odbench have its version.
    own = versions.get("odbench", __version__)
    others = [f"{n} {v}" for n, v in sorted(detectors.items()) if v not in ("", own)]
    machine = recorded_machine(run.get("machine"))
    where = (
        f" on {machine['cores']} cores ({machine.get('processor', 'unknown')})"
        if "cores" in machine
        else ""
    )
    text = f"Computed with {', '.join(used)}{where}."
    return text + (f" Other detectors: {', '.join(others)}." if others else "")
