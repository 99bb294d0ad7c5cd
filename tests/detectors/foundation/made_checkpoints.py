"""Small checkpoints of the published architectures, with the published names.

The weights are not random: the embedding keeps how far a row is from the origin, so
that planted outliers score highest, and attention adds a little noise of the context.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Size:
    """The shape of a made checkpoint; the published one is far larger."""

    slots: int = 100
    width: int = 32
    hidden: int = 64
    depth: int = 2
    routers: int = 8
    mixing: str = "routers"


PUBLISHED = Size(width=256, hidden=512, depth=4, routers=500)


def names(size: Size) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a checkpoint's tensors, without a prefix."""
    w, h = size.width, size.hidden

    def linear(name, out, given):
        return {f"{name}.weight": (out, given), f"{name}.bias": (out,)}

    def norm(name):
        return {f"{name}.weight": (w,), f"{name}.bias": (w,)}

    def attention(name):
        both = {f"{name}.in_proj_weight": (3 * w, w), f"{name}.in_proj_bias": (3 * w,)}
        return both | linear(f"{name}.out_proj", w, w)

    found: dict[str, tuple[int, ...]] = {}
    for number in range(size.depth):
        at = f"transformer_encoder.layers.{number}"
        if size.mixing == "routers":
            found[f"{at}.router_att.router"] = (size.routers, 1, w)
            found |= attention(f"{at}.router_att.att_compressor")
            found |= attention(f"{at}.router_att.att_recover")
        if size.mixing != "full":
            found |= norm(f"{at}.router_att.ln1")
        found |= attention(f"{at}.self_attn")
        found |= linear(f"{at}.linear1", h, w) | linear(f"{at}.linear2", w, h)
        found |= norm(f"{at}.norm1") | norm(f"{at}.norm2")
    found |= linear("encoder.1", w, size.slots) | linear("y_encoder", w, 1)
    found |= linear("decoder_dict.standard.0", h, w)
    found |= linear("decoder_dict.standard.2", 2, h)
    return found | {"criterion.weight": (2,)}


def noise(size: Size, seed: int = 0, scale: float = 0.2) -> dict[str, torch.Tensor]:
    """Random tensors of the right names and shapes; for comparisons, not for scores."""
    rng = np.random.default_rng(seed)
    return {
        name: torch.tensor(
            rng.normal(size=shape) * scale + _is_scale(name), dtype=torch.float32
        )
        for name, shape in names(size).items()
    }


def _is_scale(name: str) -> bool:
    """Whether a tensor multiplies normalised numbers, so that it is near 1."""
    return (".norm" in name or ".ln1" in name) and name.endswith("weight")


def distances(size: Size = Size(), seed: int = 0) -> dict[str, torch.Tensor]:
    """Tensors by which a row's log-odds grow with its distance from the origin."""
    tensors = noise(size, seed, 0.02)
    for name, value in tensors.items():
        if ".norm" in name or ".ln1" in name:
            value.fill_(float(_is_scale(name)))
    # Pairs of opposite numbers have mean 0, so that normalising keeps the last pair's
    # share of the length: the larger the row, the smaller that share.
    weight = torch.zeros(size.width, size.slots)
    half = np.random.default_rng(seed).normal(size=(size.width // 2 - 1, size.slots))
    weight[:-2:2] = torch.tensor(half, dtype=torch.float32)
    weight[1:-2:2] = -weight[:-2:2]
    bias = weight.sum(dim=1) * 0.5
    bias[-2:] = torch.tensor([60.0, -60.0])
    tensors["encoder.1.weight"] = weight * (1 / 12) ** 0.5
    tensors["encoder.1.bias"] = bias
    first, last = (f"decoder_dict.standard.{i}" for i in (0, 2))
    tensors[f"{first}.weight"].zero_()
    tensors[f"{first}.weight"][0, -2:] = torch.tensor([1.0, -1.0])
    tensors[f"{first}.bias"].fill_(10.0)
    tensors[f"{last}.weight"].zero_()
    tensors[f"{last}.weight"][:, 0] = torch.tensor([0.5, -0.5])
    tensors[f"{last}.bias"].zero_()
    return tensors


def prefixed(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors as the hub's model mixin names them."""
    return {f"model.{name}": value for name, value in tensors.items()}


def as_safetensors(tensors: dict[str, torch.Tensor]) -> bytes:
    """The bytes of a safetensors file."""
    from safetensors.torch import save

    return save({name: value.contiguous() for name, value in tensors.items()})


def as_archive(content: object) -> bytes:
    """The bytes of a file of torch.save."""
    sink = io.BytesIO()
    torch.save(content, sink)
    return sink.getvalue()


def tabicl(seed: int = 0, **sizes: int) -> dict[str, object]:
    """A checkpoint of TabICL, small: its configuration and random tensors."""
    from tabicl._model.tabicl import TabICL

    config = {
        "embed_dim": 16,
        "col_num_blocks": 1,
        "col_nhead": 2,
        "col_num_inds": 8,
        "row_num_blocks": 1,
        "row_nhead": 2,
        "row_num_cls": 2,
        "icl_num_blocks": 2,
        "icl_nhead": 2,
        **sizes,
    }
    torch.manual_seed(seed)
    return {"config": config, "state_dict": TabICL(**config).state_dict()}
