"""Views of arrays, so that compiled code sees one type of each."""

from __future__ import annotations

from typing import Any, TypeVar

from numpy.typing import NDArray

A = TypeVar("A", bound=NDArray[Any])


def read_only(array: A) -> A:
    """Return a view that cannot be written.

    A sweep's tables cannot be written and others can; numba would compile a function
    once for each.
    """
    view = array.view()
    view.flags.writeable = False
    return view
