"""Write the evidence of `odbench recommend` from results, and facts of data at hand.

    python benchmarks/recommend_evidence.py RESULTS.parquet [--mirror DIR] --note TEXT

Facts that need a data set's values stay empty where the mirror does not have it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import odbench
from odbench.errors import OdbenchError
from odbench.tables.recommend_facts import table_facts

OUT = Path(odbench.__file__).parent / "tables" / "assets" / "evidence.parquet"
MEASURED = ("integers", "categories", "dependence")
# Column -> (its name here, the unit it is rounded to).
VALUES = {
    "auroc": ("auroc", 1e-3),
    "ap_adjusted": ("ap", 1e-3),
    "seconds": ("seconds", None),
    "peak_memory_bytes": ("memory", None),
}


def main() -> None:
    """Read results, measure facts, write the evidence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--mirror")
    parser.add_argument("--note", required=True, help="Where the results come from.")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    results = pd.read_parquet(asked.results)
    results = results[results.status == "ok"]
    results["seconds"] = results.fit_seconds + results.score_seconds
    default = results.config == "default"
    results["name"] = results.detector.where(
        default, results.detector + ":" + results.config
    )
    table = wide(results).join(measured(results, asked.mirror))
    names = sorted(results.name.unique())
    facts = {"provenance": asked.note, "configurations": described(names)}
    write(table.reset_index(), facts, asked.out)
    known = int(table.dependence.notna().sum())
    print(f"{len(table)} rows, {known} with measured facts")
    print(f"{asked.out}: {asked.out.stat().st_size:,} bytes")


def wide(results: pd.DataFrame) -> pd.DataFrame:
    """One row per setting and data set; means over seeds, rounded."""
    key = ["protocol", "suite", "dataset"]
    facts = results.groupby(key).agg(
        family=("family", "first"),
        rows=("n_train", "first"),
        test_rows=("n_test", "first"),
        columns=("n_columns", "first"),
        duplicates=("duplicate_train", "first"),
    )
    facts["duplicates"] = facts.duplicates.round(3)
    parts = [facts]
    for column, (short, unit) in VALUES.items():
        values = results.pivot_table(column, key, "name", aggfunc="mean")
        if short == "memory":
            # A worker that needed as much for an earlier trial records 0 for this one.
            values = values.where(values > 0)
        rounded = (values / unit).round() * unit if unit else two_digits(values)
        parts.append(rounded.add_prefix(f"{short}/"))
    return pd.concat(parts, axis=1)


def two_digits(values: pd.DataFrame) -> pd.DataFrame:
    """Round to two significant digits."""
    with np.errstate(divide="ignore"):
        unit = 10.0 ** (np.floor(np.log10(values.where(values > 0))) - 1)
    return ((values / unit).round() * unit).fillna(0.0).where(values.notna())


def measured(results: pd.DataFrame, mirror: str | None) -> pd.DataFrame:
    """Measure the train rows of each data set that can be loaded."""
    sets = results[["protocol", "suite", "dataset"]].drop_duplicates()
    index = pd.MultiIndex.from_frame(sets)
    rows = [facts_of(f"{suite}/{name}", mirror) for _, suite, name in index]
    return pd.DataFrame(rows, index=index, columns=list(MEASURED)).astype(float)


def facts_of(name: str, mirror: str | None) -> dict[str, float]:
    """Measure one data set; nothing where it is not at hand."""
    if mirror is None:
        return {}
    try:
        facts = table_facts(
            np.asarray(odbench.load_dataset(name, mirror=mirror).X_train)
        )
    except OdbenchError:
        return {}
    return {fact: round(facts[fact], 3) for fact in MEASURED}


def described(names: list[str]) -> dict[str, dict[str, bool]]:
    """Say of each configuration whether its detector explains its own scores."""
    explains = {}
    for name in names:
        built = odbench.find_detector(name).build(random_state=0)
        explains[name] = {"explains": hasattr(built, "explain")}
    return explains


def write(table: pd.DataFrame, facts: dict[str, object], out: Path) -> None:
    """Write float32 columns, and the facts about all of it as metadata."""
    for column in table.columns[table.dtypes == "float64"]:
        table[column] = table[column].astype("float32")
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({"odbench": json.dumps(facts)})
    out.parent.mkdir(exist_ok=True)
    pq.write_table(arrow, out, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
