"""A loopback hub that takes commits: as much of the protocol as the client uses."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TOKEN = "hf_loopback_secret"
LFS_SUFFIXES = (".parquet", ".png")


class HubServer(ThreadingHTTPServer):
    """One owner's data sets, and models under ``models/owner/name``, in memory.

    `faults` holds (path part, what) pairs, each used up by the first request whose
    path contains the part: an HTTP status to answer with, "cut" to close the
    connection at once, or "lose" to do the work and then close it.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos: dict[str, list[dict]] = {}
        self.pulls: list[tuple[str, dict[str, bytes]]] = []
        self.lfs: dict[str, bytes] = {}
        self.faults: list[tuple[str, int | str]] = []
        self.requests: list[tuple[str, str]] = []
        self.uploads: list[str] = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def make(self, repo: str) -> None:
        self.commit(repo, {".gitattributes": b"*.parquet filter=lfs\n"}, "init")

    def commit(self, repo: str, files: dict[str, bytes], title: str) -> str:
        commits = self.repos.setdefault(repo, [])
        sha = hashlib.sha1(f"{repo}{len(commits)}{title}".encode()).hexdigest()
        commits.append({"sha": sha, "title": title, "files": files})
        return sha

    def head(self, repo: str) -> dict:
        return self.repos[repo][-1]

    def handle_error(self, request, client_address) -> None:
        """Connections are cut on purpose here."""


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        self.act("GET")

    def do_POST(self) -> None:
        self.act("POST")

    def do_PUT(self) -> None:
        self.act("PUT")

    def act(self, method: str) -> None:
        path = urlsplit(self.path).path
        body = self.body()
        with self.server.lock:
            self.server.requests.append((method, path))
            fault = next((f for f in self.server.faults if f[0] in path), None)
            if fault is not None:
                self.server.faults.remove(fault)
            what = fault[1] if fault else None
            if what == "cut":
                self.close_connection = True
                return
            if isinstance(what, int):
                self.send(what, {"error": "on purpose"})
                return
            status, answer = self.route(method, path, body)
            if what == "lose":
                self.close_connection = True
                return
        self.send(status, answer)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def send(self, status: int, answer) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        self.wfile.write(content)

    def route(self, method: str, path: str, body: bytes):
        if method == "PUT":
            oid = path.rsplit("/", 1)[1]
            assert hashlib.sha256(body).hexdigest() == oid
            self.server.lfs[oid] = body
            self.server.uploads.append(oid)
            return 200, {}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid username or password."}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        match = re.fullmatch(
            r"(?:/api)?/(datasets|models)/([^/]+/[^/]+?)(?:\.git)?(?:/(.*))?", path
        )
        repo = match[2] if match[1] == "datasets" else f"models/{match[2]}"
        rest = match[3] or ""
        if repo not in self.server.repos:
            return 404, {"error": "Repository not found"}
        verb, *arguments = rest.split("/")
        if verb in {"", "revision"}:
            return 200, {"id": repo, "sha": self.server.head(repo)["sha"]}
        return getattr(self, verb)(repo, arguments, body)

    def create(self, asked: dict):
        repo = f"{asked['organization']}/{asked['name']}"
        assert asked["type"] == "dataset"
        self.server.make(repo)
        return 200, {"url": f"{self.server.url}/datasets/{repo}", "name": repo}

    def tree(self, repo: str, arguments: list[str], _body: bytes):
        (revision,) = arguments
        commit = next(c for c in self.server.repos[repo] if c["sha"] == revision)
        entries = []
        for name, content in commit["files"].items():
            entry = {"type": "file", "path": name, "size": len(content)}
            entry["oid"] = blob(content)
            if name.endswith(LFS_SUFFIXES):
                oid = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": oid, "size": len(content), "pointerSize": 130}
                entry["oid"] = blob(b"pointer to " + oid.encode())
            entries.append(entry)
        folders = {n.rsplit("/", 1)[0] for n in commit["files"] if "/" in n}
        entries += [
            {"type": "directory", "path": f, "oid": "0" * 40} for f in sorted(folders)
        ]
        return 200, entries

    def preupload(self, repo: str, _arguments: list[str], body: bytes):
        files = self.server.head(repo)["files"]
        answer = []
        for file in json.loads(body)["files"]:
            name = file["path"]
            lfs = name.endswith(LFS_SUFFIXES)
            old = files.get(name)
            hash_of = (lambda c: hashlib.sha256(c).hexdigest()) if lfs else blob
            answer.append(
                {
                    "path": name,
                    "uploadMode": "lfs" if lfs else "regular",
                    "shouldIgnore": False,
                    "oid": None if old is None else hash_of(old),
                }
            )
        return 200, {"files": answer}

    def info(self, _repo: str, _arguments: list[str], body: bytes):
        """Answer the LFS batch endpoint."""
        objects = []
        for item in json.loads(body)["objects"]:
            answer = dict(item)
            if item["oid"] not in self.server.lfs:
                href = f"{self.server.url}/lfs/{item['oid']}"
                answer["actions"] = {"upload": {"href": href}}
            objects.append(answer)
        return 200, {"transfer": "basic", "objects": objects}

    def commit(self, repo: str, _arguments: list[str], body: bytes):
        header, *operations = [json.loads(line) for line in body.splitlines()]
        head = self.server.head(repo)
        if header["value"].get("parentCommit", head["sha"]) != head["sha"]:
            return 412, {"error": "A commit has happened since."}
        files = dict(head["files"])
        for operation in operations:
            key, value = operation["key"], operation["value"]
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.server.lfs[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        is_model = repo.startswith("models/")
        shown = repo.removeprefix("models/") if is_model else f"datasets/{repo}"
        url, pull = f"{self.server.url}/{shown}", None
        if "create_pr=1" in self.path:
            self.server.pulls.append((repo, files))
            sha, pull = "0" * 40, f"{url}/discussions/1"
        else:
            sha = self.server.commit(repo, files, header["value"]["summary"])
        commit = f"{url}/commit/{sha}"
        return 200, {"commitUrl": commit, "commitOid": sha, "pullRequestUrl": pull}


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
