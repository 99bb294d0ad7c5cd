"""Score the rows of a table: how anomalous each one is, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench.errors import DetectorError
from odbench.plugins.configuration import Configuration
from odbench.plugins.find import find_detector
from odbench.tables.column_notes import ignore_notes
from odbench.tables.columns import Column
from odbench.tables.conformal import Conformal, among_themselves, benjamini_hochberg
from odbench.tables.drift import drift_notes
from odbench.tables.fitted import Fitted, chosen_roles, read_as
from odbench.tables.read import read_source
from odbench.tables.reasons import Reason, Reasons
from odbench.tables.sample import Sample, take_rows, take_sample
from odbench.tables.scored import Scored, ranks
from odbench.tables.source import Source
from odbench.tables.total_row import total_notes
from odbench.tables.units_row import units_notes
from odbench.tables.values import undictionary

# Rows that get reasons: the first by rank, and of a table without reference at most
# this share, because they are explained by a detector that has not seen them.
EXPLAINED, EXPLAINED_SHARE = 1_000, 0.25
# Rows among which the first is scored, and alone.
_PROBED = 50
Told = Callable[[str, int, int], None]


def silent(step: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A call of `score_table`.

    Attributes
    ----------
    table : str, Path or table
        See `odbench.tables.read.read_source`.
    reference : the same, or None
        Rows that are normal.
    detector : object
        An argument of `odbench.find_detector`.
    id_name : str
        The column that identifies rows, or "".
    roles : mapping of str to sequence of str
        Role -> columns chosen by the user.
    fdr : float
    fitted : Fitted or None
        A model learned earlier, instead of `reference` and `detector`.
    told : callable
        ``told(step, done, total)`` is called as work goes on.
    """

    table: Any
    reference: Any = None
    detector: Any = "cats"
    id_name: str = ""
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fdr: float = 0.1
    fitted: Fitted | None = None
    told: Told = silent


def score_table(request: Request) -> tuple[Scored, Fitted]:
    """Score every row of a table.

    Returns
    -------
    scored : Scored
    fitted : Fitted
        What was learned, to score other tables with.

    Raises
    ------
    UsageError, DataError, DetectorError
        If the call, a table or the detector is wrong.
    """
    benjamini_hochberg(np.ones(1), request.fdr)
    source = read_source(request.table)
    if request.id_name and request.id_name not in source.names:
        chosen_roles(source.names, {"id": [request.id_name]}, source.name)
    if request.fitted is not None:
        return _against(request, source, request.fitted, "a saved model")
    configuration = find_detector(request.detector)
    configuration.check()
    if request.reference is None:
        return _unsupervised(request, source, configuration)
    reference = read_source(request.reference)
    sample = take_sample(reference)
    fitted = _learn(request, reference, sample, configuration)
    notes = (
        *reference.notes,
        *_edge_notes(reference, sample, fitted.columns),
        *_suspicious(request, reference, fitted, sample),
    )
    return _against(request, source, fitted, reference.name, notes)


def _learn(
    request: Request, source: Source, sample: Sample, configuration: Configuration
) -> Fitted:
    """Learn from a table, with the roles that the user chose."""
    request.told("reading columns", 0, 0)
    roles = dict(request.roles)
    chosen = chosen_roles(source.names, roles, source.name)
    if request.id_name in source.names:
        chosen[request.id_name] = "identifier"
    return Fitted.of(source.name, sample, source.n_rows, configuration, chosen)


def _suspicious(
    request: Request, source: Source, fitted: Fitted, sample: Sample
) -> list[str]:
    """Name the columns that could be left out, but none whose role was chosen."""
    chosen = chosen_roles(source.names, request.roles, source.name)
    return ignore_notes(fitted.columns, sample.table, chosen)


def _unsupervised(
    request: Request, source: Source, configuration: Configuration
) -> tuple[Scored, Fitted]:
    """Score rows against each other."""
    sample = take_sample(source)
    fitted = _learn(request, source, sample, configuration)
    request.told("fitting", 0, 0)
    own = fitted.learner.own_scores(
        named=fitted.encoder.has_names, missing=fitted.encoder.missing
    )
    if sample.whole and len(own) == source.n_rows:
        scores = own
    else:
        scores = np.concatenate(
            [fitted.learner.score(Z) for Z in _encoded(request, source, fitted, {})]
        )
        scores[sample.places] = own
    notes = _edge_notes(source, sample, fitted.columns)
    notes += _suspicious(request, source, fitted, sample)
    scored = _result(
        request, source, fitted, scores=scores, p=among_themselves(scores), note=notes
    )
    request.told("explaining", 0, 0)
    reasons = _reasons_among(source, fitted, sample, scores)
    return replace(scored, reasons=reasons), fitted


def _against(
    request: Request,
    source: Source,
    fitted: Fitted,
    reference: str,
    notes: Sequence[str] = (),
) -> tuple[Scored, Fitted]:
    """Score rows against reference rows."""
    sample = take_sample(source)
    some = sample.table
    how = read_as(fitted, some, source.name)
    request.told("fitting", 0, 0)
    conformal = fitted.learner.calibrate(source.n_rows, fitted.rows_as_new())
    scores, p = _score_batches(request, source, fitted, how, conformal)
    notes = [f"reference: {note}" for note in notes]
    notes += _edge_notes(source, sample, list(how.values()))
    notes += drift_notes(fitted, some, how, p)
    if _depends_on_batch(fitted, some.slice(0, _PROBED), how):
        notes.append("this detector scores a row by the rows that are scored with it")
    scored = _result(
        request,
        source,
        fitted,
        scores=scores,
        p=p,
        note=notes,
        reference=reference,
        n_reference=conformal.n,
    )
    request.told("explaining", 0, 0)
    reasons = _reasons_against(source, fitted, how, scored)
    return replace(scored, reasons=reasons), fitted


