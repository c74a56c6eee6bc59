"""Requests through a proxy: a tunnel, in plain text or TLS, which never holds the key."""

from __future__ import annotations

import base64
import re
import select
import socket
import socketserver
import threading
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest
from stripe_client.scripted import KEY, PATH, PEM, Scripted, behind_tls, http, slowly
from urllib3.util.ssltransport import SSLTransport

from reconciler.diagnostics.codes import service
from reconciler.stripe.api_key import Secret
from reconciler.stripe.errors import ConnectionFailedError
from reconciler.stripe.http import pool
from reconciler.stripe.http.connection import Connection, Limits, Request
from reconciler.stripe.http.environment import find_proxy
from reconciler.stripe.transport import Transport


class Proxy:
    """A proxy that connects every tunnel to one server; `asked` has what it was asked for."""

    def __init__(self, goal, scheme):
        self.asked, self._goal = [], goal
        self._context = behind_tls() if scheme == "https" else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def serving(self):
        threading.Thread(target=self._serve, daemon=True).start()
        with closing(self._listener):
            yield self

    def _serve(self):
        while True:
            try:
                accepted = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(accepted,), daemon=True).start()

    def _tunnel(self, client):
        if self._context:
            client = self._context.wrap_socket(client, server_side=True)
        self.asked.append(client.recv(4096).decode("latin-1"))
        with client, socket.create_connection(self._goal) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while True:
                pending = self._context and client.pending()
                ready = [client] if pending else select.select([client, server], [], [])[0]
                for side in ready:
                    received = side.recv(65536)
                    if not received:
                        return
                    (server if side is client else client).sendall(received)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("user", "login"), [("", None), ("me:p%40Ss@", "me:p@Ss"), ("token@", "token:")]
)
def test_requests_go_through_a_tunnel_that_is_kept(user, login, scheme, clock, monkeypatch):
    """To the host of `api_base`, whose certificate is checked; the proxy gets its own password.

    The first response has pauses.
    """
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    monkeypatch.setattr(pool, "LONGEST_WAIT", 0.005)

    def script(asked):
        response = http(200, {"id": f"n{asked.number}"})
        return slowly(response) if asked.number == 1 else response

    with (
        Scripted(script).encrypt() as server,
        Proxy(server.address, scheme).serving() as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{user}{proxy.address}")
        with Transport(KEY, api_base="https://api.example", clock=clock) as transport:
            assert [transport.get(PATH).body["id"] for _ in range(3)] == ["n1", "n2", "n3"]
            assert transport.post(PATH, {"a": "b"}).body["id"] == "n4"
    (tunnel,) = proxy.asked
    assert tunnel.startswith("CONNECT api.example:443 HTTP/1.")
    assert KEY not in tunnel
    given = re.findall(r"(?i)^proxy-authorization: basic (.*)\r$", tunnel, re.MULTILINE)
    assert [base64.b64decode(each).decode() for each in given] == ([login] if login else [])
    hosts = {asked.headers["host"] for asked in server.asked}
    keys = {asked.headers["authorization"] for asked in server.asked}
    assert (hosts, keys) == ({"api.example"}, {f"Bearer {KEY}"})
    assert server.asked[-1].params == {"a": "b"}


@contextmanager
def answering(said, scheme="http"):
    """A proxy that says this to every request for a tunnel; it yields what it was asked."""
    asked, context = [], behind_tls() if scheme == "https" else None

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            client = (
                context.wrap_socket(self.request, server_side=True) if context else self.request
            )
            asked.append(client.recv(4096).decode("latin-1"))
            client.sendall(said)
            client.close()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


def fail(clock):
    """The error of a request to an API behind the proxy."""
    with (
        Transport(KEY, api_base="https://api.example", clock=clock) as transport,
        pytest.raises(ConnectionFailedError) as caught,
    ):
        transport.get(PATH)
    return caught.value


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("status", "attempts"), [(302, 1), (403, 1), (407, 1), (429, 5), (502, 5), (503, 5)]
)
def test_a_proxy_that_refuses_a_tunnel_is_named(status, attempts, scheme, clock, monkeypatch):
    """A wrong password is tried once: a directory may lock the user out after a few."""
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    with answering(f"HTTP/1.1 {status} No\r\n\r\n".encode(), scheme) as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://me:hunter2@127.0.0.1:{port}")
        error = fail(clock)
    said = f"the proxy 127.0.0.1:{port} responded with HTTP {status}"
    assert (error.diagnostic.code, said in str(error)) == ("S010", True)
    assert (error.attempts, len(asked)) == (attempts, attempts)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n"])
