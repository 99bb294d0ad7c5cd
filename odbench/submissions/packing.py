"""Packing a submission: turning a run's kept scores into one archive."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.errors import SubmissionError
from odbench.provenance import recorded_machine, recorded_run
from odbench.results import read_results, scores_file, select_present
from odbench.submissions.archive import (
    STATEMENT,
    member_name,
    write_archive,
)
from odbench.submissions.checking import check, file_sha256
from odbench.submissions.dataset_list import PROTOCOL, DatasetList
from odbench.submissions.score_bytes import encode_scores, read_vector
from odbench.submissions.statement import Statement
from odbench.submissions.strict_json import canonical

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Facts about a packed archive.

    Attributes
    ----------
    n_sets : int
        Number of data sets in the list.
    missing : tuple of str
        Data sets without scores under at least one seed; each counts as a failure.
    n_bytes : int
        Size of the archive.
    sha256 : str
        Hash of the archive; the audit log records it.
    """

    n_sets: int
    missing: tuple[str, ...]
    n_bytes: int
    sha256: str


def pack(
    run: Path,
    out: Path,
    *,
    sets: DatasetList,
    facts: dict[str, Any],
    config: str | None = None,
) -> Packed:
    """Pack the kept scores of a run into one archive.

    Parameters
    ----------
    run : Path
        The folder written by ``odbench run --keep-scores --out``.
    out : Path
        The archive to write; the same input gives the same bytes.
    sets : DatasetList
        The data sets that the submission scores.
    facts : dict
        The fields of `Statement` that a run does not record: authors, contact,
        code_url, kind, configuration, training_data. ``method``, ``version`` and
        ``hardware`` default to what the run recorded.
    config : str, optional
        The configuration to pack if the run holds several: a detector's name, its name
        with the configuration (``knn[k=20]``), or a ``config_id``.

    Returns
    -------
    Packed

    Raises
    ------
    ResultsError, SubmissionError
        If the run, a score file or a field is missing or malformed.
    """
    results, remarks = select_present(read_results(run), run=run)
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    rows = _choose_rows(results, sets, config)
    members, hashes = _gather(run, rows, sets)
    statement = _state(run, rows, sets, facts, hashes)
    members[STATEMENT] = canonical(statement.as_json())
    write_archive(out, members)
    faults = check(out, sets, fewest=0)
    if faults:
        out.unlink()
        raise SubmissionError(faults[0])
    n_seeds = len(statement.seeds)
    whole = {name for name, each in hashes.items() if len(each["scores"]) == n_seeds}
    return Packed(
        n_sets=len(sets.sets),
        missing=tuple(name for name in sets.by_name if name not in whole),
        n_bytes=out.stat().st_size,
        sha256=file_sha256(out),
    )


