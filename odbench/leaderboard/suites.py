"""How many data sets each suite has as published, so that tables say their coverage."""

from __future__ import annotations

from types import MappingProxyType

# Ding, Klüttermann, Wen, Chen, Akoglu: MacrOData (KDD 2026, arXiv 2602.09329) for
# OddBench, OvRBench and SynBench; Han et al.: ADBench (NeurIPS 2022) for its
# classical tables.
PUBLISHED_SIZES = MappingProxyType(
    {
        ("oddbench", "public"): 690,
        ("oddbench", "private"): 100,
        ("ovrbench", "public"): 756,
        ("ovrbench", "private"): 100,
        ("synbench", "public"): 800,
        ("adbench", "public"): 47,
    }
)

# Suites whose private partition can be submitted to: data sets whose labels the hub
# does not hold, and those drawn from a secret seed.
PRIVATE_SUITES = ("oddbench", "ovrbench", "synbench")

# The row of a synthetic suite that knows the law of the data; nobody can have it.
ORACLE = "oracle"
ORACLE_WORDS = (
    "`oracle` is no detector: it knows the law that the data were drawn from, and "
    "shows what is possible at all. Gaps and tests against the best are against it."
)


def coverage(suite: str, partition: str, n_datasets: int) -> str:
    """Say how much of a suite a table covers.

    Parameters
    ----------
    suite, partition : str
        As in the results.
    n_datasets : int
        Data sets of the table.

    Returns
    -------
    str
        ``"260 of 690 data sets"``, or without the size where it is not known, or where
        there are more: a suite may have held other sets when they were measured.

    Examples
    --------
    >>> coverage("oddbench", "public", 260)
    '260 of 690 data sets'
    >>> coverage("mine", "public", 1)
    '1 data set'
    >>> coverage("oddbench", "public", 729)
    '729 data sets'
    """
    size = PUBLISHED_SIZES.get((suite, partition))
    if size is None or n_datasets > size:
        return f"{n_datasets} data set{'' if n_datasets == 1 else 's'}"
    return f"{n_datasets} of {size} data sets"
