"""A small private partition for tests: data sets, labels, runs and submissions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from odbench.results import schema, scores_file, write_results
from odbench.submissions.archive import (
    STATEMENT,
    member_name,
    write_archive,
)
from odbench.submissions.dataset_list import DatasetList, ExpectedDataset
from odbench.submissions.evaluate import EvaluationRequest, Evaluator
from odbench.submissions.labels import LabelFolder
from odbench.submissions.rescoring import Rescorer
from odbench.submissions.rules import Rules
from odbench.submissions.score_bytes import encode_scores
from odbench.submissions.strict_json import canonical

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "0123456789abcdef" * 2
UNLIMITED = Rules(wait_days=0, per_submitter=10**9)


@dataclass
class World:
    folder: Path
    sets: DatasetList
    truth: dict[str, np.ndarray]
    submissions: int = 0
    days: int = 0
    rules: Rules = field(default_factory=Rules)

    @property
    def labels(self) -> Path:
        return self.folder / "labels"

    @property
    def leaderboard(self) -> Path:
        return self.folder / "leaderboard"

    @property
    def rescorer(self) -> Rescorer:
        return Rescorer(sets=self.sets, labels=LabelFolder(self.labels, self.sets))

    def scores(self, rng: np.random.Generator, strength: float) -> dict:
        """Return scores that separate better the higher `strength` is; 0 is chance."""
        return {
            name: (rng.normal(size=len(y)) + strength * y).astype(np.float32)
            for name, y in self.truth.items()
        }

    def statement(self, members: dict[str, bytes], **changes) -> dict:
        said = {
            "format": "odbench-submission-1",
            "suite": self.sets.suite,
            "partition": self.sets.partition,
            "protocol": "one-class",
            "sets_sha256": self.sets.sha256,
            "method": "Mine",
            "version": "1",
            "authors": ["A. Person"],
            "contact": "",
            "code_url": "https://example.org/mine",
            "kind": "classical",
            "configuration": "fixed",
            "parameters": "mine[default]",
            "seeds": [0],
            "hardware": "a machine",
            "fit_seconds": 0.5,
            "score_seconds": 0.25,
            "training_data": "none",
            "odbench": "0.1.0",
            "sets": {},
        }
        for name, content in members.items():
            _, dataset, file = name.split("/")
            expected = self.sets.by_name.get(dataset)
            facts = said["sets"].setdefault(
                dataset,
                {
                    "content_sha256": expected.content_sha256 if expected else "0" * 64,
                    "scores": {},
                },
            )
            facts["scores"][file[:-4]] = hashlib.sha256(content).hexdigest()
        return {**said, **changes}

    def submit(self, scores: dict, **changes) -> Path:
        """Write an archive of scores by data set, or by (data set, seed)."""
        members = {
            member_name(*(key if isinstance(key, tuple) else (key, 0))): encode_scores(
                np.asarray(values)
            )
            for key, values in scores.items()
        }
        return self.write(members, **changes)

    def write(self, members: dict[str, bytes], **changes) -> Path:
        said = self.statement(members, **changes)
        self.submissions += 1
        path = self.folder / f"submission-{self.submissions}.zip"
        write_archive(path, {**members, STATEMENT: canonical(said)})
        return path

    def evaluate(self, path: Path, *, submitter="person", tier="re-scored") -> dict:
        """Evaluate two weeks after the previous evaluation."""
        self.days += 14
        evaluator = Evaluator(
            rescorer=self.rescorer,
            leaderboard=self.leaderboard,
            rules=self.rules,
        )
        now = START + timedelta(days=self.days)
        return evaluator.evaluate(
            EvaluationRequest(path=path, submitter=submitter, now=now, tier=tier)
        )

    def run(self, scores: dict, **changes) -> Path:
        """Write a run folder like that of `odbench run --keep-scores`."""
        folder = self.folder / "run"
        rows = []
        for key, values in scores.items():
            dataset, seed = key if isinstance(key, tuple) else (key, 0)
            expected = self.sets.by_name[dataset]
            row = {
                "suite": self.sets.suite,
                "partition": self.sets.partition,
                "dataset": dataset,
                "content_sha256": expected.content_sha256,
                "detector": "mine",
                "detector_version": "1.2",
                "config": "default",
                "config_id": "0123456789ab",
                "seed": seed,
                "protocol": "one-class",
                "key": KEY,
                "status": "ok" if values is not None else "timeout",
                "fit_seconds": 1.0,
                "score_seconds": 0.5,
                **changes,
            }
            rows.append(row)
            if values is None:
                continue
            file = scores_file(folder, row)
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, np.asarray(values, dtype=np.float32))
        folder.mkdir(exist_ok=True)
        columns = {name: [row.get(name) for row in rows] for name in schema().names}
        write_results(pa.table(columns, schema=schema()), folder / "results.parquet")
        machine = {"processor": "a chip", "cores": 2, "memory_bytes": 24 * 2**30}
        (folder / "run.json").write_text(json.dumps({"machine": machine}))
        return folder

    def other_list(self) -> DatasetList:
        first, *others = self.sets.sets
        changed = replace(first, content_sha256="f" * 64)
        return DatasetList(
            suite=self.sets.suite,
            partition=self.sets.partition,
            sets=(changed, *others),
        )


def make_world(
    folder: Path, rng: np.random.Generator, *, n_sets: int = 24, n_test: int = 60
) -> World:
    """Make a partition of `n_sets` data sets with a tenth of anomalies each."""
    truth, expected = {}, []
    for number in range(n_sets):
        name = f"hidden_{number:02d}"
        y = np.zeros(n_test, dtype=np.int8)
        y[rng.choice(n_test, size=max(n_test // 10, 1), replace=False)] = 1
        truth[name] = y
        expected.append(
            ExpectedDataset(
                dataset=name,
                content_sha256=hashlib.sha256(name.encode()).hexdigest(),
                n_train=n_test,
                n_test=n_test,
                n_scored=n_test,
            )
        )
    labels = folder / "labels" / "synbench"
    labels.mkdir(parents=True)
    for name, y in truth.items():
        np.save(labels / f"{name}.npy", y)
    sets = DatasetList(suite="synbench", partition="private", sets=tuple(expected))
    return World(folder=folder, sets=sets, truth=truth)
