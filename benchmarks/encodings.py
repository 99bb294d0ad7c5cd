"""Compare encodings of raw columns: AUROC and AP on labelled tables, in both settings.

    python benchmarks/encodings.py FILE:LABEL:ANOMALY[:IGNORED,...] ...

One-class is the mean over random halves of the inliers; unsupervised scores the whole
table. ``skrub`` is its ``TableVectorizer``, where it is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import average_precision_score, roc_auc_score

from odbench.arrays import BoolArray, FloatArray
from odbench.plugins.find import find_detector
from odbench.tables.columns import Column, parsed_numbers
from odbench.tables.encode import NAMED, Encoder
from odbench.tables.learner import Learner
from odbench.tables.read import read_source
from odbench.tables.roles import infer_roles
from odbench.tables.scale import Scale
from odbench.tables.values import as_text

Encode = Callable[[pa.Table], FloatArray]
# A whole number with at most this many values may be a code.
FEW = 20


@dataclass(frozen=True)
class Labelled:
    """A table without its label column."""

    name: str
    table: pa.Table
    y: BoolArray
    columns: tuple[Column, ...]


def load(argument: str) -> Labelled:
    """Read a table and take its label off."""
    path, label, anomaly, *ignored = argument.split(":")
    table = read_source(path).table()
    y = np.array([str(value) == anomaly for value in table[label].to_pylist()])
    table = table.drop_columns([label, *(ignored[0].split(",") if ignored else [])])
    name = path.split("/")[-1].split(".")[0]
    return Labelled(name, table, y, infer_roles(table))


def as_is(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """Odbench's own encoding."""
    return Encoder.of(columns, train).encode


