"""End a worker process soon after the driver that started it, however that ended."""

from __future__ import annotations

import os
import threading
import time

# Interval at which a worker looks whether its driver is still there.
_WATCH_SECONDS = 0.5


def end_with(driver: int) -> None:
    """Start a thread that ends this process when its parent is no longer the driver.

    The processes of detectors end by themselves when the worker does.

    Parameters
    ----------
    driver : int
        The process that started this one. It may have ended already.
    """

    def watch() -> None:
        while os.getppid() == driver:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="odbench-driver", daemon=True).start()
