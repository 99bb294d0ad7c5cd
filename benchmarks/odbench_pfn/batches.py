"""Tasks as the network sees them, stacked into batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from prior import draw_task
from torch import Tensor

from odbench_detectors.foundation.odbench_pfn.context import Context
from odbench_detectors.foundation.odbench_pfn.views import Views

# Context rows that the network sees itself.
SEEN = 48


@dataclass(frozen=True, eq=False)
class Seen:
    """One task as the network sees it: `SEEN` context rows, then the queries."""

    rows: np.ndarray
    columns: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """Several tasks; each has its own number of columns."""

    rows: Tensor
    columns: list[Tensor]
    labels: Tensor


def see(seed: int) -> Seen:
    """Draw a task and compute its views."""
    task = draw_task(seed)
    views = Views(Context(task.context))
    order = np.random.default_rng(seed).permutation(len(views.calibrating))
    context = views.own(views.calibrating[np.resize(order, SEEN)])
    queries = views.of(views.context.others(task.queries))
    rows, columns = (
        np.concatenate(pair).astype(np.float32)
        for pair in zip(context, queries, strict=True)
    )
    return Seen(rows, columns, task.labels)


def batch(tasks: list[Seen]) -> Batch:
    """Stack tasks."""
    return Batch(
        torch.from_numpy(np.stack([t.rows for t in tasks])),
        [torch.from_numpy(t.columns) for t in tasks],
        torch.from_numpy(np.stack([t.labels for t in tasks])),
    )
