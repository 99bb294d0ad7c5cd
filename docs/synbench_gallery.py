"""Draw the pictures of the SynBench gallery: ``python docs/synbench_gallery.py``."""

from pathlib import Path

from odbench.synbench import picture

SETS = (
    "gmm-subspace-015",
    "scm-measurement-090",
    "scm-structural-010",
    "copula-probabilistic-000",
    "copula-dependence-000",
)

if __name__ == "__main__":
    for name in SETS:
        archetype = name.rpartition("-")[0]
        file = Path(__file__).parent / "images" / f"synbench-{archetype}.png"
        picture.save(name, file)
