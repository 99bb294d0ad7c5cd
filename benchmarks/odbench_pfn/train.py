"""Train odbench_pfn on synthetic tables and write its weights.

    python benchmarks/odbench_pfn/train.py --steps 3500 --out weights.safetensors

The weights are a function of the arguments, to the last bit on one class of machine.
Those so far are written every hundred steps.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from batches import SEEN, Batch, Seen, batch, see
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch_network import TorchNetwork

RATE, WARM_UP, DECAY = 2e-3, 100, 0.01
# Weight of the past in the running mean of the weights, which is what is written.
AVERAGED = 0.995
# Per step, tasks that are new, and tasks drawn again from the latest ones.
FRESH, AGAIN, KEPT = 3, 5, 1_500
EVERY = 100


def loss_of(scores: Tensor, labels: Tensor) -> Tensor:
    """Return a smooth stand-in for one minus AUROC and one minus AP, per task."""
    losses = []
    for s, y in zip(scores, labels, strict=True):
        inliers, outliers = s[y == 0], s[y == 1]
        gaps = inliers[None] - outliers[:, None]
        pairs = nn.functional.softplus(gaps).mean()
        worst = torch.logsumexp(gaps, dim=1) - math.log(len(inliers)) + 2.0
        losses.append(pairs + 0.25 * nn.functional.softplus(worst).mean())
    both = nn.functional.binary_cross_entropy_with_logits(scores, labels)
    return torch.stack(losses).mean() + 0.1 * both


def rate_at(step: int, steps: int) -> float:
    """Return the learning rate: a short rise, then half a cosine down to 2 %."""
    fall = 0.5 * (1 + math.cos(math.pi * step / steps))
    return RATE * min(1.0, (step + 1) / WARM_UP) * (0.02 + 0.98 * fall)


def write(network: nn.Module, path: Path, facts: dict[str, object]) -> None:
    """Write the weights and how they were made, the same bytes for the same content."""
    found = network.state_dict()
    tensors = {
        name: value.detach().clone().contiguous() for name, value in found.items()
    }
    # One entry only, because the order of several is not fixed.
    save_file(tensors, path, metadata={"training": json.dumps(facts)})


def train(steps: int, seed: int, out: Path, stop: int) -> None:
    """Train for `stop` of a number of steps; write the weights every `EVERY` steps."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(seed)
    network = TorchNetwork()
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGED))
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    kept: list[Seen] = []
    start, running = time.time(), 0.0
    for step in range(stop):
        first = seed * 10**8 + step * FRESH
        fresh = [see(first + i) for i in range(FRESH)]
        old = [kept[i] for i in rng.integers(len(kept), size=AGAIN)] if kept else []
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, steps)
        loss = _step(network, optimiser, batch(fresh + old))
        mean.update_parameters(network)
        kept = (kept + fresh)[-KEPT:]
        running = 0.99 * running + 0.01 * loss if step else loss
        if (step + 1) % EVERY == 0 or step + 1 == stop:
            minutes = (time.time() - start) / 60
            print(
                f"{step + 1} steps, {minutes:.1f} min, loss {running:.4f}", flush=True
            )
            write(mean.module, out, {"steps": steps, "stop": step + 1, "seed": seed})


def _step(
    network: TorchNetwork, optimiser: torch.optim.Optimizer, tasks: Batch
) -> float:
    scores = network(tasks.rows, tasks.columns, SEEN)
    loss = loss_of(scores, tasks.labels)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return float(loss.detach())


def main() -> None:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3_500)
    parser.add_argument("--stop", type=int, help="Stop after this many of the steps.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("weights.safetensors"))
    arguments = parser.parse_args()
    stop = min(arguments.stop or arguments.steps, arguments.steps)
    train(arguments.steps, arguments.seed, arguments.out, stop)


if __name__ == "__main__":
    main()
