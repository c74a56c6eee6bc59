"""Requests through a proxy: a tunnel, in plain text or TLS, which never holds the key."""

from __future__ import annotations

import base64
import re
import select
import socket
import threading
from contextlib import closing, contextmanager

import pytest
from stripe_client.scripted import KEY, PATH, PEM, Scripted, behind_tls, http, slowly

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
