"""Detectors that do what detectors must not, each caused for real."""

import contextlib
import ctypes
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


class Plain:
    """The distance to the mean: what a well-behaved detector looks like."""

    def fit(self, X):
        self.mean_ = X.mean(axis=0)
        return self

    def decision_function(self, X):
        return np.linalg.norm(X - self.mean_, axis=1)


class OnlyOnRealRows(Plain):
    """Misbehaves in a trial, not in the warm-up on 64 made-up rows."""

    def fit(self, X):
        if len(X) != 64:
            self.misbehave(X)
        return super().fit(X)

    def misbehave(self, X):
        raise NotImplementedError


class LoopsForEver(OnlyOnRealRows):
    def misbehave(self, X):
        while True:
            pass


class WaitsInNativeCode(OnlyOnRealRows):
    def misbehave(self, X):
        # PyDLL keeps the interpreter's lock: no Python code of this process runs again.
        ctypes.PyDLL(None).pause()


class IgnoresTermination(OnlyOnRealRows):
    def misbehave(self, X):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(1)


class ForksAndHangs(OnlyOnRealRows):
    def misbehave(self, X):
        # One child in the group, one in a session of its own.
        for new_session in (False, True):
            subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "import time; time.sleep(3600)",
                    "odbench-grandchild",
                ],
                start_new_session=new_session,
            )
        time.sleep(3600)


class LeavesAChild(OnlyOnRealRows):
    def misbehave(self, X):
        subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(3600)", "odbench-leftover"],
            start_new_session=True,
        )


class EatsMemory(OnlyOnRealRows):
    def misbehave(self, X):
        eaten = []
        while True:
            eaten.append(np.ones(1 << 22))


class RunsOutOfMemory(OnlyOnRealRows):
    def misbehave(self, X):
        np.empty(1 << 50)


class Segfaults(OnlyOnRealRows):
    def misbehave(self, X):
        ctypes.string_at(0)


class Exits(OnlyOnRealRows):
    def misbehave(self, X):
        os._exit(3)


class RaisesSystemExit(OnlyOnRealRows):
    def misbehave(self, X):
        sys.exit("enough")


class Raises(OnlyOnRealRows):
    def misbehave(self, X):
        raise ValueError("no luck\nwith these rows")


class PrintsAGigabyte(OnlyOnRealRows):
    def misbehave(self, X):
        line = b"x" * (1 << 20)
        for _ in range(512):
            os.write(1, line)
            os.write(2, line)


class GivesNaN(Plain):
    def decision_function(self, X):
        scores = super().decision_function(X)
        scores[:3] = np.nan
        return scores


class GivesOneTooFew(Plain):
    def decision_function(self, X):
        return super().decision_function(X)[1:]


class GivesText(Plain):
    def decision_function(self, X):
        return ["high"] * len(X)


class ChangesItsInput(Plain):
    def fit(self, X):
        X.setflags(write=True)
        X[:] = 0
        return super().fit(X)

    def decision_function(self, X):
        X[:] = 0
        return np.arange(len(X), dtype=float)


class ReadsLabels(Plain):
    """Tries every way to the labels of a store whose place it was told."""

    def __init__(self, root="."):
        self.root = root

    def get_params(self, deep=True):
        return {"root": self.root}

    def fit(self, X):
        path = f"{self.root}/labels/oddbench/public/Gamma.arrow"
        ways = {
            "open": lambda: Path(path).read_bytes(),
            "os.open": lambda: os.read(os.open(path, os.O_RDONLY), 10),
            "a link": lambda: (os.symlink(path, "link"), Path("link").read_bytes()),
            "a program": lambda: subprocess.run(
                ["cat", path], capture_output=True, check=True
            ),
            "native code": self._open_natively(path),
        }
        found = []
        for way, read in ways.items():
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                read()
                found.append(way)
        if not Path(f"{self.root}/features/oddbench/public/Gamma.arrow").exists():
            found.append("nothing: the test looks in the wrong place")
        if found:
            raise AssertionError(f"labels were readable by {', '.join(found)}")
        return super().fit(X)

    @staticmethod
    def _open_natively(path):
        def read():
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.open(path.encode(), os.O_RDONLY) < 0:
                raise OSError(ctypes.get_errno(), "refused")

        return read


class ChangesDirectory(Plain):
    def fit(self, X):
        os.chdir("/")
        os.environ["ODBENCH_LEFT_BEHIND"] = "1"
        return super().fit(X)


class SeesDirectory(Plain):
    """Fails when an earlier trial's folder or environment is still there."""

    def fit(self, X):
        if Path.cwd() == Path("/") or "ODBENCH_LEFT_BEHIND" in os.environ:
            raise AssertionError("an earlier trial shows")
        return super().fit(X)


class SeedsTheGlobalGenerator(Plain):
    def fit(self, X):
        np.random.seed(1)
        random.seed(1)
        return super().fit(X)


class DrawsFromTheGlobalGenerator(Plain):
    def decision_function(self, X):
        return np.random.rand(len(X)) + random.random()


class KillsItsWorker(OnlyOnRealRows):
    def misbehave(self, X):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)


class TalksOnTheLine(OnlyOnRealRows):
    """Writes rubbish into every descriptor that it has."""

    def misbehave(self, X):
        for descriptor in range(3, 64):
            with contextlib.suppress(OSError):
                os.write(descriptor, b'{"status": "ok"}{]\n' * 3)


class Slow(Plain):
    def __init__(self, seconds=0.05):
        self.seconds = seconds

    def get_params(self, deep=True):
        return {"seconds": self.seconds}

    def fit(self, X):
        if len(X) != 64:
            time.sleep(self.seconds)
        return super().fit(X)
