"""Tables larger than memory: detectors fitted and applied in parts, also on dask."""

from odbench_detectors.large.by_columns import score_by_columns
from odbench_detectors.large.fitting import fit
from odbench_detectors.large.scoring import score

__all__ = ["fit", "score", "score_by_columns"]
