"""Try an installed odbench as a user does, where there may be no sandbox.

    python tests/smoke.py

imports it, runs a detector on the small data sets, scores a table, packs the run and
checks the submission. Each step is a process of its own and has to end with 0.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

RUN = (
    "run", "--suite", "synbench-mini", "--detectors", "ecod", "--seeds", "1",
    "--keep-scores", "--out", "run",
)  # fmt: skip
PACK = (
    "submission", "pack", "run", "--out", "entry.zip", "--method", "smoke",
    "--training-data", "none",
)  # fmt: skip
STEPS = (
    ("--version",),
    RUN,
    ("runs", "show", "run"),
    ("score", "table.csv", "--id", "order", "--top", "3", "--html", "report.html"),
    PACK,
    ("submission", "check", "entry.zip"),
)


def write_table(file: Path) -> None:
    """Write a table of 200 rows whose last one is far from the others."""
    chance = random.Random(0)
    lines = ["order,amount,weight"]
    lines += [
        f"A{n:03},{chance.gauss(50, 5):.2f},{chance.gauss(2, 0.1):.3f}"
        for n in range(199)
    ]
    lines.append("A199,950.00,9.500")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Run every step in a new folder; the first that fails ends it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_table(folder / "table.csv")
        subprocess.run([sys.executable, "-c", "import odbench"], cwd=folder, check=True)
        for step in STEPS:
            print("$ odbench", *step, flush=True)
            subprocess.run(
                [sys.executable, "-m", "odbench", *step], cwd=folder, check=True
            )
        assert "A199" in (folder / "report.html").read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
