"""Read TabICL's checkpoints: tensors, and a configuration of plain values."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tabicl._model.tabicl import TabICL as Network
from torch import nn

from odbench.errors import ArchiveError
from odbench_detectors.foundation.filling import check_tensors, fill
from odbench_detectors.foundation.weights import (
    FileBytes,
    parse_archive,
)

# No published size is near these; larger ones would only fill memory.
_LARGEST = 1 << 20
_PLAIN = (bool, int, float, str, type(None))


def load_model(path: Path) -> nn.Module:
    """Return the network of a checkpoint; the last ones loaded are kept.

    Parameters
    ----------
    path : Path
        A file of ``torch.save`` with ``config`` and ``state_dict``, read with
        ``weights_only=True``. It is read and hashed each time.

    Raises
    ------
    DataError
        If it is damaged, hostile or of another model.
    """
    return _model_of(FileBytes.of(path))


def check_model(path: Path) -> None:
    """Refuse a file of which `load_model` cannot make a network; keep nothing."""
    _model_of.__wrapped__(FileBytes.of(path))


@lru_cache(maxsize=4)
def _model_of(file: FileBytes) -> nn.Module:
    found, tensors = parse_archive(file.data, file.name)
    config = _checked(found.get("config"), len(tensors), file.name)
    try:
        with torch.device("meta"):
            shapes = Network(**config)
        # Before any memory is used: the configuration may ask for any amount.
        check_tensors(shapes, tensors, file.name)
        network: nn.Module = Network(**config)
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        text = " ".join(str(error).split())[:120]
        msg = (
            f"checkpoint {file.name!r}: its config makes no network "
            f"({type(error).__name__}: {text}); wanted a checkpoint of TabICL"
        )
        raise ArchiveError(msg) from error
    fill(network, tensors, file.name)
    return network


def _checked(config: object, n_tensors: int, name: str) -> dict[str, Any]:
    """Return a configuration of known names and moderate plain values."""
    known = set(inspect.signature(Network.__init__).parameters) - {"self"}
    if not isinstance(config, Mapping) or not set(config) <= known:
        msg = (
            f"checkpoint {name!r}: has no config of TabICL; wanted a file with "
            f"'config' and 'state_dict' such as tabicl-classifier-v2-20260212.ckpt"
        )
        raise ArchiveError(msg)
    for key, value in config.items():
        most = n_tensors if key.endswith("num_blocks") else _LARGEST
        is_large = isinstance(value, (int, float)) and abs(value) > most
        if not isinstance(value, _PLAIN) or is_large:
            msg = f"checkpoint {name!r}: config has {key}={value!r:.60}; wanted less"
            raise ArchiveError(msg)
    return dict(config)
