"""COPOD: copula-based outlier detection."""

from __future__ import annotations

from odbench_detectors.ecod.detector import ECOD, Device, Reference


class COPOD(ECOD):
    """Copula-based outlier detection.

    With ECOD's surprises l_j (left), r_j (right) and a_j (the tail chosen by the
    skewness), the score is ``Σ max(a_j, (l_j + r_j) / 2)`` [1]_, as PyOD computes it.

    Parameters
    ----------
    reference : {"train", "batch"}
        As in ECOD: "train" is the inductive definition, "batch" equals PyOD's COPOD.
    device : {"auto", "cpu", "cuda"}
        As in ECOD.
    quantiles : int
        As in ECOD.
    n_jobs : int
        Threads on the CPU; -1 for all cores.

    References
    ----------
    .. [1] Li, Zhao, Botta, Ionescu, Hu, "COPOD: Copula-Based Outlier Detection", ICDM
       2020, https://doi.org/10.1109/ICDM50108.2020.00135
    """

    _aggregates = ("copod",)

    def __init__(
        self,
        reference: Reference = "train",
        device: Device = "auto",
        quantiles: int = 0,
        n_jobs: int = 1,
    ) -> None:
        super().__init__("copod", reference, device, quantiles, n_jobs)
