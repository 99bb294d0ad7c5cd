"""List suites, data sets and detectors as data frames."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def list_suites() -> pd.DataFrame:
    """List the suites, those of plugins among them.

    Returns
    -------
    pandas.DataFrame
        Per suite: its name, the published number of data sets, the numbers of
        `public` and `private` ones in its manifest, where they come from, licence,
        title and citation.

    Examples
    --------
    >>> import odbench
    >>> "adbench" in list(odbench.list_suites()["suite"])
    True
    """
    import pandas as pd

    from odbench.data.brought import plugin_suites
    from odbench.data.subsets import rows_of
    from odbench.suites import load_suites

    plugin_suites()
    rows = []
    for suite in load_suites().values():
        parts = [record.partition for record in rows_of(suite.name)]
        counts = {part: parts.count(part) for part in ("public", "private")}
        facts = ("transport", "licence", "title", "citation")
        row = {"suite": suite.name, "published": suite.published_size, **counts}
        rows.append(row | {name: getattr(suite, name) for name in facts})
    return pd.DataFrame(rows)


def list_datasets(
    suite: str | Path, *, partition: str = "public", datasets: str | None = None
) -> pd.DataFrame:
    """List the data sets in a suite's manifest.

    Parameters
    ----------
    suite : str or Path
        A suite or subset, or the folder of a suite of one's own.
    partition : {"public", "private"}
    datasets : str, optional
        A glob on the names.

    Returns
    -------
    pandas.DataFrame
        One row per data set, the facts of `odbench.data.dataset.DatasetRecord`, and
        its `id`.

    Raises
    ------
    OdbenchError
        If the suite is unknown, or nothing matches.
    """
    import pandas as pd

    from odbench.data.catalog import select
    from odbench.data.own import as_text

    suite = as_text(suite, "suite", "a name or the path of a folder")
    if datasets is not None:
        as_text(datasets, "datasets", "a glob on the names, or None")
    records = select(suite, partition=partition, pattern=datasets, offline=True)
    return pd.DataFrame(
        [{"id": record.id, **dataclasses.asdict(record)} for record in records]
    )


def list_detectors() -> pd.DataFrame:
    """List the installed detectors, those of plugins among them.

    Returns
    -------
    pandas.DataFrame
        Per detector: its name, whether it is of the core zoo, its parameters and
        grid, whether it is deterministic and inductive, the modules that it needs and
        those that are `missing`, summary and reference.

    Warns
    -----
    UserWarning
        Once for each plugin that cannot be loaded.
    """
    import pandas as pd

    from odbench.plugins.find import list_detectors as find_all
    from odbench.plugins.find import missing_requirements

    infos, faults = find_all()
    for fault in faults:
        warnings.warn(fault, stacklevel=2)
    return pd.DataFrame(
        {
            "detector": info.name,
            "core": info.core,
            "params": dict(info.params),
            "grid": dict(info.grid),
            "deterministic": info.deterministic,
            "inductive": info.inductive,
            "missing": missing_requirements(info),
            "summary": info.summary,
            "reference": info.reference,
        }
        for info in infos
    )
