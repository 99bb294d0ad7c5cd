"""FoMo-0D's forward pass, row by row, with torch's own modules.

Written to be held against the paper and the published layer: attention by
`torch.nn.MultiheadAttention`, one query at a time, nothing remembered or chunked.
"""

from __future__ import annotations

import math

import torch
from torch import nn


def log_odds(tensors, context, queries, *, heads):
    """Return the log-odds of each query, float32 of shape (n_queries,)."""
    depth = 1 + max(
        int(name.split(".")[2]) for name in tensors if name.startswith("transformer")
    )
    found = []
    for query in queries:
        rows, row = (_embed(tensors, x) for x in (context, query[None]))
        for number in range(depth):
            at = f"transformer_encoder.layers.{number}"
            seen = _attend(tensors, f"{at}.self_attn", row, rows, heads)
            mixed = _mix(tensors, at, rows, heads)
            row = _finish(tensors, at, row + seen)
            rows = _finish(tensors, at, rows + mixed)
        inner = nn.functional.gelu(_linear(tensors, "decoder_dict.standard.0", row))
        classes = _linear(tensors, "decoder_dict.standard.2", inner)[0]
        chances = torch.softmax(classes.double(), dim=0)
        found.append(math.log(chances[1]) - math.log(chances[0]))
    return torch.tensor(found)


def _embed(tensors, rows):
    return _linear(tensors, "encoder.1", (rows - 0.5) / math.sqrt(1 / 12))


def _linear(tensors, name, rows):
    return rows @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]


def _norm(tensors, name, rows):
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    return nn.functional.layer_norm(rows, weight.shape, weight, bias)


def _attend(tensors, name, rows, others, heads):
    width = rows.shape[1]
    attention = nn.MultiheadAttention(width, heads)
    prefix = f"{name}."
    own = {
        k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
    }
    attention.load_state_dict(own)
    attention.eval()
    with torch.no_grad():
        return attention(rows[:, None], others[:, None], others[:, None])[0][:, 0]


def _mix(tensors, at, rows, heads):
    if f"{at}.router_att.router" in tensors:
        router = tensors[f"{at}.router_att.router"][:, 0]
        name = f"{at}.router_att.att_"
        summary = _attend(tensors, f"{name}compressor", router, rows, heads)
        back = _attend(tensors, f"{name}recover", rows, summary, heads)
    elif f"{at}.router_att.ln1.weight" in tensors:
        back = rows
    else:
        return _attend(tensors, f"{at}.self_attn", rows, rows, heads)
    return _norm(tensors, f"{at}.router_att.ln1", rows + back)


def _finish(tensors, at, rows):
    rows = _norm(tensors, f"{at}.norm1", rows)
    inner = nn.functional.gelu(_linear(tensors, f"{at}.linear1", rows))
    return _norm(
        tensors, f"{at}.norm2", rows + _linear(tensors, f"{at}.linear2", inner)
    )
