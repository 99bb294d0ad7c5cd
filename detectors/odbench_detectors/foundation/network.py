"""The network of FoMo-0D and OutFormer, with the names of their published tensors.

A context of normal rows is read once; every row to score attends to the context and to
nothing else, so that its score does not depend on the rows beside it. The shapes come
from the checkpoint. Written from the papers [1]_ [2]_ and the published tensors' names.

References
----------
.. [1] Shen, Wen, Akoglu, "FoMo-0D: A Foundation Model for Zero-shot Tabular Outlier
   Detection", TMLR 2025, arXiv 2409.05672.
.. [2] Ding, Wen, Klütterman, Akoglu, "From Zero to Hero: Advancing Zero-Shot Foundation
   Models for Tabular Outlier Detection", 2026.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from odbench.errors import ArchiveError

# Keys and values of the context at each layer, each of shape (heads, n_rows, 64).
Memory: TypeAlias = list[tuple[Tensor, Tensor]]

# Both published models have 64 numbers per head; no tensor's shape tells it.
_HEAD = 64
# Inputs of the encoder are standardised as if they were uniform on [0, 1].
_MEAN, _SPREAD = 0.5, math.sqrt(1 / 12)
# Tensors of training that scoring does not use.
_UNUSED = re.compile(r"(criterion\.weight|y_encoder\.(weight|bias))")
_LAYER = re.compile(r"transformer_encoder\.layers\.(\d+)\.")


@dataclass(frozen=True)
class Shape:
    """The shape of a network, as its tensors tell it.

    Attributes
    ----------
    slots : int
        Number of inputs: columns, the rest padded with zeros.
    width, hidden, depth : int
        Numbers per row, in the feed-forward layers, and layers.
    mixing : {"routers", "none", "full"}
        How context rows see each other: through learned routers, not at all, or all
        of them.
    routers : int
        Number of routers.
    """

    slots: int
    width: int
    hidden: int
    depth: int
    mixing: str
    routers: int = 0

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return max(1, self.width // _HEAD)


class Attention(nn.Module):
    """Multi-head attention, with the names of `torch.nn.MultiheadAttention`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.width, self.heads = width, heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def remember(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of rows of shape (n_rows, width)."""
        weight, bias = self.in_proj_weight, self.in_proj_bias
        both = functional.linear(rows, weight[self.width :], bias[self.width :])
        keys, values = both.split(self.width, dim=1)
        return self._by_head(keys), self._by_head(values)

    def forward(self, rows: Tensor, memory: tuple[Tensor, Tensor]) -> Tensor:
        """Let rows, of shape (n_rows, width), attend to remembered ones."""
        weight, bias = self.in_proj_weight, self.in_proj_bias
        asked = self._by_head(
            functional.linear(rows, weight[: self.width], bias[: self.width])
        )
        keys, values = memory
        found = functional.scaled_dot_product_attention(
            asked[None], keys[None], values[None]
        )[0]
        joined: Tensor = self.out_proj(found.transpose(0, 1).reshape(rows.shape))
        return joined

    def _by_head(self, rows: Tensor) -> Tensor:
        return rows.reshape(len(rows), self.heads, -1).transpose(0, 1).contiguous()


class Routers(nn.Module):
    """Mix context rows through a few learned routers, in time linear in the rows."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        if shape.mixing == "routers":
            self.router = nn.Parameter(torch.empty(shape.routers, 1, shape.width))
            self.att_compressor = Attention(shape.width, shape.heads)
            self.att_recover = Attention(shape.width, shape.heads)
        self.ln1 = nn.LayerNorm(shape.width)
        self.mixing = shape.mixing

    def forward(self, rows: Tensor) -> Tensor:
        """Mix rows of shape (n_rows, width)."""
        found = rows
        if self.mixing == "routers":
            summary = self.att_compressor(
                self.router[:, 0], self.att_compressor.remember(rows)
            )
            found = self.att_recover(rows, self.att_recover.remember(summary))
        mixed: Tensor = self.ln1(rows + found)
        return mixed


class Layer(nn.Module):
    """One layer: attention and a feed-forward network, normalised after each."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        if shape.mixing != "full":
            self.router_att = Routers(shape)
        self.self_attn = Attention(shape.width, shape.heads)
        self.linear1 = nn.Linear(shape.width, shape.hidden)
        self.linear2 = nn.Linear(shape.hidden, shape.width)
        self.norm1 = nn.LayerNorm(shape.width)
        self.norm2 = nn.LayerNorm(shape.width)
        self.mixing = shape.mixing

    def forward(self, rows: Tensor, memory: tuple[Tensor, Tensor]) -> Tensor:
        """Return rows to score, after they have attended to the context."""
        return self._finish(rows, self.self_attn(rows, memory))

    def read(self, context: Tensor, memory: tuple[Tensor, Tensor]) -> Tensor:
        """Return the context's rows for the next layer."""
        if self.mixing == "full":
            return self._finish(context, self.self_attn(context, memory))
        return self._finish(context, self.router_att(context))

    def _finish(self, rows: Tensor, change: Tensor) -> Tensor:
        rows = self.norm1(rows + change)
        inner = self.linear2(functional.gelu(self.linear1(rows)))
        finished: Tensor = self.norm2(rows + inner)
        return finished


class Encoder(nn.Sequential):
    """Embed rows of `slots` numbers."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(nn.Identity(), nn.Linear(shape.slots, shape.width))

    def forward(self, rows: Tensor) -> Tensor:
        """Embed rows of shape (n_rows, slots)."""
        embedded: Tensor = self[1]((rows - _MEAN) / _SPREAD)
        return embedded


class ContextNetwork(nn.Module):
    """A network that tells whether rows are unlike a context of normal rows.

    Parameters
    ----------
    shape : Shape
        From `shape_of`.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.transformer_encoder = nn.ModuleDict(
            {"layers": nn.ModuleList(Layer(shape) for _ in range(shape.depth))}
        )
        head = nn.Sequential(
            nn.Linear(shape.width, shape.hidden), nn.GELU(), nn.Linear(shape.hidden, 2)
        )
        self.decoder_dict = nn.ModuleDict({"standard": head})

    def read(self, context: Tensor) -> Memory:
        """Return what rows to score need to know of a context.

        Parameters
        ----------
        context : float32 tensor of shape (n_rows, slots)
        """
        rows = self.encoder(context)
        *inner, last = self._layers()
        memory: Memory = []
        for layer in inner:
            memory.append(layer.self_attn.remember(rows))
            rows = layer.read(rows, memory[-1])
        # The context's rows after the last layer are never asked for.
        return [*memory, last.self_attn.remember(rows)]

    def forward(self, rows: Tensor, memory: Memory) -> Tensor:
        """Return the log-odds that rows are anomalies, of shape (n_rows,).

        Parameters
        ----------
        rows : float32 tensor of shape (n_rows, slots)
        memory : Memory
            From `read`.
        """
        rows = self.encoder(rows)
        for layer, known in zip(self._layers(), memory, strict=True):
            rows = layer(rows, known)
        classes = self.decoder_dict["standard"](rows)
        odds: Tensor = classes[:, 1] - classes[:, 0]
        return odds

    def _layers(self) -> list[Layer]:
        return [one for one in self.modules() if isinstance(one, Layer)]


def needed_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors that scoring uses, under the names of `ContextNetwork`.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        From `odbench_detectors.foundation.weights.read_checkpoint`. Trainers and the
        hub's model mixin put ``model.`` before the names.
    """
    plain = {re.sub(r"^(model\.)+", "", key): tensors[key] for key in tensors}
    return {key: plain[key] for key in plain if not _UNUSED.fullmatch(key)}


def shape_of(tensors: Mapping[str, Tensor], name: str) -> Shape:
    """Return the shape of the network that tensors belong to.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        From `needed_tensors`.
    name : str
        The checkpoint, for messages.

    Raises
    ------
    ArchiveError
        If they belong to another kind of network.
    """
    first = "transformer_encoder.layers.0"
    numbers = {int(found[1]) for key in tensors if (found := _LAYER.match(key))}
    try:
        width, slots = tensors["encoder.1.weight"].shape
        hidden = len(tensors[f"{first}.linear1.weight"])
    except (KeyError, ValueError, TypeError):
        msg = (
            f"checkpoint {name!r}: is not of FoMo-0D's kind: wanted a matrix "
            f"'encoder.1.weight' and layers 'transformer_encoder.layers.N'"
        )
        raise ArchiveError(msg) from None
    router = tensors.get(f"{first}.router_att.router")
    if router is not None:
        mixing, routers = "routers", len(router) if router.ndim else 0
    else:
        known = f"{first}.router_att.ln1.weight" in tensors
        mixing, routers = ("none" if known else "full"), 0
    shape = Shape(slots, width, hidden, len(numbers), mixing, routers)
    _check_sizes(shape, name)
    return shape


def _check_sizes(shape: Shape, name: str) -> None:
    """Refuse sizes of which no network can be made."""
    sizes = [shape.slots, shape.width, shape.hidden]
    if shape.mixing == "routers":
        sizes.append(shape.routers)
    if min(sizes) < 1 or shape.width % shape.heads:
        msg = (
            f"checkpoint {name!r}: has {shape.slots} inputs, width {shape.width}, "
            f"{shape.hidden} hidden and {shape.routers} routers; wanted 1 or more of "
            f"each, and a width that {shape.heads} heads share evenly"
        )
        raise ArchiveError(msg)
