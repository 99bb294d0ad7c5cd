"""Count the data sets of a mirror with a column that may concern people, by its name.

    python benchmarks/personal_columns.py DIR

reads the column names of every archive of OddBench and OvRBench in a mirror and counts
the data sets in which a name matches a pattern below. A name is a hint and no proof:
`development_age` of a tree matches, and a column called `v17` may be an age. The counts
are in docs/data/support.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

PATTERNS = {
    "age": r"\bage\b",
    "sex": r"\b(sex|gender|male|female)\b",
    "race, nationality or religion": r"race|ethnic|nationality|religion",
    "income": r"income|salary|wage",
    "health": r"patient|diagnos|disease|\bbmi\b|glucose|smok",
    "coordinates, address or postal code": r"latitude|longitude|\blat\b|\blon\b|\blng\b"
    r"|\bzip|postal|address",
    "identifier": r"\bid\b|\bssn\b|phone|email|\buser\b",
}
FOLDERS = ("MacrOData-CMU/OddBench/public", "MacrOData-CMU/OvRBench/public")


def column_names(archive: Path) -> list[str]:
    """Return the column names of an archive in lower case, words apart by spaces."""
    with np.load(archive, allow_pickle=False) as members:
        if "feature_names" not in members:
            return []
        names = np.atleast_1d(members["feature_names"])
    return [re.sub(r"[_\W]+", " ", str(name).lower()) for name in names]


def main(mirror: Path) -> None:
    """Print the counts of each folder."""
    for folder in FOLDERS:
        archives = sorted((mirror / folder).glob("*.npz"))
        names = [column_names(archive) for archive in archives]
        print(f"{folder}: {len(archives)} archives")
        for concern, pattern in PATTERNS.items():
            hits = sum(any(re.search(pattern, n) for n in each) for each in names)
            print(f"  {concern}: {hits}")
        print(f"  any of them: {sum(_any(each) for each in names)}")


def _any(names: list[str]) -> bool:
    return any(re.search(p, name) for p in PATTERNS.values() for name in names)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