def _encoded(
    request: Request, source: Source, fitted: Fitted, how: Mapping[str, Column]
) -> Iterator[FloatArray]:
    """Yield the rows in the detector's units, batch by batch."""
    done = 0
    for batch in source.batches():
        if batch.num_rows:
            yield fitted.learner.scale.apply(fitted.encoder.encode(batch, how))
        done += batch.num_rows
        request.told("scoring", done, source.n_rows)


def _edge_notes(source: Source, sample: Sample, columns: Sequence[Column]) -> list[str]:
    """Return lines about a first row of units, and a last row of totals."""
    first = units_notes(source, sample, columns)
    return first + total_notes(source, sample, columns)


def _score_batches(
    request: Request,
    source: Source,
    fitted: Fitted,
    how: Mapping[str, Column],
    conformal: Conformal,
) -> tuple[FloatArray, FloatArray]:
    scores, p = [], []
    for Z in _encoded(request, source, fitted, how):
        scores.append(fitted.learner.score(Z))
        p.append(conformal.p_values(Z))
    return np.concatenate(scores), np.concatenate(p)


def _depends_on_batch(fitted: Fitted, some: Any, how: Mapping[str, Column]) -> bool:
    """Check whether rows have other scores alone than among others."""
    learner = fitted.learner
    if not learner.configuration.info.inductive:
        return True
    Z = learner.scale.apply(fitted.encoder.encode(some, how))
    try:
        alone = learner.score(Z[:1])
    except DetectorError:
        # It cannot score one row.
        return True
    return not np.allclose(alone, learner.score(Z)[:1], rtol=1e-6, atol=1e-9)


def _result(
    request: Request,
    source: Source,
    fitted: Fitted,
    *,
    scores: FloatArray,
    p: FloatArray,
    note: Sequence[str],
    reference: str = "",
    n_reference: int = 0,
) -> Scored:
    configuration = fitted.learner.configuration
    label = configuration.info.name
    if configuration.overrides:
        label = f"{label} ({configuration.label})"
    return Scored(
        name=source.name,
        form=source.form,
        setting="one-class" if reference else "unsupervised",
        detector=label,
        reference=reference,
        n_reference=n_reference or len(scores),
        columns=fitted.columns,
        scores=scores,
        p_values=p,
        flagged=benjamini_hochberg(p, request.fdr),
        rank=ranks(scores),
        fdr=request.fdr,
        id_name=request.id_name,
        ids=_ids(source, request.id_name),
        notes=(*source.notes, *note),
        left_out=source.left_out,
    )


def _ids(source: Source, name: str) -> Any:
    """Return the values of the id column, null where a number is not finite."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow.types import is_floating

    if not name:
        return None
    at = source.names.index(name)
    chunks = [undictionary(batch.column(at)) for batch in source.batches()]
    ids = pa.chunked_array(chunks).combine_chunks()
    # JSON has no other numbers.
    return pc.if_else(pc.is_finite(ids), ids, None) if is_floating(ids.type) else ids


def _first(scores: FloatArray, most: int) -> IntArray:
    """Return the places of the highest scores, ascending."""
    order = np.argsort(-scores, kind="stable")[:most]
    return np.asarray(np.sort(order), dtype=np.int64)


def _equal_first(scores: FloatArray) -> IntArray:
    """Return the places of the highest score; none if it is that of most rows."""
    places = np.flatnonzero(scores == scores.max())
    fits = len(places) <= min(EXPLAINED, len(scores) // 2)
    return np.asarray(places if fits else places[:0], dtype=np.int64)


def _reasons_among(
    source: Source, fitted: Fitted, sample: Sample, scores: FloatArray
) -> dict[int, list[Reason]]:
    """Explain the first rows by a detector fitted without them."""
    learner = fitted.learner
    places = _first(scores, min(EXPLAINED, max(int(EXPLAINED_SHARE * len(scores)), 1)))
    # If only some of equal scores have room, their order must not decide which.
    below = np.delete(scores, places)
    room = scores[places] > below.max(initial=-np.inf)
    places = places[room] if room.any() else _equal_first(scores)
    without = ~np.isin(sample.places[learner.places], places)
    others = learner.rows[without][: learner.n_fit]
    if len(others) < 2 or not len(places):
        return {}
    detector = learner.fit(others)
    reasons = Reasons(
        fitted.encoder,
        learner.scale,
        others,
        detector,
        lambda Z: learner.score(Z, detector),
        everyone=learner.rows,
    )
    return _explained(source, fitted, {}, places, reasons)


def _reasons_against(
    source: Source, fitted: Fitted, how: Mapping[str, Column], scored: Scored
) -> dict[int, list[Reason]]:
    """Explain the first rows, and as many flagged ones again."""
    learner, scores = fitted.learner, scored.scores
    flagged = np.flatnonzero(scored.flagged)
    flagged = flagged[_first(scores[flagged], EXPLAINED)]
    places = np.union1d(_first(scores, EXPLAINED), flagged)
    reasons = Reasons(
        fitted.encoder, learner.scale, learner.rows, learner.detector, learner.score
    )
    return _explained(source, fitted, how, places, reasons)


def _explained(
    source: Source,
    fitted: Fitted,
    how: Mapping[str, Column],
    places: IntArray,
    reasons: Reasons,
) -> dict[int, list[Reason]]:
    table = take_rows(source, places)
    Z = fitted.learner.scale.apply(fitted.encoder.encode(table, how))
    return dict(zip(places.tolist(), reasons.explain(table, Z, how), strict=True))
