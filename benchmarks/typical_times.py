"""Write the seconds that a sweep expects before a machine has timed a detector.

    python benchmarks/typical_times.py

takes the one-class trials of the published runs on real tables, keeps a few median
points per configuration, and writes ``odbench/sweep/typical_times.json``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from odbench.sweep.trial_times import TrialTimes

ROOT = Path(__file__).parent.parent
OUT = ROOT / "odbench" / "sweep" / "typical_times.json"


def main() -> None:
    """Read the runs and write the points."""
    times = TrialTimes()
    for path in sorted((ROOT / "leaderboard" / "runs").glob("*/results.parquet")):
        rows = pq.read_table(path)
        times.learn_rows(rows.filter(_is_ok(rows)))
    points = {
        name: [(round(cells), float(f"{seconds:.2g}")) for cells, seconds in found]
        for name, found in sorted(times.thinned(24).items())
    }
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(at)}" for name, at in points.items()
    )
    OUT.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(f"{OUT.name}: {len(points)} configurations, {OUT.stat().st_size} bytes")


def _is_ok(rows: pa.Table) -> pa.Array:
    import pyarrow.compute as pc

    # In another setting a detector does other work under the same name, and the many
    # synthetic sets would outnumber the real tables, whose sizes differ more.
    one_class = pc.equal(rows["protocol"], "one-class")
    real = pc.invert(pc.starts_with(rows["suite"], "synbench"))
    return pc.and_(pc.equal(rows["status"], "ok"), pc.and_(one_class, real))


if __name__ == "__main__":
    main()