def pairs_as_numbers(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """Encode yes/no as 0 and 1 in the order of the alphabet."""
    encoder = Encoder.of(columns, train)
    pairs = [c.name for c in encoder.columns if c.role == "yes/no"]
    at = [encoder.names.index(name) for name in pairs]
    last = [sorted(filter(None, set(as_text(train[n]).to_pylist())))[-1] for n in pairs]

    def encode(table: pa.Table) -> FloatArray:
        rows = encoder.encode(table)
        for place, name, value in zip(at, pairs, last, strict=True):
            rows[:, place] = [
                text == value for text in as_text(table[name]).to_pylist()
            ]
        return rows

    return encode


def without_missing(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """No column that tells about missing values."""
    encoder = Encoder.of(columns, train)
    keep = [not name.endswith(" missing") for name in encoder.names]
    return lambda table: np.ascontiguousarray(encoder.encode(table)[:, keep])


def missing_always(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """Tell about missing values wherever one is missing."""
    each = [Encoder.of([column], train) for column in columns if column.used]
    return lambda table: np.hstack([encoder.encode(table) for encoder in each])


def rare_codes(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """Whole numbers with few values also by rarity."""
    encoder = Encoder.of(columns, train)
    few = tuple(
        replace(column, role="category")
        for column in encoder.columns
        if column.role == "integer"
        and len(np.unique(parsed_numbers(column, train[column.name]))) <= FEW
    )
    more = Encoder.of(few, train)
    return lambda table: np.hstack([encoder.encode(table), more.encode(table)])


def one_hot(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """Categories as one column of 0 and 1 per value."""
    numbers = Encoder.of([c for c in columns if c.role != "category"], train)
    names = [c.name for c in columns if c.role == "category"]
    known = {
        name: sorted(set(as_text(train[name]).to_pylist()), key=str) for name in names
    }

    def encode(table: pa.Table) -> FloatArray:
        blocks = [numbers.encode(table)]
        for name in names:
            values = np.array(as_text(table[name]).to_pylist(), dtype=object)
            blocks.append(np.stack([values == v for v in known[name]], axis=1))
        return np.ascontiguousarray(np.hstack(blocks), dtype=np.float64)

    return encode


def both(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """Categories by rarity and as columns of 0 and 1."""
    spread = one_hot(columns, train)
    rare = as_is(tuple(c for c in columns if c.role == "category"), train)
    return lambda table: np.hstack([spread(table), rare(table)])


def ordinal(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """Categories by their place in the alphabet."""
    numbers = Encoder.of([c for c in columns if c.role != "category"], train)
    names = [c.name for c in columns if c.role == "category"]
    place = {
        name: {
            v: i
            for i, v in enumerate(
                sorted(set(as_text(train[name]).to_pylist()), key=str)
            )
        }
        for name in names
    }

    def encode(table: pa.Table) -> FloatArray:
        blocks = [numbers.encode(table)]
        for name in names:
            values = as_text(table[name]).to_pylist()
            blocks.append(np.array([[place[name].get(v, -1.0)] for v in values]))
        return np.ascontiguousarray(np.hstack(blocks), dtype=np.float64)

    return encode


def skrub(columns: tuple[Column, ...], train: pa.Table) -> Encode:
    """Skrub's TableVectorizer on the used columns, median for missing numbers."""
    from skrub import TableVectorizer

    def frame(table: pa.Table) -> pd.DataFrame:
        made = {}
        for column in columns:
            if column.used:
                if column.role in ("category", "yes/no"):
                    made[column.name] = as_text(table[column.name]).to_pylist()
                else:
                    made[column.name] = parsed_numbers(column, table[column.name])
        return pd.DataFrame(made)

    vectorizer = TableVectorizer().fit(frame(train))
    medians = np.nanmedian(vectorizer.transform(frame(train)).to_numpy(float), axis=0)

    def encode(table: pa.Table) -> FloatArray:
        rows = vectorizer.transform(frame(table)).to_numpy(float)
        rows = np.where(np.isnan(rows), medians, rows)
        return np.ascontiguousarray(rows, dtype=np.float64)

    return encode


ENCODINGS = {
    "odbench": as_is,
    "yes/no as 0 and 1": pairs_as_numbers,
    "no missing column": without_missing,
    "all missing columns": missing_always,
    "codes also by rarity": rare_codes,
    "one-hot": one_hot,
    "one-hot and rarity": both,
    "ordinal": ordinal,
    "skrub": skrub,
}


def one_class(data: Labelled, encoding: str, detector: str, seed: int) -> list[float]:
    """Return AUROC and AP in percent for one random half of the inliers."""
    inliers = np.flatnonzero(~data.y)
    np.random.default_rng(seed).shuffle(inliers)
    half = len(inliers) // 2
    train = data.table.take(np.sort(inliers[:half]))
    rest = np.concatenate([inliers[half:], np.flatnonzero(data.y)])
    encode = ENCODINGS[encoding](data.columns, train)
    rows = encode(train)
    scale = Scale.of(rows)
    model = find_detector(detector).build(seed)
    model.fit(scale.apply(rows))
    others = scale.apply(encode(data.table.take(rest)))
    return _measured(data.y[rest], model.decision_function(others))


def unsupervised(
    data: Labelled, encoding: str, detector: str, _seed: int
) -> list[float]:
    """Return AUROC and AP in percent for the whole table, as ``odbench score`` does."""
    rows = ENCODINGS[encoding](data.columns, data.table)(data.table)
    named = any(column.role in NAMED for column in data.columns)
    learner = Learner.of(find_detector(detector), rows)
    return _measured(data.y, learner.own_scores(named=named))


def _measured(y: BoolArray, scores: FloatArray) -> list[float]:
    return [100 * roc_auc_score(y, scores), 100 * average_precision_score(y, scores)]


def main() -> None:
    """Print one line per encoding, detector and setting, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--detectors", default="cats,knn,ecod,iforest")
    parser.add_argument("--halves", type=int, default=5)
    parser.add_argument("--encodings", default=",".join(ENCODINGS))
    options = parser.parse_args()
    tables = [load(argument) for argument in options.tables]
    print("setting detector encoding " + " ".join(t.name for t in tables) + " mean")
    for setting, seeds in ((one_class, options.halves), (unsupervised, 1)):
        for detector in options.detectors.split(","):
            for encoding in options.encodings.split(","):
                cells = [
                    np.mean(
                        [setting(t, encoding, detector, s) for s in range(seeds)], 0
                    )
                    for t in tables
                ]
                line = [f"{a:.1f}/{p:.1f}" for a, p in [*cells, np.mean(cells, axis=0)]]
                print(
                    f"{setting.__name__:13}{detector:9}{encoding:22}", *line, flush=True
                )


if __name__ == "__main__":
    main()
