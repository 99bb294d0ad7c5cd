"""A table larger than the memory that the process may have is fitted and scored."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS, COLUMNS = 300_000, 40
TABLE_MIB = ROWS * COLUMNS * 8 / 2**20

# Warm up first: compiling and libraries take memory of their own. Then data may take
# as much as the process has now, plus a limit below the table's size.
CHILD = """
import resource, sys, psutil
import numpy as np
from odbench_detectors import ECOD, HBOS, large
path, way, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])

def run(table):
    if way == "in one piece":
        import pyarrow.parquet as pq
        X = np.stack([c.to_numpy() for c in pq.read_table(table).columns], axis=1)
        return ECOD().fit(X).decision_function(X)
    if way == "columns":
        return large.score_by_columns(ECOD(), table, memory=limit / 2)
    detector = HBOS() if way == "hbos" else ECOD(quantiles=1024)
    detector = large.fit(detector, table)
    return np.concatenate(list(large.score(detector, table)))

run(path + ".small")
used = psutil.Process().memory_info()
resource.setrlimit(resource.RLIMIT_DATA, (used.data + limit, used.data + limit))
scores = run(path)
grown = psutil.Process().memory_info().rss
print(len(scores), np.isfinite(scores).all())
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "t.parquet"
    rng = np.random.default_rng(0)
    schema = pa.schema([(f"x{j}", pa.float64()) for j in range(COLUMNS)])
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for _ in range(30):
            block = rng.normal(size=(COLUMNS, ROWS // 30))
            writer.write_table(pa.table(list(block), schema=schema))
    small = pa.table(list(rng.normal(size=(COLUMNS, 9000))), schema=schema)
    pq.write_table(small, f"{path}.small")
    return path


def run(path, way):
    command = [sys.executable, "-c", CHILD, str(path), way, str(60 * 2**20)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["hbos", "quantiles", "columns"])
def test_a_table_above_the_limit_is_scored(path, way):
    assert TABLE_MIB > 60

    done = run(path, way)

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == [str(ROWS), "True"]


@pytest.mark.slow
def test_in_one_piece_the_limit_is_met(path):
    done = run(path, "in one piece")

    assert done.returncode != 0
    assert "MemoryError" in done.stderr or "malloc" in done.stderr
