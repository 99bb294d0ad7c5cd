"""Give a network the tensors of a checkpoint; every name and shape must agree."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from odbench.errors import ArchiveError

_TYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def fill(
    module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str
) -> None:
    """Give a module its weights; every name and shape must agree.

    Parameters
    ----------
    module : torch.nn.Module
        It may be on the device "meta": its parameters are replaced.
    tensors : mapping of str to Tensor
        From `read_checkpoint`.
    name : str
        What error messages call the checkpoint.

    Raises
    ------
    ArchiveError
        If a tensor is missing, unknown, of another shape, not of real numbers, or not
        finite in single precision.
    """
    check_tensors(module, tensors, name)
    given = {key: tensors[key].float() for key in module.state_dict()}
    module.load_state_dict(given, strict=True, assign=True)
    module.requires_grad_(requires_grad=False).eval()


def check_tensors(
    module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str
) -> None:
    """Refuse tensors that are not those of a module; see `fill`."""
    wanted = module.state_dict()
    _refuse_names(wanted.keys() - tensors.keys(), name, "is without")
    _refuse_names(tensors.keys() - wanted.keys(), name, "has unknown")
    for key, value in wanted.items():
        found = tensors[key]
        if found.shape != value.shape:
            msg = (
                f"checkpoint {name!r}: tensor {key!r} has shape {tuple(found.shape)}, "
                f"wanted {tuple(value.shape)}; this is the checkpoint of another model"
            )
            raise ArchiveError(msg)
        if found.dtype not in (*_TYPES, value.dtype) or found.is_meta:
            kind = "no values" if found.is_meta else f"values of {found.dtype}"
            msg = (
                f"checkpoint {name!r}: tensor {key!r} has {kind}, wanted numbers of "
                f"16, 32 or 64 bits; save it with .float()"
            )
            raise ArchiveError(msg)
        # The network computes in single precision, whose largest number is 3e38.
        if not bool(torch.isfinite(found.float()).all()):
            msg = (
                f"checkpoint {name!r}: tensor {key!r} holds NaN or infinite values; "
                f"get the checkpoint again, or another one"
            )
            raise ArchiveError(msg)


def _refuse_names(keys: set[str], name: str, verb: str) -> None:
    if keys:
        some = ", ".join(sorted(keys)[:3]) + (", ..." if len(keys) > 3 else "")
        count = f"{len(keys)} tensor{'s' * (len(keys) > 1)}"
        msg = (
            f"checkpoint {name!r}: {verb} {count} ({some}); this is the checkpoint of "
            f"another model"
        )
        raise ArchiveError(msg)
