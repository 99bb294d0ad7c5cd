"""OutFormer: zero-shot outlier detection by many random contexts."""

from __future__ import annotations

from typing import ClassVar

from odbench_detectors.foundation.prior_fitted import PriorFitted


class OutFormer(PriorFitted):
    """Mean log-odds of random contexts by a network trained on synthetic tables.

    Parameters
    ----------
    checkpoint : str
        Path of the checkpoint. It is published without a licence, so odbench does not
        download it.
    passes : int, default=50
        Random contexts: rows, at most as many columns as the network has inputs (100),
        and their order.
    context : int, default=5000
        Maximum number of training rows per pass.
    transform : {"quantile", "standard"}, default="standard"
        Map the quantiles of each column to a normal distribution, or standardise it.
    device : {"auto", "cpu", "cuda"}, default="auto"
        "auto" is CUDA where there is one.
    random_state : int or None, default=None
        Seed of the contexts.

    References
    ----------
    .. [1] Ding, Wen, Klütterman, Akoglu, "From Zero to Hero: Advancing Zero-Shot
       Foundation Models for Tabular Outlier Detection", PMLR 306, 2026.
    """

    name: ClassVar[str] = "outformer"
    published: ClassVar[str] = "outformer"
    shuffles: ClassVar[bool] = True

    def __init__(
        self,
        checkpoint: str = "",
        *,
        passes: int = 50,
        context: int = 5000,
        transform: str = "standard",
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.passes = passes
        self.context = context
        self.transform = transform
        self.device = device
        self.random_state = random_state
