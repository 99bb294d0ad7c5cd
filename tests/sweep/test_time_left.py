"""The time left of recorded runs, at every tenth of the way."""

import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from odbench.sweep.time_left import TimeLeft
from odbench.sweep.trial_times import TrialTimes

RUNS = Path(__file__).parents[2] / "leaderboard" / "runs"
JOBS = 2


def recorded(name):
    """Return the trials of a published run with their start and end, in seconds."""
    file = RUNS / name / "results.parquet"
    if not file.exists():
        pytest.skip("the published runs are not in this package")
    rows = pd.read_parquet(file)
    start = pd.to_datetime(rows["started_at"])
    rows["start"] = (start - start.min()).dt.total_seconds()
    rows = rows[rows["detector"] != "oracle"].sort_values("start")
    own = rows["fit_seconds"].fillna(0) + rows["score_seconds"].fillna(0)
    next_start = rows.groupby("worker")["start"].shift(-1)
    rows["end"] = next_start.fillna(rows["start"] + own)
    # Of a folder that several commands wrote, the longest is looked at.
    command = (rows["start"].diff() > 60).cumsum()
    spans = rows.groupby(command)["start"].agg(lambda start: start.max() - start.min())
    return rows[command == spans.idxmax()]


def batches_of(rows):
    names = list(map(tuple, rows[["detector", "config"]].drop_duplicates().to_numpy()))
    facts = [{"detector": one, "config": config} for one, config in names]
    seeds = rows[["detector", "config", "seed"]].drop_duplicates()
    pairs = [(names.index((a, b)), seed) for a, b, seed in seeds.to_numpy().tolist()]
    at = {(*names[n], seed): i for i, (n, seed) in enumerate(pairs)}
    protocol = SimpleNamespace(label=rows["protocol"].iloc[0])
    variants = SimpleNamespace(facts=facts, pairs=pairs, protocol=protocol)
    for (suite, name), part in rows.groupby(["suite", "dataset"]):
        first = part.iloc[0]
        sizes = {k: int(first[k]) for k in ("n_train", "n_test", "n_columns")}
        if protocol.label == "unsupervised":
            # The same rows are trained on and scored.
            sizes["n_train"] = 0
        keys = zip(part["detector"], part["config"], part["seed"], strict=True)
        yield SimpleNamespace(
            variants=variants,
            record=SimpleNamespace(suite=suite, name=name, **sizes),
            indices=np.array([at[key] for key in keys]),
        )


def replay(rows, times):
    """Yield the estimate over the truth at 10, 20, ..., 90 % of a run."""
    left = TimeLeft(batches_of(rows), times)
    ordered = rows.sort_values("end")
    began, ended = ordered["end"].iloc[0], ordered["end"].iloc[-1]
    marks = [began + share * (ended - began) for share in np.arange(1, 10) / 10]
    first_work = None
    for row in ordered.replace({np.nan: None}).to_dict("records"):
        now = row["end"]
        if marks and now >= marks[0]:
            marks.pop(0)
            others = ordered[(ordered["start"] <= now) & (ordered["end"] > now)]
            since = (now - others["start"].clip(lower=began)).sum()
            estimate = left.wall_seconds(
                now - began,
                work=left.done - first_work + since,
                running=(now - others["start"]).sum(),
                jobs=JOBS,
            )
            yield estimate / (ended - now)
        left.finish(row)
        first_work = left.done if first_work is None else first_work


def learnt(rows):
    times = TrialTimes()
    times.learn_rows(pa.Table.from_pandas(rows, preserve_index=False))
    return times


# Timed by a machine before a run: data sets of another half, and nothing.
def half_of(rows):
    is_known = [zlib.crc32(name.encode()) % 2 == 0 for name in rows["dataset"]]
    return learnt(rows[is_known])


def nothing(_):
    return TrialTimes()


# Other work took its turns beside these, so their pace says little about themselves.
CROWDED = {"one-class-deep", "one-class-deep-oddbench"}
NAMES = sorted({path.name for path in RUNS.glob("*") if path.is_dir()} - CROWDED)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("known", [half_of, nothing])
@pytest.mark.parametrize("name", NAMES)
def test_the_time_left_holds_within_a_factor_of_two(name, known):
    rows = recorded(name)

    ratios = list(replay(rows, known(rows)))

    assert len(ratios) >= 6
    assert np.max(np.abs(np.log2(ratios))) <= 1, np.round(ratios, 2)


@pytest.mark.parametrize("name", ["one-class", "one-class-synbench", "unsupervised"])
def test_the_estimate_before_a_run_holds_within_a_factor_of_two(name):
    rows = recorded(name)

    expected = TimeLeft(batches_of(rows), half_of(rows)).left() / JOBS

    assert 0.5 <= expected / (rows["end"].max() - rows["start"].min()) <= 2


def planted(n_rows, power):
    """Rows of results of a detector whose seconds grow with a power of the rows."""
    return pd.DataFrame(
        {
            "suite": "s",
            "dataset": [f"d{i}" for i in range(len(n_rows))],
            "detector": "mine",
            "config": "default",
            "protocol": "one-class",
            "seed": 0,
            "n_train": n_rows,
            "n_test": 0,
            "n_columns": 10,
            "fit_seconds": (np.asarray(n_rows) / 1e4) ** power,
            "score_seconds": 0.0,
        }
    )


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_growth_with_size_is_learnt_from_the_largest_trials(power):
    # A third of the trials, the longest, are finished.
    rows = planted([80_000, 40_000, 20_000] * 10 + [10_000, 5_000] * 30, power)
    left = TimeLeft(batches_of(rows), TrialTimes())
    for row in rows[:30].to_dict("records"):
        left.finish(row)

    truth = rows["fit_seconds"][30:].sum()
    assert truth / 2 < left.left() < truth * 2


def test_a_trial_without_seconds_takes_what_was_waited():
    rows = planted([1000, 1000], 1.0).assign(fit_seconds=None, score_seconds=None)
    left = TimeLeft(batches_of(rows), TrialTimes())

    before = left.done
    left.finish(rows.to_dict("records")[0], 60.0)

    assert left.done - before == pytest.approx(60, abs=0.1)
