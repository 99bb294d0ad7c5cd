"""Mutated tables: a result or one clear line, never a traceback."""

import random
import warnings

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from odbench.errors import OdbenchError
from odbench.tables.report import render_report
from odbench.tables.score import Request, score_table
from odbench.tables.screen import screen_lines
from tests.cli.test_fuzz import mutated
from tests.tables.made import orders

MUTATIONS = 80


def written(form: str) -> bytes:
    table, sink = orders(40), pa.BufferOutputStream()
    if form == "parquet":
        parquet.write_table(table, sink)
    else:
        csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(("form", "least"), [("csv", 10), ("parquet", 1)])
def test_mutated_tables_end_well(tmp_path, form, least):
    whole, path = written(form), tmp_path / "t"
    scored, messages = 0, []
    for case in range(MUTATIONS):
        rng = random.Random(case)
        content = mutated(rng, whole)
        if rng.random() < 0.3:
            content = content[: rng.randrange(len(content) + 1)]
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                result, fitted = score_table(Request(table=path, detector="hbos"))
        except OdbenchError as error:
            messages.append(str(error))
            continue
        scored += 1
        assert "\x1b" not in "".join(screen_lines(result, 5)), case
        assert "<script" not in render_report(result, fitted), case

    assert scored >= least
    assert not [text for text in messages if "\n" in text]
