"""A table larger than the memory that the process may have is fitted and scored."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS, COLUMNS = 400_000, 40
LIMIT_MIB = 80

# Warm up first: compiling and libraries take memory of their own. From then on, data
# may take as much as the process has, plus a limit below the table's size.
CHILD = """
import resource, sys, psutil
import numpy as np
import pyarrow.parquet as pq
from odbench_detectors import ECOD, HBOS, large

path, ways, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])

def in_one_piece(table):
    X = np.stack([c.to_numpy() for c in pq.read_table(table).columns], axis=1)
    return ECOD().fit(X).decision_function(X)

def by_columns(table):
    return large.score_by_columns(ECOD(), table, memory=limit / 2)

def in_parts(detector, table):
    detector = large.fit(detector, table)
    return np.concatenate(list(large.score(detector, table)))

def run(table):
    if ways == "one piece":
        return [in_one_piece(table)]
    return [
        in_parts(HBOS(), table),
        in_parts(ECOD(quantiles=1024), table),
        by_columns(table),
    ]

run(path + ".small")
used = psutil.Process().memory_info().data
resource.setrlimit(resource.RLIMIT_DATA, (used + limit, used + limit))
for scores in run(path):
    print(len(scores), np.isfinite(scores).all())
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "t.parquet"
    rng = np.random.default_rng(0)
    schema = pa.schema([(f"x{j}", pa.float64()) for j in range(COLUMNS)])
    block = rng.normal(size=(COLUMNS, ROWS // 40))
    with pq.ParquetWriter(
        path, schema, compression="none", use_dictionary=False
    ) as writer:
        for number in range(40):
            writer.write_table(pa.table(list(block + number), schema=schema))
    pq.write_table(pa.table(list(block), schema=schema), f"{path}.small")
    return path


def run(path, ways):
    limit = LIMIT_MIB * 2**20
    command = [sys.executable, "-c", CHILD, str(path), ways, str(limit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_table_above_the_limit_is_scored_in_parts(path):
    assert path.stat().st_size > 1.4 * LIMIT_MIB * 2**20

    done = run(path, "parts")

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == [str(ROWS), "True"] * 3


@pytest.mark.slow
def test_in_one_piece_the_limit_is_met(path):
    done = run(path, "one piece")

    assert done.returncode != 0
    assert "MemoryError" in done.stderr or "malloc" in done.stderr
