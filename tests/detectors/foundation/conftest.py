"""Fixtures: made checkpoints, as files and on a hub on the loopback."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

HERE = Path(__file__).parent


def _load(path: Path):
    """Import a helper beside the tests, which are no package."""
    name = f"odbench_tests_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(autouse=True)
def one_thread():
    """Small products are faster on one thread than on many."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def made():
    """The module that makes checkpoints."""
    return _load(HERE / "made_checkpoints.py")


@pytest.fixture(scope="session")
def checkpoint(made, tmp_path_factory) -> Path:
    """A small checkpoint by which planted outliers score highest."""
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    path.write_bytes(made.as_safetensors(made.prefixed(made.distances())))
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Empty caches of odbench and of the hub's client."""
    monkeypatch.setenv("ODBENCH_CACHE", str(tmp_path / "odbench"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@pytest.fixture
def hub(cache, monkeypatch):
    """A hub on the loopback without repositories; ``HF_ENDPOINT`` points at it."""
    module = _load(HERE.parents[1] / "data/hub_server.py")
    serving = module.serve()
    server = next(serving)
    server.Repository = module.Repository
    # Models have no prefix in their paths, as data sets do.
    server.routes.append(
        (
            "GET|HEAD",
            r"/(?P<name>(?!cdn/|datasets/)[\w.-]+/[\w.-]+)"
            r"/resolve/(?P<revision>\w+)/(?P<path>.+)",
            module._resolve,
        )
    )
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield server
    serving.close()


@pytest.fixture
def published(hub, checkpoint):
    """The hub with FoMo-0D's repository, which holds the made checkpoint."""
    repository = hub.Repository()
    repository.commit({"model.safetensors": checkpoint.read_bytes()})
    hub.repositories["YuchenShen/FoMo-0D"] = repository
    return hub


@pytest.fixture(scope="session")
def tabicl_files(made, tmp_path_factory) -> dict[str, Path]:
    """Small checkpoints of TabICL's architecture: its classifier and its regressor."""
    pytest.importorskip("tabicl")
    folder = tmp_path_factory.mktemp("tabicl")
    found = {}
    for name, sizes in (
        ("checkpoint", {"max_classes": 10}),
        ("regressor", {"max_classes": 0, "num_quantiles": 99}),
    ):
        found[name] = folder / f"{name}.ckpt"
        found[name].write_bytes(made.as_archive(made.tabicl(**sizes)))
    return found
