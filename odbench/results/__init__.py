"""Results, the hinge of odbench: one row per trial, which all later steps read.

Every leaderboard can be rebuilt from a results file, without data, detectors, GPU or
network.
"""

from odbench.results.parquet import read_results, write_results
from odbench.results.present import select_present
from odbench.results.schema import (
    COLUMNS,
    REQUIRED,
    RESULTS,
    SCHEMA_VERSION,
    SCORES,
    STATUSES,
    TRIAL,
    completed,
    schema,
    scores_file,
)

__all__ = [
    "COLUMNS",
    "REQUIRED",
    "RESULTS",
    "SCHEMA_VERSION",
    "SCORES",
    "STATUSES",
    "TRIAL",
    "completed",
    "read_results",
    "schema",
    "scores_file",
    "select_present",
    "write_results",
]
