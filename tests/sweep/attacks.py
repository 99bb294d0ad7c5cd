"""Detectors that attack the run around them; each reports what it could do.

An attack succeeds if it returns without an error. `Attacks` scores every row by the
number of attacks that succeeded, and raises with their names if there is any.
"""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np

LIBC = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    """Call a C function; raise if it fails."""
    if function(*arguments) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


class Attack:
    """A detector that attacks when it is fitted on real rows."""

    def __init__(self, target="", port=0):
        self.target, self.port = target, port

    def get_params(self, deep=True):
        return {"target": self.target, "port": self.port}

    def fit(self, X, y=None):
        self._center = X.mean(axis=0)
        if len(X) != 64:
            succeeded = [name for name, attack in self.attacks() if works(attack)]
            if succeeded:
                raise RuntimeError("succeeded: " + ", ".join(sorted(succeeded)))
        return self

    def decision_function(self, X):
        return np.linalg.norm(X - self._center, axis=1)


def works(attack):
    try:
        attack()
    except BaseException:
        return False
    return True


class OnFiles(Attack):
    """Reads, changes or replaces a hidden file or folder."""

    def attacks(self):
        path = Path(self.target)
        name = str(path).encode()
        inside = [path / one for one in ("new", "x.npy")] if path.is_dir() else []
        yield "open", lambda: os.close(os.open(path, os.O_RDONLY))
        yield "list", lambda: [*os.scandir(path)] if path.is_dir() else 1 / 0
        yield "write", lambda: os.close(os.open(path, os.O_WRONLY))
        yield "truncate", lambda: call(LIBC.truncate, name, 0)
        yield "rename", lambda: call(LIBC.rename, name, name + b".moved")
        yield "unlink", lambda: call(LIBC.unlink, name)
        yield "hard link", lambda: call(LIBC.link, name, b"linked")
        yield (
            "read by a program",
            lambda: subprocess.run(["cat", str(path)], check=True, capture_output=True),
        )
        for new in inside:
            yield "create", lambda new=new: new.write_bytes(b"")
        yield "mount", lambda: call(LIBC.mount, name, name, None, 4096, None)


class OnMetadata(Attack):
    """Changes mode, owner, times or attributes; the test looks at the file."""

    def attacks(self):
        name = self.target.encode()
        LIBC.chmod(name, 0)
        LIBC.chown(name, 12345, 12345)
        LIBC.utimes(name, (ctypes.c_long * 4)(1, 0, 1, 0))
        LIBC.setxattr(name, b"user.odbench", b"x", 1, 0)
        subprocess.run(["chmod", "000", self.target], check=False)
        subprocess.run(["touch", "-t", "200001010000", self.target], check=False)
        return ()


class OnCode(Attack):
    """Writes where the next interpreter runs it."""

    def attacks(self):
        import odbench

        libraries = Path(sysconfig.get_path("purelib"))
        for place in (
            libraries / "odbench-attack.pth",
            Path(odbench.__file__),
            Path(odbench.__file__).parent / "attack.py",
            Path(sys.executable),
            Path.home().parent / "odbench" / "attack",
            Path(self.target) / "home" / ".cache" / "odbench" / "kernels" / "attack",
            Path(self.target) / ".bashrc",
            Path("/tmp/odbench-attack"),
        ):
            yield f"write {place.name}", lambda place=place: place.open("ab").close()


class OnProcesses(Attack):
    """Reaches the worker or the driver."""

    def attacks(self):
        # The worker and the driver have started shortly before.
        for pid in range(os.getppid(), max(1, os.getppid() - 100), -1):
            for verb, attack in self.attacks_on(pid).items():
                yield f"{verb} {pid}", attack

    @staticmethod
    def attacks_on(pid):
        proc = Path(f"/proc/{pid}")
        return {
            "signal": lambda: os.kill(pid, 0),
            "stop": lambda: os.kill(pid, signal.SIGSTOP),
            "limit": lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)),
            "memory of": lambda: (proc / "mem").open("rb").close(),
            "environment of": lambda: (proc / "environ").read_bytes()[0],
            "files of": lambda: next((proc / "fd").iterdir()),
            "trace": lambda: call(LIBC.ptrace, 16, pid, 0, 0),
            "pin": lambda: os.sched_setaffinity(pid, {0}),
            "slow down": lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
        }


