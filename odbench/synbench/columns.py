"""Draw the marginal distribution of one column of a copula."""

from __future__ import annotations

from functools import cache
from typing import Any

from odbench.synbench import marginals
from odbench.synbench.marginals import QuantileMap
from odbench.synbench.stream import Stream

# Location of mixtures of betas.
BETAS_LOCATION, BETAS_SCALE = -5.0, 10.0

_exponential = cache(marginals.exponential_map)
_student = cache(marginals.student_map)


def draw_column(stream: Stream) -> tuple[QuantileMap, dict[str, Any]]:
    """Draw a column's law: the family uniformly, then its parameters.

    Parameters
    ----------
    stream : Stream

    Returns
    -------
    tuple of QuantileMap and dict
        The map from normal values, and the parameters including ``family``.
    """
    family = marginals.FAMILIES[stream.integer(0, len(marginals.FAMILIES) - 1)]
    law: dict[str, Any]
    if family == "normal":
        law = {"mean": stream.number(-1, 1), "sd": stream.number(1.5, 2)}
    elif family == "beta":
        law = {"a": stream.number(1, 5), "b": stream.number(1, 5)}
    elif family == "exponential":
        law = {"rate": stream.number(1, 2)}
    elif family == "student":
        law = {"df": stream.integer(3, 10)}
    elif family == "normals":
        law = {"components": _components(stream, (-3, 3), (0.5, 1.5))}
    else:
        law = {"components": _components(stream, (1, 5), (1, 5))}
    return column_map(family, law), {"family": family, **law}


def column_map(family: str, law: dict[str, Any]) -> QuantileMap:
    """Return the map of a law.

    Parameters
    ----------
    family : str
        One of `marginals.FAMILIES`.
    law : dict
        Its parameters, as returned by `draw_column`.

    Returns
    -------
    QuantileMap
    """
    if family == "normal":
        return marginals.normal_map(law["mean"], law["sd"])
    if family == "beta":
        return marginals.betas_map([(1.0, law["a"], law["b"])])
    if family == "exponential":
        return _exponential().moved(0.0, 1.0 / law["rate"])
    if family == "student":
        return _student(law["df"])
    if family == "normals":
        return marginals.normals_map(law["components"])
    return marginals.betas_map(law["components"]).moved(BETAS_LOCATION, BETAS_SCALE)


def _components(
    stream: Stream, first: tuple[float, float], second: tuple[float, float]
) -> list[list[float]]:
    """Draw one to three [weight, first parameter, second parameter]."""
    n = stream.integer(1, 3)
    raw = [stream.number(0.3, 0.7) for _ in range(n)]
    total = 0.0
    for weight in raw:
        total += weight
    return [
        [weight / total, stream.number(*first), stream.number(*second)]
        for weight in raw
    ]
