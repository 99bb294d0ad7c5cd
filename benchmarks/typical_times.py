"""Write the seconds that a sweep expects before a machine has timed a detector.

    python benchmarks/typical_times.py

takes the trials of the published runs, keeps a few median points per configuration and
setting, and writes ``odbench/sweep/typical_times.json``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from odbench.sweep.trial_times import TrialTimes

ROOT = Path(__file__).parent.parent
OUT = ROOT / "odbench" / "sweep" / "typical_times.json"
# Points of real tables and of synthetic ones. The synthetic ones are many, and differ
# less in size.
REAL, SYNTHETIC = 24, 12
# Run beside much other work, so that its large tables took several times as long.
CROWDED = {"one-class-deep-oddbench"}


def main() -> None:
    """Read the runs and write the points."""
    real, synthetic = TrialTimes(), TrialTimes()
    for path in sorted((ROOT / "leaderboard" / "runs").glob("*/results.parquet")):
        if path.parent.name in CROWDED:
            continue
        rows = pq.read_table(path)
        rows = rows.filter(pc.equal(rows["status"], "ok"))
        is_synthetic = pc.starts_with(rows["suite"], "synbench")
        synthetic.learn_rows(rows.filter(is_synthetic))
        real.learn_rows(rows.filter(pc.invert(is_synthetic)))
    found = real.thinned(REAL)
    for name, points in synthetic.thinned(SYNTHETIC).items():
        found.setdefault(name, []).extend(points)
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(_rounded(points))}"
        for name, points in sorted(found.items())
    )
    OUT.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(f"{OUT.name}: {len(found)} configurations, {OUT.stat().st_size} bytes")


def _rounded(points: list[tuple[float, float, float]]) -> list[list[float]]:
    return [
        [round(rows), round(columns), float(f"{seconds:.2g}")]
        for rows, columns, seconds in sorted(points)
    ]


if __name__ == "__main__":
    main()
