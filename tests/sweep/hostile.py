"""Detectors that misbehave for real: they hang, crash, cheat or use up memory."""

import contextlib
import ctypes
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np


class Plain:
    """A well-behaved detector: the distance to the mean."""

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
        # PyDLL keeps the interpreter lock, so no Python code of the process runs again.
        ctypes.PyDLL(None).pause()


class IgnoresTermination(OnlyOnRealRows):
    def misbehave(self, X):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(1)


class ForksAndHangs(OnlyOnRealRows):
    def misbehave(self, X):
        # One child in the same group, one in a new session.
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


class LeavesADaemon(OnlyOnRealRows):
    """Leaves an orphan in another session and without the mark."""

    work = "import time; time.sleep(3600)"

    def misbehave(self, X):
        start = (
            "import subprocess, sys; subprocess.Popen([sys.executable, '-c', "
            f"{self.work!r}, 'odbench-leftover'], env={{}}, start_new_session=True)"
        )
        subprocess.run([sys.executable, "-c", start], env={}, check=True)


class EatsMemoryInADaemon(LeavesADaemon):
    work = "import time; eaten = bytearray(b'x') * (2 << 30); time.sleep(3600)"

    def misbehave(self, X):
        super().misbehave(X)
        time.sleep(3600)


class HidesMemory(OnlyOnRealRows):
    def misbehave(self, X):
        for number in range(12):
            hidden = os.memfd_create(f"hidden-{number}")
            for _ in range(200):
                os.write(hidden, bytes(1 << 20))
        time.sleep(1)


class ForksAndGoesOn(OnlyOnRealRows):
    def misbehave(self, X):
        os.fork()


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


class SendsItselfARealTimeSignal(OnlyOnRealRows):
    def misbehave(self, X):
        # Python has no name for this signal.
        os.kill(os.getpid(), 40)


class KillsItself(OnlyOnRealRows):
    """Kills itself, like the kernel when memory runs out."""

    def misbehave(self, X):
        os.kill(os.getpid(), signal.SIGKILL)


class Exits(OnlyOnRealRows):
    def misbehave(self, X):
        os._exit(3)


class RaisesSystemExit(OnlyOnRealRows):
    def misbehave(self, X):
        sys.exit("enough")


class Raises(OnlyOnRealRows):
    def misbehave(self, X):
        raise ValueError("no luck\nwith these rows")


class RaisesBytesThatAreNoText(OnlyOnRealRows):
    def misbehave(self, X):
        raise ValueError("bad byte \udce9, \x1b[31m red")


class RaisesWithoutMessage(OnlyOnRealRows):
    def misbehave(self, X):
        class MuteError(Exception):
            def __str__(self):
                raise RuntimeError("no words")

        raise MuteError


class DigsDeep(OnlyOnRealRows):
    def misbehave(self, X):
        for _ in range(3000):
            Path("d").mkdir()
            os.chdir("d")


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


class KnowsTheShuffle(Plain):
    """Knows how rows are shuffled, but not the labels."""

    def decision_function(self, X):
        digest = hashlib.sha256(b"shown-2").digest()
        rng = np.random.default_rng(int.from_bytes(digest, "little"))
        return rng.permutation(len(X)).astype(float)


class LooksAtTheEnd(OnlyOnRealRows):
    """Fails if the anomalies that were moved to train are all at the end."""

    def misbehave(self, X):
        highest = np.argsort(np.linalg.norm(X, axis=1))[-4:]
        assert highest.min() < len(X) - 12, "the anomalies are at the end"


class ReadsLabels(Plain):
    """Tries every way to read the labels of a store whose path it is given."""

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
            found.append("nothing: the test uses the wrong path")
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


class MeddlesWithTheRun(Plain):
    """Tries to read and to forge files of the run and of the store."""

    def __init__(self, root=".", out="."):
        self.root, self.out = root, out

    def get_params(self, deep=True):
        return {"root": self.root, "out": self.out}

    def fit(self, X):
        files = [
            f"{self.root}/features/oddbench/public/Gamma.arrow",
            f"{self.out}/run.json",
            *(f"{self.out}/journal/{name}" for name in self._journals()),
        ]
        found = []
        for file in files:
            for flags in (os.O_RDONLY, os.O_WRONLY | os.O_APPEND):
                with contextlib.suppress(OSError):
                    os.close(os.open(file, flags))
                    found.append(file)
        with contextlib.suppress(OSError):
            Path(f"{self.out}/journal/forged.jsonl").write_text("{}")
            found.append("a forged journal")
        if found:
            raise AssertionError(f"within reach: {', '.join(found)}")
        return super().fit(X)

    def _journals(self):
        # Listed by a program, which the audit hook does not see.
        listed = subprocess.run(
            ["ls", f"{self.out}/journal"],
            check=False,
            capture_output=True,
            text=True,
        )
        return listed.stdout.split()


class ChangesTheTables(Plain):
    """Writes past NumPy's read-only flag; it shares work, so it gets no copy."""

    def use_workspace(self, workspace):
        pass

    def fit(self, X):
        address = X.__array_interface__["data"][0]
        ctypes.memset(address, 0, X.nbytes)
        return super().fit(X)


class ChangesDirectory(Plain):
    def fit(self, X):
        os.chdir("/")
        os.environ["ODBENCH_LEFT_BEHIND"] = "1"
        return super().fit(X)


class SeesDirectory(Plain):
    """Fails if the folder or the environment of an earlier trial is still there."""

    def fit(self, X):
        if Path.cwd() == Path("/") or "ODBENCH_LEFT_BEHIND" in os.environ:
            raise AssertionError("an earlier trial left traces")
        return super().fit(X)


class SeedsTheGlobalGenerator(Plain):
    def fit(self, X):
        np.random.seed(1)
        random.seed(1)
        return super().fit(X)


class DrawsFromTheGlobalGenerator(Plain):
    def decision_function(self, X):
        return np.random.rand(len(X)) + random.random()


class StopsItsWorker(OnlyOnRealRows):
    def misbehave(self, X):
        above = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2]
        os.kill(int(above.split()[1]), signal.SIGSTOP)


class UsesProcesses(OnlyOnRealRows):
    def misbehave(self, X):
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(abs, range(4)))


class MakesASocket(OnlyOnRealRows):
    def misbehave(self, X):
        socket.socket(socket.AF_UNIX)


class AssertsWithoutText(OnlyOnRealRows):
    def misbehave(self, X):
        raise AssertionError


class WaitsForDeath(OnlyOnRealRows):
    def misbehave(self, X):
        time.sleep(60)


class DiesLater(OnlyOnRealRows):
    """Crashes in a thread after the trial, as a native library may."""

    def misbehave(self, X):
        threading.Timer(0.2, ctypes.string_at, (0,)).start()


class WritesToTheSocket(OnlyOnRealRows):
    """Writes garbage to every open descriptor."""

    said = b'{"status": "ok"}{]\n' * 3

    def misbehave(self, X):
        for descriptor in range(3, 1024):
            with contextlib.suppress(OSError):
                os.write(descriptor, self.said)
        time.sleep(1)


class SaysThatAllIsWell(WritesToTheSocket):
    said = b'{"status": "ok", "reason": ""}\n'


class SaysALot(WritesToTheSocket):
    said = b"[" * 30_000 + b"\n"


class Slow(Plain):
    def __init__(self, seconds=0.05):
        self.seconds = seconds

    def get_params(self, deep=True):
        return {"seconds": self.seconds}

    def fit(self, X):
        if len(X) != 64:
            time.sleep(self.seconds)
        return super().fit(X)
