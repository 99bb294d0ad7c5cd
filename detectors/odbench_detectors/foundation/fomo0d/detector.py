"""FoMo-0D: zero-shot outlier detection in the context of the training rows."""

from __future__ import annotations

from typing import ClassVar

from odbench_detectors.foundation.prior_fitted import PriorFitted


class FoMo0D(PriorFitted):
    """Log-odds by a network that takes the training rows as its context.

    Parameters
    ----------
    checkpoint : str, default=""
        Path of a checkpoint; the published one by default.
    passes : int, default=4
        Random contexts, for tables of more rows than `context` or more columns than the
        network has inputs (100); smaller tables need one pass.
    context : int, default=5000
        Maximum number of training rows per pass.
    transform : {"quantile", "standard"}, default="quantile"
        Map the quantiles of each column to a normal distribution, or standardise it.
    device : {"auto", "cpu", "cuda"}, default="auto"
        "auto" is CUDA where there is one.
    random_state : int or None, default=None
        Seed of the contexts.

    References
    ----------
    .. [1] Shen, Wen, Akoglu, "FoMo-0D: A Foundation Model for Zero-shot Tabular Outlier
       Detection", TMLR 2025, arXiv 2409.05672.
    """

    name: ClassVar[str] = "fomo0d"
    published: ClassVar[str] = "fomo0d"

    def __init__(
        self,
        checkpoint: str = "",
        *,
        passes: int = 4,
        context: int = 5000,
        transform: str = "quantile",
        device: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.passes = passes
        self.context = context
        self.transform = transform
        self.device = device
        self.random_state = random_state
