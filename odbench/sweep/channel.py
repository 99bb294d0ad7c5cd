"""The way to a detector's process: a socket that passes descriptors, or plain pipes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import selectors
import socket
import subprocess
import threading
from typing import Any

from odbench.sweep.handover import Memory

_CHUNK = 1 << 16


class SocketChannel:
    """One end of a socket pair; memory goes along as a descriptor."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._selector = selectors.DefaultSelector()
        self._selector.register(end, selectors.EVENT_READ)

    def send(self, request: dict[str, Any], memory: Memory | None) -> None:
        """Send a request; a process that has ended is noticed when it is read."""
        data = json.dumps(request).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if memory is not None:
                sent = socket.send_fds(self._end, [data], [memory.descriptor])
                data = data[sent:]
            self._end.sendall(data)

    def receive(self, seconds: float) -> bytes | None:
        """Return the next bytes, none at the end; None if nothing came in time."""
        if not self._selector.select(seconds):
            return None
        try:
            return self._end.recv(_CHUNK)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        """Close this end."""
        self._selector.close()
        self._end.close()


class PipeChannel:
    """Pipes of a process, for systems without descriptors; memory goes by its path."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018
        self._in, self._out = process.stdin, process.stdout
        self._came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, request: dict[str, Any], memory: Memory | None) -> None:
        """Send a request; a process that has ended is noticed when it is read."""
        if memory is not None:
            request = {**request, "path": memory.path}
        with contextlib.suppress(OSError, ValueError):
            self._in.write(json.dumps(request).encode() + b"\n")
            self._in.flush()

    def receive(self, seconds: float) -> bytes | None:
        """Return the next bytes, none at the end; None if nothing came in time."""
        try:
            return self._came.get(timeout=seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Close the pipe to the process; the reader ends when the process has."""
        with contextlib.suppress(OSError, ValueError):
            self._in.close()

    def _read(self) -> None:
        with self._out, contextlib.suppress(OSError, ValueError):
            while data := os.read(self._out.fileno(), _CHUNK):
                self._came.put(data)
        self._came.put(b"")


Channel = SocketChannel | PipeChannel