def _gather(
    run: Path, rows: pd.DataFrame, sets: DatasetList
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Return the members with scores, and their hashes for the statement."""
    members: dict[str, bytes] = {}
    hashes: dict[str, dict[str, Any]] = {}
    trials: list[dict[Any, Any]] = rows[rows["status"] == "ok"].to_dict("records")
    for row in trials:
        content = _scores_member(run, row, sets)
        members[member_name(row["dataset"], row["seed"])] = content
        entry = hashes.setdefault(
            row["dataset"], {"content_sha256": row["content_sha256"], "scores": {}}
        )
        entry["scores"][str(row["seed"])] = hashlib.sha256(content).hexdigest()
    return members, hashes


def _state(
    run: Path,
    rows: pd.DataFrame,
    sets: DatasetList,
    facts: dict[str, Any],
    hashes: dict[str, dict[str, Any]],
) -> Statement:
    """Return the statement: the run's facts, overridden by the submitter's."""
    from odbench import __version__

    recorded = {
        "method": _only(rows["detector"]),
        "version": _only(rows["detector_version"]),
        "hardware": _hardware(run),
        "parameters": f"{_only(rows['detector'])}[{_only(rows['config'])}]",
        "contact": "",
        "code_url": "",
    }
    given = {name: value for name, value in facts.items() if value not in (None, "")}
    return Statement(
        **{**recorded, **given},
        suite=sets.suite,
        partition=sets.partition,
        protocol=sets.protocol,
        sets_sha256=sets.sha256,
        seeds=tuple(sorted({int(seed) for seed in rows["seed"]})),
        fit_seconds=_median(rows["fit_seconds"]),
        score_seconds=_median(rows["score_seconds"]),
        sets=hashes,
        odbench=__version__,
    )


def _choose_rows(
    results: pd.DataFrame, sets: DatasetList, config: str | None
) -> pd.DataFrame:
    """Return the trials of the submitted configuration."""
    rows = results[
        (results["suite"] == sets.suite) & (results["partition"] == sets.partition)
    ]
    if rows.empty:
        msg = (
            f"run: has no trials of {sets.suite} ({sets.partition}); give the list of "
            f"the data sets that it scored with --sets"
        )
        raise SubmissionError(msg)
    label = rows["detector"] + "[" + rows["config"] + "]"
    if config is not None:
        bare = (rows["detector"] == config) & (rows["config"] == "default")
        chosen = (label == config) | (rows["config_id"] == config) | bare
        if not chosen.any():
            chosen = rows["detector"] == config
        rows = rows[chosen]
    found = sorted(set(label[rows.index]))
    if len(found) != 1:
        choices = ", ".join(found or sorted(set(label)))
        asked = "run" if config is None else f"configuration {config!r}"
        msg = (
            f"{asked}: {len(found)} configurations match; "
            f"choose one with --config: {choices[:500]}"
        )
        raise SubmissionError(msg)
    protocols = sorted(set(rows["protocol"]))
    if protocols != [PROTOCOL]:
        msg = f"run: protocol {', '.join(protocols)}; submissions need {PROTOCOL!r}"
        raise SubmissionError(msg)
    return rows[rows["dataset"].isin(list(sets.by_name))].sort_values(
        ["dataset", "seed"]
    )


def _scores_member(run: Path, row: Mapping[str, Any], sets: DatasetList) -> bytes:
    """Return the content of the member for one trial of a run."""
    expected, measured = sets.by_name[row["dataset"]], row["content_sha256"]
    if expected.content_sha256 not in ("", measured):
        msg = (
            f"data set {row['dataset']!r}: the run used content {measured[:12]}..., "
            f"the list has {expected.content_sha256[:12]}...; run on the listed data"
        )
        raise SubmissionError(msg)
    file = scores_file(run, row)
    if not file.is_file():
        msg = (
            f"scores {str(file)!r}: no such file; repeat the run, by "
            f"`odbench run --keep-scores`"
        )
        raise SubmissionError(msg)
    scores = read_vector(file, expected.n_scored, ("<f4", "<f8"))
    if scores is None or np.isnan(scores).any():
        msg = (
            f"scores {str(file)!r}: not the {expected.n_scored} numbers, one per "
            f"scored test row, that `odbench run --keep-scores` writes; run this "
            f"trial again"
        )
        raise SubmissionError(msg)
    # The sweep checked that scores are finite as float64; larger values than float32
    # can hold are clipped.
    largest = np.finfo(np.float32).max
    return encode_scores(np.clip(scores, -largest, largest))


def _only(values: pd.Series[Any]) -> str:
    """Return a column's single value; several values are joined by commas."""
    return ", ".join(sorted({str(value) for value in values.dropna()}))


def _median(seconds: pd.Series[float]) -> float:
    known = seconds.dropna()
    return round(float(known.median()), 6) if len(known) else 0.0


def _hardware(run: Path) -> str:
    """Return the machine that the run recorded, or an empty string."""
    machine = recorded_machine(recorded_run(run / "run.json").get("machine"))
    gib = machine.get("memory_bytes", 0) / 2**30
    processor, cores = machine.get("processor", ""), machine.get("cores", "?")
    noun = "core" if cores == 1 else "cores"
    return f"{processor}, {cores} {noun}, {gib:.0f} GiB" if machine else ""
