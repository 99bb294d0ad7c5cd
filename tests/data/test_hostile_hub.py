"""A hostile hub is given up in time, and the token stays with its endpoint."""

import gzip
import re
import shutil
import ssl
import subprocess
import threading
import time
import tracemalloc
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from odbench.data.catalog import ensure, select
from odbench.data.dataset import DatasetRecord
from odbench.data.listing import list_suite
from odbench.data.store import StoredDataset
from odbench.data.transports import download, hub_listing, web
from odbench.data.transports.choose import Sources, open_source
from odbench.errors import TransportError

pytestmark = pytest.mark.usefixtures("quick")
DRIPS = ["drip", "drip headers"]
MANY = 100_000
MIB = 1 << 20


@pytest.fixture
def repository(hub, archive):
    repository = hub.Repository()
    repository.commit({f"public/set{i}.npz": archive() for i in range(5)})
    hub.repositories["someone/tiny"] = repository
    return repository


@pytest.fixture
def token(hub, repository, monkeypatch):
    """A token, and a repository that is shown to nobody without it."""
    repository.private = True
    monkeypatch.setenv("HF_TOKEN", hub.token)
    return f"Bearer {hub.token}"


@pytest.fixture
def short(monkeypatch):
    """Limits of a second."""
    monkeypatch.setattr(hub_listing, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(hub_listing, "LISTING_SECONDS", 0.6)
    monkeypatch.setattr(download, "_SECONDS", 0.5)


def refusal(call):
    """The one line with which a call ends within five seconds."""
    started = time.monotonic()
    with pytest.raises(TransportError) as caught:
        call()
    assert time.monotonic() - started < 5
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


def refused_listing(suite):
    text = refusal(lambda: open_source(suite[0]).listing("public"))
    assert "someone/tiny" in text
    assert "HF_ENDPOINT" in text
    return text


class TestTime:
    @pytest.mark.parametrize("drip", DRIPS)
    @pytest.mark.parametrize("path", ["/revision/main", "/public"])
    @pytest.mark.usefixtures("repository", "short")
    def test_a_listing_that_drips_is_given_up(self, hub, tiny_suite, path, drip):
        hub.faults = {path: [drip] * MANY}
        text = refused_listing(tiny_suite)
        assert "not finished within 1 seconds, the limit (no complete answer" in text
        assert "bytes arrived" in text
        assert "--mirror" in text
        assert len([p for p in hub.paths() if path in p]) > 1

    def test_a_pause_in_a_listing_passes(self, hub, repository, tiny_suite, short):
        hub.faults = {"/public": ["drip"]}
        assert len(open_source(tiny_suite[0]).listing("public")) == 5

    @pytest.mark.parametrize("drip", DRIPS)
    @pytest.mark.parametrize("place", ["resolve", "cdn"])
    @pytest.mark.usefixtures("repository", "tiny_suite", "short")
    def test_a_download_that_drips_is_given_up(self, hub, place, drip):
        before = ["ok"] if place == "cdn" else []
        hub.faults = {"set1.npz": (before + [drip]) * MANY}
        outcomes = dict(ensure(select("tiny"), progress=False))
        failed = [str(o) for o in outcomes.values() if isinstance(o, TransportError)]
        assert len(failed) == 1
        assert "tiny/set1" in failed[0]
        assert "someone/tiny" in failed[0]
        assert "the limit (no complete answer" in failed[0]
        assert sum(isinstance(o, StoredDataset) for o in outcomes.values()) == 4

    def test_a_hub_that_drips_is_not_asked_for_each_data_set(
        self, hub, repository, tiny_suite, short
    ):
        records = select("tiny")
        hub.faults = {".npz": ["drip"] * MANY}
        started = time.monotonic()
        outcomes = dict(ensure(records, progress=False, jobs=1))
        assert time.monotonic() - started < 5
        texts = [str(outcome) for outcome in outcomes.values()]
        assert all(isinstance(o, TransportError) for o in outcomes.values())
        assert sum("3 downloads in a row" in text for text in texts) == 2
        asked = {path for path in hub.paths() if "/resolve/" in path}
        assert len(asked) == 3

    def test_a_hub_without_a_listing_is_not_asked_for_each_data_set(
        self, hub, repository, tiny_suite, short
    ):
        rows = tuple(
            DatasetRecord(name=f"set{i}", suite="tiny", path=f"public/set{i}.npz")
            for i in range(5)
        )
        tiny_suite[1]["tiny"] = rows
        hub.faults = {"/public": ["drip"] * MANY}
        started = time.monotonic()
        sources = Sources()
        found = list_suite(tiny_suite[0], "public", sources=sources)
        outcomes = dict(ensure(found.records, progress=False, sources=sources))
        assert time.monotonic() - started < 3
        assert all("the limit" in str(outcome) for outcome in outcomes.values())
        assert len(outcomes) == 5


class TestSize:
    def test_endless_pages_are_given_up(self, hub, repository, tiny_suite, monkeypatch):
        monkeypatch.setattr(hub_listing, "PAGES", 20)
        hub.faults = {"/public": ["endless"] * MANY}
        assert "more than 20 pages, the limit" in refused_listing(tiny_suite)
        assert sum("/tree/" in path for path in hub.paths()) == 20

    def test_endless_pages_end_with_their_seconds(
        self, hub, repository, tiny_suite, short
    ):
        hub.faults = {"/public": ["endless"] * MANY}
        assert "not finished within 1 seconds" in refused_listing(tiny_suite)

    def test_pages_are_limited_together(self, hub, repository, tiny_suite, monkeypatch):
        hub.page_size = 1
        monkeypatch.setattr(hub_listing, "LISTING_BYTES", 500)
        assert "3 pages of more than 500 bytes, the limit" in refused_listing(
            tiny_suite
        )

    def test_a_page_is_limited(self, hub, repository, tiny_suite):
        body = b" " * (5 * MIB)
        hub.faults = {"/public": [("encoded", "identity", body)]}
        assert f"more than {4 * MIB} bytes arrived" in refused_listing(tiny_suite)

    @pytest.mark.parametrize(
        ("name", "compress"),
        [
            ("gzip", gzip.compress),
            ("deflate", zlib.compress),
            ("br", lambda data: data[:MIB]),
            ("zstd", lambda data: data[:MIB]),
            ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
        ],
    )
    @pytest.mark.parametrize("path", ["/revision/main", "/public"])
    @pytest.mark.usefixtures("repository")
    def test_a_compressed_answer_is_not_expanded(
        self, hub, tiny_suite, name, compress, path
    ):
        hub.faults = {path: [("encoded", name, compress(bytes(32 * MIB)))]}
        tracemalloc.start()
        try:
            text = refused_listing(tiny_suite)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert f"a compressed answer ({name!r}) came" in text
        assert peak < 8 * MIB
        assert len(hub.paths()) == 1 + (path == "/public")

    def test_a_compressed_file_is_not_expanded(self, hub, repository, tiny_suite):
        bomb = gzip.compress(bytes(64 * MIB))
        hub.faults = {"set1.npz": ["ok", ("encoded", "gzip", bomb)]}
        (outcome,) = dict(
            ensure(select("tiny", pattern="set1"), progress=False)
        ).values()
        assert "a compressed answer ('gzip') came" in str(outcome)

    def test_the_body_of_a_redirect_counts(self, hub, repository, tiny_suite):
        fault = ("redirect", "/api/elsewhere", b" " * (5 * MIB))
        hub.faults = {"/public": [fault]}
        assert "bytes arrived, the limit" in refused_listing(tiny_suite)

    @pytest.mark.parametrize(
        "place",
        ["/loop/public", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://[x/"],
    )
    def test_odd_redirects_are_one_line(self, hub, repository, tiny_suite, place):
        hub.faults = {"/public": [("redirect", place)] * MANY}
        refused_listing(tiny_suite)

    @pytest.mark.parametrize(
        "body",
        [b"{}", b"[1]", b"<html>", b"[" * 200_000, b'[{"type":"file"}]', b"\xff",
         b'[{"type":"file","path":"public/a.npz","size":-1}]',
         b'[{"type":"file","path":"public/a.npz","size":1,"lfs":{"oid":"x"}}]',
         b'[{"type":"file","path":"a","size":' + b"9" * 5000 + b"}]"],
    )  # fmt: skip
    def test_a_page_of_another_form_is_one_line(
        self, hub, repository, tiny_suite, body
    ):
        hub.faults = {"/public": [("encoded", "identity", body)]}
        refused_listing(tiny_suite)


class TestToken:
    def at(self, hub, host):
        """The headers of the requests that reached a host."""
        return [h for _, _, h in hub.requests if h["host"].startswith(host)]

    @pytest.mark.parametrize(
        "form",
        ["{cdn}/x?cursor=1", "//localhost:{port}/x", "https://127.0.0.1:{port}/x",
         "http://127.0.0.1:1/x", "http://127.0.0.1:{port}@localhost:{port}/x",
         "http://localhost:{port}\\@127.0.0.1:{port}/x", "file:///etc/passwd",
         "http://[x/"],
    )  # fmt: skip
    def test_the_next_page_must_be_at_the_endpoint(
        self, hub, repository, tiny_suite, token, form
    ):
        link = form.format(cdn=hub.cdn, port=hub.port)
        hub.faults = {"/public": [("next", link)]}
        text = refused_listing(tiny_suite)
        assert "page 1 of its listing continues at another host" in text
        assert hub.url in text
        assert not self.at(hub, "localhost")
        assert len(hub.requests) == 2

    @pytest.mark.parametrize("path", ["/revision/main", "/public", "set0.npz"])
    def test_a_redirect_to_another_host_goes_without_it(
        self, hub, repository, tiny_suite, token, path
    ):
        hub.faults = {path: [("redirect", f"{hub.cdn}/elsewhere")] * MANY}
        source = Sources()
        found = None
        if path != "set0.npz":
            refused_listing(tiny_suite)
        else:
            found = list_suite(tiny_suite[0], "public", sources=source).records[:1]
            (outcome,) = dict(ensure(found, progress=False, sources=source)).values()
            assert "status 404" in str(outcome)
        assert self.at(hub, "localhost")
        assert all("authorization" not in h for h in self.at(hub, "localhost"))
        assert all(h["authorization"] == token for h in self.at(hub, "127.0.0.1"))

    def test_a_redirect_within_the_endpoint_keeps_it(
        self, hub, repository, tiny_suite, token
    ):
        hub.repositories["someone/new-name"] = repository
        place = f"/api/datasets/someone/new-name/tree/{repository.sha()}/public"
        hub.faults = {
            "tiny/tree/" + repository.sha() + "/public": [("redirect", place)]
        }
        assert len(open_source(tiny_suite[0]).listing("public")) == 5
        assert all(h["authorization"] == token for h in self.at(hub, "127.0.0.1"))

    def test_it_comes_back_with_no_detour(self, hub, repository, tiny_suite, token):
        """From another host, the endpoint is asked with the token, as by anybody."""
        here = f"/api/datasets/someone/tiny/tree/{repository.sha()}/public"
        hub.faults = {
            "/public": [("redirect", f"{hub.cdn}/detour")],
            "/detour": [("redirect", hub.url + here)],
        }
        hub.routes.append(("GET", "/detour", lambda request, match: request.fails()))
        assert len(open_source(tiny_suite[0]).listing("public")) == 5
        assert [h for h in self.at(hub, "localhost") if "authorization" in h] == []

    @pytest.mark.parametrize("endpoint", ["ftp://127.0.0.1", "127.0.0.1", "http://"])
    def test_an_endpoint_that_is_no_address_is_one_line(
        self, repository, tiny_suite, monkeypatch, endpoint
    ):
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        text = refusal(lambda: open_source(tiny_suite[0]).listing("public"))
        assert f"HF_ENDPOINT {endpoint!r}" in text

    def test_a_message_shows_neither_a_password_nor_a_signature(self):
        url = "https://me:secret@host/path?signature=secret"
        assert web.shown(url) == "'https://host/path'"


class TestUrls:
    PATH = "adbench/datasets/Classical/99_made.npz"

    @pytest.fixture
    def outcome(self, hub, monkeypatch, short):
        monkeypatch.setattr(download, "_BYTES_PER_SECOND", 1 << 40)
        monkeypatch.setenv("ODBENCH_ADBENCH_URL", f"{hub.url}/files")
        hub.routes.append(("GET", "/files/.*", lambda request, match: request.fails()))

        def outcome(fault):
            hub.faults = {self.PATH: [fault] * MANY}
            record = DatasetRecord(name="made", suite="adbench", path=self.PATH)
            started = time.monotonic()
            ((_, outcome),) = ensure([record], progress=False)
            assert time.monotonic() - started < 5
            assert isinstance(outcome, TransportError)
            assert "adbench/made" in str(outcome)
            assert "\n" not in str(outcome)
            return str(outcome)

        return outcome

    @pytest.mark.parametrize("drip", DRIPS)
    def test_a_file_that_drips_is_given_up(self, outcome, drip):
        assert "the limit (no complete answer" in outcome(drip)

    def test_a_compressed_file_is_not_expanded(self, outcome):
        bomb = gzip.compress(bytes(64 * MIB))
        assert "a compressed answer" in outcome(("encoded", "gzip", bomb))

    def test_an_endless_file_is_given_up(self, outcome, monkeypatch):
        monkeypatch.setattr("odbench.data.transports.urls._MAX_BYTES", MIB)
        text = outcome(("encoded", "identity", bytes(3 * MIB)))
        # Whichever of the two counts first, of the connection or of the file.
        assert re.search(rf"more than (the )?{MIB} bytes (of the file )?arrived", text)


@pytest.fixture
def encrypted(tmp_path, monkeypatch):
    """An https server on the loopback that drips; its certificate is trusted."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip

    class Drip(BaseHTTPRequestHandler):
        def do_GET(self):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n[]")
            try:
                while self.path == "/drip":
                    self.wfile.write(b" ")
                    time.sleep(0.02)
            except OSError:
                pass

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("localhost", 0), Drip)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    web._certificates.cache_clear()
    yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()
    web._certificates.cache_clear()


def test_encrypted_answers_are_bounded_too(encrypted):
    with web.Web().open(f"{encrypted}/", web.Limit(5, 10)) as answer:
        assert answer.read() == b"[]"
    with web.Web().open(f"{encrypted}/drip", web.Limit(0.3, 100)) as answer:
        started = time.monotonic()
        with pytest.raises(web.SlowAnswerError, match="bytes arrived"):
            answer.read()
        assert time.monotonic() - started < 2
