"""Measure the time that numba compiles or loads code, so that no trial is charged."""

from __future__ import annotations

import sys
import time
from typing import Any

# numba holds its compiler lock while it compiles a function or loads it from its cache.
_EVENT = "numba:compiler_lock"
_clock = time.perf_counter


class CompileClock:
    """Adds up the seconds in which numba compiles or loads functions.

    Attributes
    ----------
    seconds : float
        The sum so far, over all threads.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._started = 0.0
        self._listens = False

    def listen(self) -> None:
        """Start to listen, if a detector has imported numba."""
        if self._listens or "numba" not in sys.modules:
            return
        from numba.core import event

        clock = self

        class Listener(event.Listener):
            def on_start(self, event: Any) -> None:  # noqa: ARG002
                clock.start()

            def on_end(self, event: Any) -> None:  # noqa: ARG002
                clock.stop()

        event.register(_EVENT, Listener())  # type: ignore[no-untyped-call]
        self._listens = True

    def start(self) -> None:
        """Count from now on; nested calls count once."""
        if self._depth == 0:
            self._started = _clock()
        self._depth += 1

    def stop(self) -> None:
        """End one `start`."""
        self._depth -= 1
        if self._depth == 0:
            self.seconds += _clock() - self._started