def test_a_proxy_that_is_none_at_all_is_named(said, clock, monkeypatch):
    with answering(said) as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        error = fail(clock)
    assert f"no connection to the proxy 127.0.0.1:{port}: " in str(error)
    assert len(asked) == error.attempts == 5
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert "no connection to the proxy 127.0.0.1:9: Connection refused" in str(fail(clock))


@pytest.mark.parametrize(
    ("said", "code", "attempts"), [(b"HTTP/1.1 400 No\r\n\r\n", "S011", 1), (b"", "S010", 5)]
)
def test_a_proxy_without_tls_is_named(said, code, attempts, clock, monkeypatch):
    """Its address begins with https by mistake, or it ends the connection."""
    with answering(said) as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{port}")
        error = fail(clock)
    assert (error.diagnostic.code, error.attempts) == (code, attempts)
    assert f"no connection to the proxy 127.0.0.1:{port}: " in str(error)
    assert len(asked) == attempts


@pytest.mark.parametrize("password", ["p\u00e4\u20acss", "p%C3%A4%E2%82%ACss"])
def test_a_password_may_have_any_letters(password, clock, monkeypatch):
    with answering(b"HTTP/1.1 407 No\r\n\r\n") as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{password}@127.0.0.1:{port}")
        error = fail(clock)
    (given,) = re.findall(r"(?i)^proxy-authorization: basic (.*)\r$", asked[0], re.MULTILINE)
    assert base64.b64decode(given).decode() == "me:p\u00e4\u20acss"
    assert "responded with HTTP 407" in str(error)


@pytest.mark.parametrize(
    ("decrypted", "between", "encrypted"), [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)]
)
def test_what_comes_after_a_response_is_not_the_next_one(decrypted, between, encrypted):
    """TLS within TLS may hold it in three places, none of which the socket shows."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connected = SimpleNamespace(
            sslobj=SimpleNamespace(pending=lambda: decrypted),
            incoming=SimpleNamespace(pending=between),
            socket=SimpleNamespace(pending=lambda: encrypted),
            fileno=ours.fileno,
        )
        assert pool._is_silent(connected) == (not (decrypted or between or encrypted))


def test_the_transport_of_urllib3_has_these_places():
    """TLS within TLS is its `SSLTransport`."""
    assert {"sslobj", "incoming", "socket"} <= set(SSLTransport.__init__.__code__.co_names)


def test_a_proxy_that_is_none_for_http_is_named(clock, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://me:hunter2@127.0.0.1:9")
    with (
        Transport(KEY, api_base="https://api.example", clock=clock) as transport,
        pytest.raises(ConnectionFailedError, match="a proxy must be http or https"),
    ):
        transport.get(PATH)


def test_a_proxy_that_says_nothing_is_given_up_with_the_time_to_connect(monkeypatch):
    """And not with that of the whole exchange."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        limits = Limits(connect=0.05, total=3)
        with closing(Connection("https://api.example", Secret(KEY), limits)) as connection:
            failure = connection.send(Request("GET", PATH, (), {}))
    assert (failure.rule, failure.permanent) == (service.UNREACHABLE, False)
    assert failure.message.endswith("timed out")


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "all_proxy"])
def test_a_proxy_is_found_by_any_name(variable, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "")
    monkeypatch.setenv("NO_PROXY", "other.example")
    assert find_proxy("https://api.example") is None
    monkeypatch.setenv(variable, "http://proxy.example")
    assert find_proxy("https://api.example") == "http://proxy.example"


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_a_host_that_is_exempt_is_reached_without_the_proxy(variable, clock, monkeypatch):
    with Proxy(("127.0.0.1", 9), "http").serving() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        monkeypatch.setenv(variable, "other.example,.invalid")
        with (
            Transport(KEY, api_base="https://api.invalid", clock=clock) as transport,
            pytest.raises(ConnectionFailedError),
        ):
            transport.get(PATH)
    assert proxy.asked == []
