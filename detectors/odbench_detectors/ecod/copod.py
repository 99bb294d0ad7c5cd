"""COPOD: ECOD's sums joined in another way."""

from __future__ import annotations

from typing import Any

from odbench_detectors.ecod.detector import ECOD, Device, Reference


class COPOD(ECOD):
    """Copula-based outlier detection.

    With ECOD's surprises l_j (left), r_j (right) and a_j (the tail that the skewness
    names), the score is ``Σ max(a_j, (l_j + r_j) / 2)`` [1]_, as PyOD computes it.

    Parameters
    ----------
    reference : {"train", "batch"}
        As ECOD's: "train" is the inductive definition, "batch" is PyOD's, equal to it.
    device : {"auto", "cpu", "cuda"}
        As ECOD's.
    n_jobs : int
        Threads on the CPU; -1 for every core.

    References
    ----------
    .. [1] Li, Zhao, Botta, Ionescu, Hu, "COPOD: Copula-Based Outlier Detection", ICDM
       2020, https://doi.org/10.1109/ICDM50108.2020.00135
    """

    _aggregates = ("copod",)

    def __init__(
        self, reference: Reference = "train", device: Device = "auto", n_jobs: int = 1
    ) -> None:
        super().__init__(reference=reference, device=device, n_jobs=n_jobs)
        self.aggregate = "copod"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, as scikit-learn asks for them."""
        params = super().get_params(deep)
        del params["aggregate"]
        return params
