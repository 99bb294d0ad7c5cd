"""Detectors that take more processes, threads or memory than the machine has."""

import os
import threading
import time

import numpy as np


class Plain:
    """Takes nothing that it should not."""

    def fit(self, X, y=None):
        return self

    def decision_function(self, X):
        return np.asarray(X).sum(axis=1)


class StartsMany(Plain):
    """Starts more processes than there may be, and leaves them."""

    def fit(self, X, y=None):
        for _ in range(200):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        return self


class TakesTwoGib(Plain):
    """Writes to two gibibytes of memory."""

    def fit(self, X, y=None):
        self.held = []
        for _ in range(128):
            self.held.append(np.ones(2 << 20))
        return self


class FindsNoThread(Plain):
    """Fails as a detector does that may start no thread."""

    def fit(self, X, y=None):
        msg = "can't start new thread"
        raise RuntimeError(msg)


class WorksOn(Plain):
    """Leaves a thread and a process that compute for ever."""

    def fit(self, X, y=None):
        threading.Thread(target=_compute, daemon=True).start()
        if os.fork() == 0:
            _compute()
        return self


def _compute():
    while True:
        sum(range(1000))
