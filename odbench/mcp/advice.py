"""Advice in the words of the tools: texts for people name commands and options."""

from __future__ import annotations

import re

# Commands that messages advise, and the tools that a client has instead.
_TOOLS = {"odbench detectors list": "list_detectors", "odbench suites": "list_suites"}
# Options of the command line, and the arguments of the tools that do the same.
_ARGUMENTS = {
    "--reference": "reference",
    "--detector": "detector",
    "--id": "id_column",
    "--ignore": "ignore",
    "--fdr": "fdr",
    "--top": "top",
    "--max-seconds": "max_seconds",
    "--explainable": "explainable",
}
# Options of `odbench score` that no tool has.
_ELSEWHERE = frozenset(("--category", "--number", "--date", "--text"))
# A quote in front means that the word is from a table.
_OPTION = re.compile(r"(?<!['\"`\w-])(?<!odbench score )--[a-z]+(?:-[a-z]+)*")


def for_client(text: str) -> str:
    """Replace commands and options in a message by the tools and arguments of a client.

    Parameters
    ----------
    text : str
        Of odbench, not of a table.

    Returns
    -------
    str

    Examples
    --------
    >>> for_client("`odbench suites` lists them; leave columns out with --ignore a,b")
    'list_suites lists them; leave columns out with `ignore` a,b'
    >>> for_client("name one with --number")
    'name one with `odbench score --number`'
    """
    for command, tool in _TOOLS.items():
        text = text.replace(f"`{command}`", tool)
    return _OPTION.sub(_argument, text)


def _argument(found: re.Match[str]) -> str:
    option = found[0]
    if option in _ELSEWHERE:
        return f"`odbench score {option}`"
    return f"`{_ARGUMENTS[option]}`" if option in _ARGUMENTS else option
