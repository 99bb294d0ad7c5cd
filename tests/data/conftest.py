"""Fixtures: a hub on the loopback, small archives, small suites."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def _load(name: str) -> ModuleType:
    # The tests are not a package, so the module is loaded from its file, once.
    known = f"odbench_tests_{name}"
    if known not in sys.modules:
        place = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(known, place)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A running hub without repositories; ``HF_ENDPOINT`` points at it."""
    module = _load("hub_server")
    serving = module.serve()
    server = next(serving)
    server.Repository = module.Repository
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    yield server
    serving.close()


def make_members(
    rng: np.random.Generator,
    n_train: int = 40,
    n_test: int = 30,
    n_columns: int = 3,
    n_anomalies: int = 5,
) -> dict[str, Any]:
    """The members of a published archive."""
    labels = np.zeros(n_test, dtype=np.int64)
    labels[-n_anomalies:] = 1
    return {
        "train": rng.normal(size=(n_train, n_columns)),
        "test": rng.normal(size=(n_test, n_columns)) + labels[:, None],
        "train_labels": np.zeros(n_train, dtype=np.int64),
        "test_labels": labels,
        "feature_names": np.array([f"f{j}" for j in range(n_columns)]),
        "tags": np.array(["small_dataset", "few_anomalies"]),
        "origin": np.array("Science"),
        "anomaly_count": np.array(n_anomalies),
        "github_link": np.array("https://github.com/someone/tables/blob/main/a.csv"),
        "tablib_origin": np.array("batch-1_part-2_i3"),
    }


def pack(members: dict[str, Any]) -> bytes:
    """An npz archive's bytes."""
    sink = io.BytesIO()
    np.savez_compressed(sink, **members)
    return sink.getvalue()


@pytest.fixture
def members(rng: np.random.Generator) -> dict[str, Any]:
    return make_members(rng)


@pytest.fixture
def archive(rng: np.random.Generator) -> Callable[..., bytes]:
    """Make an archive with `make_members`, without the members in `without`."""

    def make(*, without: tuple[str, ...] = (), **options: int) -> bytes:
        whole = make_members(rng, **options)
        return pack({k: v for k, v in whole.items() if k not in without})

    return make


@pytest.fixture
def tiny_suite(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A hub suite ``tiny`` without manifest rows, known to the catalog."""
    from odbench import suites
    from odbench.data import listing, subsets
    from odbench.suites import Suite

    suite = Suite(name="tiny", title="Tiny", transport="hub", repository="someone/tiny")
    everything = {**suites.read_suites(), "tiny": suite}
    rows: dict[str, tuple[Any, ...]] = {"tiny": ()}
    real = subsets.rows_of
    suites.load_suites.cache_clear()
    monkeypatch.setattr(suites, "read_suites", lambda: everything)

    def rows_of(name: str) -> tuple[Any, ...]:
        return rows[name] if name in rows else real(name)

    for module in (subsets, listing, sys.modules["odbench.data.catalog"]):
        monkeypatch.setattr(module, "rows_of", rows_of)
    yield suite, rows
    suites.load_suites.cache_clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without long waits."""
    from odbench.data.transports import retry

    monkeypatch.setattr(retry, "WAITS", (0.01, 0.01, 0.01, 0.01))
