"""Progress on stderr, such as a pull's."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from typing import Any

_PLAIN_SECONDS = 10.0
# Width of the bar in a terminal that reports no width.
_COLUMNS = 80


def columns() -> int | None:
    """Return the bar's width, or None if the terminal on stderr reports its own."""
    reported = os.get_terminal_size(sys.stderr.fileno()).columns
    return None if reported else _COLUMNS


def notebook_bar() -> Any:
    """Return tqdm's bar for notebooks, or None outside one or without ipywidgets."""
    if "ipykernel" not in sys.modules:
        return None
    with warnings.catch_warnings():
        # Without ipywidgets, tqdm warns; lines are shown then, as outside a notebook.
        warnings.simplefilter("ignore")
        from tqdm import auto, notebook
    return auto.tqdm if issubclass(auto.tqdm, notebook.tqdm) else None


class Bar:
    """A progress bar in a terminal or a notebook; elsewhere a line every 10 seconds.

    Parameters
    ----------
    total : int
        Number of data sets.
    visible : bool
        Whether to draw anything.
    action : str
        The verb shown, such as "pull".
    """

    def __init__(self, total: int, *, visible: bool, action: str = "pull") -> None:
        self._action = action
        self._total = total
        self._visible = visible
        self._lock = threading.Lock()
        self._bytes = 0
        self._done = 0
        self._failed = 0
        self._last = time.monotonic()
        self._written = ""
        self._bar: Any = None
        if visible and (in_notebook := notebook_bar()):
            self._bar = in_notebook(total=total, desc=action, unit="set")
        elif visible and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=total, desc=action, unit="set", file=sys.stderr, ncols=columns()
            )

    def add_bytes(self, count: int) -> None:
        """Count bytes that arrived; called from any thread."""
        with self._lock:
            self._bytes += count
            if self._bar is not None and count:
                self._bar.set_postfix_str(self._note(), refresh=False)

    def step(self, *, failed: bool) -> None:
        """Count one finished data set."""
        with self._lock:
            self._done += 1
            self._failed += failed
            if self._bar is not None:
                self._bar.set_postfix_str(self._note(), refresh=False)
                self._bar.update()
            elif self._visible and time.monotonic() - self._last > _PLAIN_SECONDS:
                self._last = time.monotonic()
                self._line()

    def close(self) -> None:
        """Close the bar, leaving its last state on the screen."""
        with self._lock:
            if self._bar is not None:
                self._bar.close()
            elif self._visible:
                self._line()

    def _note(self) -> str:
        """Return the bytes and failures to show after the count."""
        parts = [f"{self._bytes / 1e6:.1f} MB"] if self._bytes else []
        parts += [f"{self._failed} failed"] if self._failed else []
        return ", ".join(parts)

    def _line(self) -> None:
        """Write one line of progress, unless it was the last one."""
        parts = [f"{self._action}: {self._done}/{self._total} data sets", self._note()]
        line = ", ".join(part for part in parts if part)
        if line != self._written:
            self._written = line
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
