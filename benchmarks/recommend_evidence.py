"""Write the evidence of `odbench recommend` from runs, and facts of data at hand.

    python benchmarks/recommend_evidence.py RUN... [--mirror DIR] --note TEXT

A run is a folder of `odbench run` or a results file. The settings found there replace
those of the evidence; its other settings stay as they are. Facts that need a data set's
values stay empty where the mirror does not have it.
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
from odbench.results import read_results, select_present
from odbench.tables.recommend_evidence import SETTINGS
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
# A configuration must have results on this share of a setting's data sets: those that
# lack one of its configurations are left out of the evidence.
COVERED = 0.95


def main() -> None:
    """Read runs, measure facts, write the evidence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--mirror")
    parser.add_argument("--note", required=True, help="Where the results come from.")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    results = pd.concat([trials(run) for run in asked.runs], ignore_index=True)
    kept, told = former(asked.out, set(results.protocol))
    parts = [kept]
    for setting, found in results.groupby("protocol"):
        rows = covering(found)
        parts.append(wide(rows).join(measured(rows, asked.mirror)).reset_index())
        names = sorted(rows.name.unique())
        told[str(setting)] = {
            "provenance": asked.note, "configurations": described(names),
        }  # fmt: skip
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    write(table, told, asked.out)
    for setting, rows in table.groupby("protocol"):
        known = int(rows.dependence.notna().sum())
        n = len(told[str(setting)]["configurations"])
        print(f"{setting}: {len(rows)} data sets x {n}, {known} with measured facts")
    print(f"{asked.out}: {asked.out.stat().st_size:,} bytes")


def trials(run: Path) -> pd.DataFrame:
    """Return the present results of a run, with the name of each configuration."""
    if run.is_dir():
        results = select_present(read_results(run), run=run)[0]
    else:
        results = pd.read_parquet(run)
    chosen = (results.status == "ok") & results.protocol.isin(SETTINGS)
    results = results[chosen].copy()
    results["seconds"] = results.fit_seconds + results.score_seconds
    default = results.config == "default"
    results["name"] = results.detector.where(
        default, results.detector + ":" + results.config
    )
    return results


def covering(results: pd.DataFrame) -> pd.DataFrame:
    """Leave out configurations without results on most of a setting's data sets."""
    sets = results.suite + "/" + results.dataset
    counts = sets.groupby(results.name).nunique()
    enough = counts >= COVERED * sets.nunique()
    for name, count in counts[~enough].items():
        print(f"left out: {name} has results on {count} of {sets.nunique()} data sets")
    return results[results.name.map(enough)]


def former(path: Path, replaced: set[str]) -> tuple[pd.DataFrame, dict[str, dict]]:
    """Return the rows and descriptions of an evidence's settings that stay."""
    if not path.is_file():
        return pd.DataFrame(), {}
    table = pq.read_table(path)
    told = json.loads(table.schema.metadata[b"odbench"])
    rows = table.to_pandas()
    return rows[~rows.protocol.isin(replaced)], {
        name: facts for name, facts in told.items() if name not in replaced
    }


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
    """Measure the rows that a detector learns from, where they can be loaded."""
    sets = results[["protocol", "suite", "dataset"]].drop_duplicates()
    index = pd.MultiIndex.from_frame(sets)
    rows = [
        facts_of(f"{suite}/{name}", mirror, setting) for setting, suite, name in index
    ]
    return pd.DataFrame(rows, index=index, columns=list(MEASURED)).astype(float)


def facts_of(name: str, mirror: str | None, setting: str) -> dict[str, float]:
    """Measure one data set; nothing where it is not at hand.

    In the unsupervised setting, train and test rows are one table.
    """
    if mirror is None:
        return {}
    try:
        dataset = odbench.load_dataset(name, mirror=mirror)
    except OdbenchError:
        return {}
    rows = np.asarray(dataset.X_train)
    if setting == "unsupervised":
        rows = np.concatenate([rows, dataset.X_test])
    facts = table_facts(rows)
    return {fact: round(facts[fact], 3) for fact in MEASURED}


def described(names: list[str]) -> dict[str, dict[str, bool]]:
    """Say of each configuration whether its detector explains its own scores."""
    explains = {}
    for name in names:
        built = odbench.find_detector(name).build(random_state=0)
        explains[name] = {"explains": hasattr(built, "explain")}
    return explains


def write(table: pd.DataFrame, told: dict[str, dict], out: Path) -> None:
    """Write float32 columns, and the descriptions of the settings as metadata."""
    for column in table.columns[table.dtypes == "float64"]:
        table[column] = table[column].astype("float32")
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({"odbench": json.dumps(told)})
    out.parent.mkdir(exist_ok=True)
    pq.write_table(arrow, out, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
