"""A hub on the loopback: enough of the protocol for the real client, with faults.

Repositories are in memory. A test adds files, scripts the faults, and inspects the
requests afterwards. Other tests may add routes (commits, uploads) to `routes`.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

Handler = Callable[["_Request", "re.Match[str]"], None]


@dataclass
class Repository:
    """A data set repository; every commit is a complete tree of files."""

    commits: list[dict[str, bytes]] = field(default_factory=lambda: [{}])
    private: bool = False
    lfs: bool = True

    def sha(self, number: int = -1) -> str:
        """The 40 hex digits of a commit, from its number and content."""
        tree = self.commits[number]
        text = f"{number % len(self.commits)}" + "".join(
            f"{path}{hashlib.sha1(data).hexdigest()}"
            for path, data in sorted(tree.items())
        )
        return hashlib.sha1(text.encode()).hexdigest()

    def commit(self, files: dict[str, bytes]) -> str:
        """Add a commit that adds or replaces files."""
        self.commits.append({**self.commits[-1], **files})
        return self.sha()

    def find(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit and tree that a revision names."""
        if revision == "main":
            return self.sha(), self.commits[-1]
        for number in range(len(self.commits)):
            if self.sha(number) == revision:
                return revision, self.commits[number]
        return None


@dataclass
class HubServer:
    """The server's state.

    `faults` maps the end of a path to the faults of the next requests for it: an int
    is a status, ``("wait", s)`` a 429 with Retry-After, ``"cut"`` a connection closed
    in mid-file, ``"flip"`` one wrong byte, ``"grown"`` far more bytes than listed,
    ``"drip"`` a body and ``"drip headers"`` headers of a byte every `pause` seconds
    without an end, ``("encoded", name, body)`` a body with that content encoding,
    ``("next", url)`` an empty page with that link, ``"endless"`` an empty page with a
    link to one more, ``("redirect", url, body)`` a redirect, ``"ok"`` no fault.
    `listed` has paths that listings name besides the existing files; `delivered` counts
    the surplus bytes that were sent.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    faults: dict[str, list[object]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    routes: list[tuple[str, str, Handler]] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    delivered: int = 0
    pause: float = 0.02
    page_size: int = 1000
    token: str = "hf_test"
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def cdn(self) -> str:
        """The same endpoint under another host name."""
        return f"http://localhost:{self.port}"

    def next_fault(self, path: str) -> object:
        """Take the next scripted fault for a path."""
        with self.lock:
            for end, script in self.faults.items():
                if path.endswith(end) and script:
                    return script.pop(0)
        return "ok"

    def deliver_more(self, request: _Request, data: bytes) -> None:
        """Send a file and 64 MiB more, counting the bytes that the client accepts."""
        length = len(data) + (64 << 20)
        request.send_response(200)
        request.send_header("Content-Length", str(length))
        request.end_headers()
        request.close_connection = True
        request.wfile.write(data)
        for _ in range(64 << 4):
            request.wfile.write(bytes(1 << 16))
            self.delivered += 1 << 16

    def paths(self, method: str | None = None) -> list[str]:
        """The requested paths."""
        return [path for verb, path, _ in self.requests if method in (None, verb)]


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def log_message(self, *_: object) -> None:
        pass

    def _dispatch(self) -> None:
        path = unquote(urlsplit(self.path).path)
        with self.hub.lock:
            headers = {key.lower(): value for key, value in self.headers.items()}
            self.hub.requests.append((self.command, self.path, headers))
        for method, pattern, handler in [*self.hub.routes, *ROUTES]:
            match = re.fullmatch(pattern, path)
            if match and self.command in method.split("|"):
                handler(self, match)
                return
        self.answer(404, b"no such route")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _dispatch  # noqa: N815

    def body(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        """Send a complete answer."""
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def json(self, value: object, headers: dict[str, str] | None = None) -> None:
        """Send JSON."""
        kind = {"Content-Type": "application/json"}
        self.answer(200, json.dumps(value).encode(), {**kind, **(headers or {})})

    def error(self, status: int, code: str = "", **more: str) -> None:
        """Send an error in the hub's format."""
        headers = {**({"X-Error-Code": code} if code else {}), **more}
        self.answer(status, json.dumps({"error": code}).encode(), headers)

    def fails(self) -> bool:
        """Send the scripted fault if it is a status, and tell whether it is."""
        fault = self.hub.next_fault(unquote(urlsplit(self.path).path))
        if isinstance(fault, int):
            self.error(fault)
        elif fault in ("drip", "drip headers"):
            self.drip(b"HTTP/1.1 200 OK\r\n" + b"\r\n" * (fault == "drip"))
        elif fault == "cut" and "/api/" in self.path:
            self.close_connection = True
            self.answer(200, b"[", {"Content-Length": "1000"})
        elif fault == "endless":
            number = int(self.path.rpartition("=")[2]) if "cursor=" in self.path else 0
            here = self.path.partition("?")[0]
            self.json([], {"Link": f'<{here}?cursor={number + 1}>; rel="next"'})
        elif isinstance(fault, tuple):
            self.special(*fault)
        else:
            self.fault = fault
            return False
        return True

    def special(self, kind: str, value: object, body: bytes = b"") -> None:
        """Send the answer of a fault that has values."""
        if kind == "wait":
            self.error(429, **{"Retry-After": str(value)})
        elif kind == "encoded":
            self.answer(200, body, {"Content-Encoding": str(value)})
        elif kind == "next":
            self.json([], {"Link": f'<{value}>; rel="next"'})
        else:
            self.answer(302, body, {"Location": str(value)})

    def drip(self, start: bytes) -> None:
        """Send a start and then one letter at a time, until the client leaves."""
        self.close_connection = True
        self.wfile.write(start)
        while True:
            self.wfile.write(b"a")
            self.hub.delivered += 1
            time.sleep(self.hub.pause)

    def repository(self, name: str, revision: str) -> tuple[str, dict[str, bytes]]:
        """Find a commit, or send an error."""
        repository = self.hub.repositories.get(name)
        allowed = self.headers.get("Authorization") == f"Bearer {self.hub.token}"
        if repository is None or (repository.private and not allowed):
            self.error(401 if repository is None else 404, "RepoNotFound")
            raise _SentError
        found = repository.find(revision)
        if found is None:
            self.error(404, "RevisionNotFound")
            raise _SentError
        return found


