"""The part of a set's metadata that is in the manifest: small facts, no matrices."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

_ALWAYS = (
    "generator_version", "prior", "n_inliers", "redraws", "oracle_auroc", "oracle_ap",
)  # fmt: skip
# Parameters that are copied unchanged if the archetype has them.
_COPIED = (
    "n_components", "mean_range", "variance_range", "n_layers", "width", "activations",
    "boost_probability", "change_probability", "changes_that_reach_a_column",
    "difficulty", "target", "strength",
    "fewest_pushed", "most_pushed", "smallest_block", "largest_block",
)  # fmt: skip


def manifest_parameters(metadata: dict[str, Any]) -> str:
    """Return the manifest's ``parameters`` of a set.

    Parameters
    ----------
    metadata : dict
        From `odbench.synbench.suite.generate`.

    Returns
    -------
    str
        Canonical JSON: sorted keys, no spaces.
    """
    drawn = metadata["parameters"]
    out = {key: metadata[key] for key in _ALWAYS}
    out |= {key: drawn[key] for key in _COPIED if key in drawn}
    if "table" in drawn:
        out |= _table_facts(drawn["table"])
    if "subspace" in drawn:
        out["n_inflated"] = len(drawn["subspace"])
    if "marginals" in drawn:
        out["marginals"] = Counter(law["family"] for law in drawn["marginals"])
    return json.dumps(out, sort_keys=True, separators=(",", ":"))


def _table_facts(table: dict[str, Any]) -> dict[str, Any]:
    """Return the number of columns of each kind, and whether the oracle is a bound."""
    lossy = bool(table["integer"] or table["missing"])
    return {
        "n_integer": len(table["integer"]),
        "n_heavy": len(table["heavy"]),
        "n_codes": len(table["n_levels"]),
        "n_copied": len(table["copied"]),
        "n_missing": len(table["missing"]),
        "oracle": "bound" if lossy else "exact",
    }
