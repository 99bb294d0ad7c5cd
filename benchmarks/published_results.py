"""Write the compact published results that `--with-published` reads.

    python benchmarks/published_results.py leaderboard/runs/* --note TEXT

A test compares the file with the runs, so write it again when these change.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import odbench
from odbench.leaderboard.published import write_published

OUT = Path(odbench.__file__).parent / "leaderboard" / "assets" / "published.parquet"


def main() -> None:
    """Read the runs, write the file, say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--note", required=True, help="Version, date and machine.")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    write_published(sorted(asked.runs), asked.out, note=asked.note)
    print(f"{asked.out}: {asked.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
