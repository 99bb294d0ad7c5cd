"""Suggest a column for a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def closest(name: str, names: Sequence[str]) -> str:
    """Return a hint: the closest name, or the names that exist.

    Examples
    --------
    >>> closest("amout", ["amount", "day"]), closest("x", ["amount", "day"])
    ("did you mean 'amount'?", "it has 'amount', 'day'")
    """
    lower = {each.lower(): each for each in names}
    match = difflib.get_close_matches(name.lower(), lower, n=1)
    if match:
        return f"did you mean {lower[match[0]]!r}?"
    shown = ", ".join(repr(each) for each in names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"it has {shown}{more}"