class _SentError(Exception):
    """Raised after an error has been sent."""


def _guarded(handler: Handler) -> Handler:
    def guarded(request: _Request, match: re.Match[str]) -> None:
        try:
            if not request.fails():
                handler(request, match)
        except (_SentError, BrokenPipeError, ConnectionResetError):
            pass

    return guarded


@_guarded
def _info(request: _Request, match: re.Match[str]) -> None:
    name, revision = match["name"], match["revision"] or "main"
    sha, tree = request.repository(name, revision)
    siblings = [{"rfilename": path} for path in sorted(tree)]
    request.json({"id": name, "sha": sha, "siblings": siblings, "tags": []})


@_guarded
def _tree(request: _Request, match: re.Match[str]) -> None:
    name, folder = match["name"], (match["folder"] or "").strip("/")
    _, tree = request.repository(name, match["revision"])
    lfs = request.hub.repositories[name].lfs
    inside = sorted(p for p in tree if not folder or p.startswith(f"{folder}/"))
    if not inside:
        request.error(404, "EntryNotFound")
        return
    query = parse_qs(urlsplit(request.path).query)
    start = int(query.get("cursor", ["0"])[0])
    page = inside[start : start + request.hub.page_size]
    headers = {}
    if start + len(page) < len(inside):
        here = quote(urlsplit(request.path).path)
        link = f"{request.hub.url}{here}?cursor={start + len(page)}"
        headers["Link"] = f'<{link}>; rel="next"'
    entries = [_entry(path, tree[path], lfs) for path in page]
    entries += [_entry(path, b"?", lfs) for path in request.hub.listed]
    request.json(entries, headers)


def _entry(path: str, data: bytes, lfs: bool) -> dict[str, object]:
    entry: dict[str, object] = {
        "type": "file",
        "path": path,
        "size": len(data),
        "oid": hashlib.sha1(data).hexdigest(),
    }
    if lfs:
        digest = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": digest, "size": len(data), "pointerSize": 130}
    return entry


@_guarded
def _resolve(request: _Request, match: re.Match[str]) -> None:
    sha, tree = request.repository(match["name"], match["revision"])
    data = tree.get(match["path"])
    if data is None:
        request.error(404, "EntryNotFound", **{"X-Repo-Commit": sha})
        return
    digest = hashlib.sha256(data).hexdigest()
    place = f"{request.hub.cdn}/cdn/{match['name']}/{sha}/{quote(match['path'])}"
    headers = {
        "X-Repo-Commit": sha,
        "X-Linked-Size": str(len(data)),
        "X-Linked-Etag": f'"{digest}"',
        "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
        "Location": place,
    }
    request.answer(302, b"", headers)


@_guarded
def _deliver(request: _Request, match: re.Match[str]) -> None:
    found = request.hub.repositories[match["name"]].find(match["sha"])
    assert found is not None
    data = found[1][match["path"]]
    headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
    status = 200
    if wanted := re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "")):
        start = int(wanted[1])
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        status, data = 206, data[start:]
    if request.fault == "flip":
        data = data[:-200] + bytes([data[-200] ^ 1]) + data[-199:]
    if request.fault == "grown":
        request.hub.deliver_more(request, data)
        return
    if request.fault == "cut":
        headers["Content-Length"] = str(len(data))
        data = data[: len(data) // 2]
        request.close_connection = True
    request.answer(status, data, headers)


_NAME = r"(?P<name>[\w.-]+/[\w.-]+)"
ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", rf"/api/datasets/{_NAME}(?:/revision/(?P<revision>\w+))?", _info),
    ("GET", rf"/api/datasets/{_NAME}/tree/(?P<revision>\w+)(?P<folder>/.*)?", _tree),
    (
        "GET|HEAD",
        rf"/datasets/{_NAME}/resolve/(?P<revision>\w+)/(?P<path>.+)",
        _resolve,
    ),
    ("GET|HEAD", rf"/cdn/{_NAME}/(?P<sha>\w+)/(?P<path>.+)", _deliver),
]


def serve() -> Iterator[HubServer]:
    """Run a hub until the generator is closed."""
    hub = HubServer()
    handler = type("Request", (_Request,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