class OnMemory(Attack):
    """Takes shared memory or locks of the user's other processes."""

    def attacks(self):
        yield "list", lambda: next(Path("/dev/shm").iterdir())
        yield "create", lambda: Path("/dev/shm/odbench-attack").write_bytes(b"x")
        for entry in Path("/dev/shm").glob("sem.*"):
            yield f"lock {entry.name}", lambda entry=entry: entry.open("r+b").close()


class OnNetwork(Attack):
    """Connects to a service on this machine."""

    def attacks(self):
        yield "connect", lambda: socket.create_connection(("127.0.0.1", self.port), 2)
        yield "listen", lambda: socket.create_server(("127.0.0.1", 0))
        yield "listen anywhere", lambda: socket.socket().listen()
        yield "local socket", lambda: socket.socket(socket.AF_UNIX)
        yield "socket to the host", lambda: socket.socket(40)
        for protocol in (256, 262):
            # SMC and MPTCP become TCP where the other end has nothing else.
            yield f"protocol {protocol}", lambda number=protocol: self.connect(number)
        yield "fast open", lambda: self.open_fast(socket.socket().sendto)
        yield "fast open by a message", lambda: self.open_fast(self.send_message)

    def connect(self, protocol):
        end = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
        end.connect(("127.0.0.1", self.port))

    def open_fast(self, send):
        send(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", self.port))

    @staticmethod
    def send_message(data, flags, address):
        socket.socket().sendmsg([data], [], flags, address)


class OnKernel(Attack):
    """Uses system calls that get around the other rules."""

    def attacks(self):
        room = ctypes.create_string_buffer(200)
        yield "io_uring", lambda: call(LIBC.syscall, 425, 8, room)
        yield "bpf", lambda: call(LIBC.syscall, 321, 0, None, 0)
        yield "perf", lambda: call(LIBC.syscall, 298, room, 0, -1, -1, 0)
        yield "keys", lambda: call(LIBC.syscall, 250, 0, -3, 1)
        # Memory, semaphores and queues that outlive the process and count for none.
        yield "segment", lambda: call(LIBC.shmget, 0, 4096, 0o1600)
        yield "semaphore", lambda: call(LIBC.semget, 0, 1, 0o1600)
        yield "queue", lambda: call(LIBC.msgget, 0, 0o1600)


class OnSecrets(Attack):
    """Looks for secrets in the environment and in the home folder."""

    def attacks(self):
        names = ("PGPASS", "GH_PAT", "OPENAI_KEY", "HF_TOKEN", "MY_CREDENTIALS")
        for name in names:
            yield name, lambda name=name: os.environ[name]
        for name in (".cache/huggingface/token", ".netrc", ".ssh/id_ed25519"):
            yield name, lambda name=name: (Path(self.target) / name).read_text()[0]


class OnClock(Attack):
    """Stops every clock that Python has, and takes its time."""

    def attacks(self):
        for name in ("time", "perf_counter", "monotonic", "process_time"):
            setattr(time, name, lambda: 0.0)
        with contextlib.suppress(Exception):
            from odbench.sweep import child, workspace

            child._clock = workspace._clock = lambda: 0.0
        end = os.times().elapsed + 0.3
        while os.times().elapsed < end:
            pass
        return ()


class OnScores(Attack):
    """Leaves a child that keeps writing to every memory it can reach."""

    def attacks(self):
        return ()

    def decision_function(self, X):
        scores = np.linalg.norm(X - self._center, axis=1)
        if len(X) > 8 and os.fork() == 0:
            time.sleep(0.05)
            for number in range(3, 1024):
                with contextlib.suppress(OSError):
                    for _ in range(20):
                        os.pwrite(number, np.zeros(len(X)).tobytes(), 0)
            os._exit(0)
        return scores


class Outlives(Attack):
    """Leaves a process in a session of its own, without a mark or a death signal."""

    def attacks(self):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                LIBC.prctl(1, 0, 0, 0, 0)
                os.execve(
                    sys.executable,
                    [sys.executable, "-c", "import time; time.sleep(600)", self.target],
                    {},
                )
            os._exit(0)
        time.sleep(0.2)
        return ()
