"""HTTP of servers, gateways and proxies, also malformed; and where a key may be sent."""

from __future__ import annotations

import re
import select
import signal
import socket
import threading
from contextlib import closing, contextmanager

import pytest
from stripe_client.scripted import (
    KEY,
    PATH,
    PEM,
    Scripted,
    error_of,
    http,
    in_turn,
    refusal,
    scripted,
    slowly,
    to,
)
from urllib3.util.ssl_ import create_urllib3_context

from reconciler.diagnostics.errors import ServiceError
from reconciler.stripe.api_key import Secret
from reconciler.stripe.errors import ConnectionFailedError, StripeError, UnexpectedAnswerError
from reconciler.stripe.http import pool
from reconciler.stripe.http.connection import Connection, Limits, Request, check_base
from reconciler.stripe.transport import Transport

OK = http(200, {"id": "x"})
CHUNKED = b"HTTP/1.1 200 OK\r\nRequest-Id: req_1\r\nTransfer-Encoding: chunked\r\n\r\n"


def connect(server):
    return Connection(server.url, Secret(KEY), Limits())


@pytest.mark.parametrize(
    "end", [b"0\r\n\r\n", b"0\r\nX-Trailer: y\r\n\r\n"], ids=["plain", "with a trailer"]
)
def test_an_answer_in_chunks_is_whole(end, clock):
    """And the connection can be used for the next one."""
    answer = CHUNKED + b'5\r\n{"id"\r\n6;x=y\r\n: "x"}\r\n' + end
    with scripted(clock, answer) as (server, transport):
        assert [transport.get(PATH).body for _ in range(2)] == [{"id": "x"}] * 2
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "broken",
    [
        CHUNKED + b"5\r\nab",
        CHUNKED + b"zz\r\nab",
        CHUNKED + b"-5\r\nab",
        CHUNKED + b"-1\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}...",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"not HTTP at all\r\n\r\n",
    ],
    ids=[
        "cut",
        "no size",
        "negative size",
        "minus one",
        "lengths",
        "long header",
        "many headers",
        "status",
        "not HTTP",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_http_is_retried(broken, method, clock):
    """Each attempt may have had an effect."""
    with scripted(clock, [broken, None], OK) as (_, transport):
        record = getattr(transport, method)(PATH).record
    assert (record.attempts, record.doubts) == (2, 1)
    error, _ = error_of(clock, [broken, None], method=method)
    assert (type(error), error.diagnostic.code) == (ConnectionFailedError, "S010")


def test_an_informational_response_is_not_the_response_of_the_next_request(clock):
    """A 100 is skipped. Any other, which was not requested, is an error and ends its connection."""

    def script(asked):
        yield b"HTTP/1.1 100 Continue\r\n\r\n" * 2
        if asked.params["id"] == "b":
            yield b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
        yield http(200, {"id": asked.params["id"]})

    with Scripted(script) as server, to(server, clock) as transport:
        assert transport.post(PATH, {"id": "a"}).body == {"id": "a"}
        with pytest.raises(UnexpectedAnswerError, match="HTTP 103") as caught:
            transport.post(PATH, {"id": "b"})
        assert caught.value.record.doubts == 1
        assert transport.post(PATH, {"id": "c"}).body == {"id": "c"}


def test_a_connection_that_the_server_closed_is_replaced(clock):
    """A POST that is sent again has the same key."""
    with Scripted(lambda _: [OK, None]) as server, to(server, clock) as transport:
        for n in range(20):
            transport.post(PATH, key=f"key-{n}")
    keys = [asked.headers["idempotency-key"] for asked in server.asked]
    assert list(dict.fromkeys(keys)) == [f"key-{n}" for n in range(20)]


@pytest.mark.parametrize("late", [None, http(200, {"id": "smuggled"})], ids=["end", "bytes"])
def test_a_connection_that_is_not_silent_is_not_used_again(late):
    """The request that follows is sent once, over another one."""
    received = threading.Event()

    def script(asked):
        yield OK
        if asked.number == 1:
            received.wait(5)
            yield late

    with Scripted(script) as server, closing(connect(server)) as connection:
        request = Request("GET", PATH, (), {})
        assert connection.send(request).body == b'{"id": "x"}'
        received.set()
        (idle,) = connection._pool.open()._idle
        assert select.select([idle.sock], [], [], 5)[0]
        assert connection.send(request).body == b'{"id": "x"}'
    assert idle.sock is None


@pytest.mark.parametrize("framing", [b"Content-Length: 2", b"Transfer-Encoding: chunked"])
def test_a_connection_that_the_server_will_close_is_not_used_again(framing):
    """Even where it is still open: the next request would be lost, or not."""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + framing + b"\r\n\r\n"
    body = b"{}" if b"Length" in framing else b"2\r\n{}\r\n0\r\n\r\n"
    with Scripted(lambda _: head + body) as server, closing(connect(server)) as connection:
        assert connection.send(Request("GET", PATH, (), {})).body == b"{}"
        assert not connection._pool.open()._idle


def test_a_negative_chunk_does_not_exceed_the_limit_of_a_body():
    """http.client would read until the end of the connection."""
    sent = []

    def script(_):
        yield CHUNKED + b"-1\r\n"
        for n in range(100):
            yield b"x" * 2**20
            sent.append(n)

    with Scripted(script) as server, closing(connect(server)) as connection:
        assert "negative size" in connection.send(Request("GET", PATH, (), {})).message
    assert len(sent) < 50


def test_bytes_after_a_response_are_not_the_next_response(clock):
    surplus = http(200, {"id": "x"}) + http(200, {"id": "smuggled"})
    with scripted(clock, surplus, OK) as (_, transport):
        assert [transport.get(PATH).body["id"] for _ in range(3)] == ["x"] * 3


def test_what_tls_has_decrypted_is_not_the_next_response_either(clock, monkeypatch):
    """One record has 16 kB, of which a response is read with the first 8 kB."""
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    surplus = OK + b" " * (8192 - len(OK)) + http(200, {"id": "smuggled"})
    with Scripted(in_turn(surplus, OK)).encrypt() as server, to(server, clock) as transport:
        assert [transport.get(PATH).body["id"] for _ in range(3)] == ["x"] * 3


@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
def test_a_signal_that_interrupts_no_wait_is_handled_before_the_response(
    encrypted, clock, monkeypatch
):
    """As one that arrives just before the wait begins: here, another thread receives it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    monkeypatch.setattr(pool, "LONGEST_WAIT", 0.01)
    handled = threading.Event()

    def script(_):
        handled.wait(0.02)  # until the main thread waits for the response
        signal.raise_signal(signal.SIGUSR1)
        return http(200, {"handled": handled.wait(5)})

    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())
    try:
        server = Scripted(script)
        with server.encrypt() if encrypted else server, to(server, clock) as transport:
            assert transport.post(PATH).body == {"handled": True}
        assert len(server.asked) == 1
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
def test_a_response_may_pause_for_longer_than_one_wait(encrypted, clock, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    monkeypatch.setattr(pool, "LONGEST_WAIT", 0.005)
    server = Scripted(lambda _: slowly(OK))
    with server.encrypt() if encrypted else server, to(server, clock) as transport:
        assert [transport.get(PATH).body["id"] for _ in range(2)] == ["x", "x"]
    assert len(server.asked) == 2


def test_equal_lengths_are_one(clock):
    """As RFC 9110, section 8.6 allows; the connection stays open without a further byte."""
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 11, 11\r\n\r\n{"id": "x"}'
    with scripted(clock, answer) as (_, transport):
        assert [transport.get(PATH).body for _ in range(2)] == [{"id": "x"}] * 2


def test_repeated_headers_are_a_list():
    links = b"HTTP/1.1 200 OK\r\nLink: <a>\r\nContent-Length: 0\r\nlink: <b>\r\n\r\n"
    with Scripted(lambda _: links) as server, closing(connect(server)) as connection:
        response = connection.send(Request("GET", PATH, (), {}))
    assert response.headers["link"] == "<a>, <b>"


@contextmanager
def accepting(serve):
    """A server for one connection, which is given to `serve`; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def work():
            with listener.accept()[0] as accepted:
                serve(accepted)

        thread = threading.Thread(target=work)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_a_response_that_comes_before_the_request_was_sent_counts(clock):
    """A gateway refuses a long body and closes; its connection is not used again."""

    def refuse(accepted):
        accepted.recv(1000)
        accepted.sendall(http(413, {"error": {"message": "too long"}}))

    with (
        accepting(refuse) as base,
        Transport(KEY, api_base=base, clock=clock) as transport,
        pytest.raises(StripeError, match="too long") as caught,
    ):
        transport.post(PATH, {"a": "b" * 9_000_000})
    assert (caught.value.status, caught.value.attempts) == (413, 1)


def test_a_long_body_may_be_received_slowly(clock, monkeypatch):
    """The parts of it have the time of the whole: none is sent twice."""
    monkeypatch.setattr(pool, "LONGEST_WAIT", 0.005)
    left = 9_000_000

    def receive(accepted):
        nonlocal left
        threading.Event().wait(0.05)
        while left > 0:
            left -= len(accepted.recv(2**20))
        accepted.sendall(OK)

    with accepting(receive) as base, Transport(KEY, api_base=base, clock=clock) as transport:
        assert transport.post(PATH, {"a": "b" * left}).record.attempts == 1


@pytest.mark.parametrize(
    ("base", "proxy", "goal"),
    [
        ("https://[2001:db8::5]", None, ("2001:db8::5", 443)),
        ("https://[2001:db8::abcd]:8443/x", None, ("2001:db8::abcd", 8443)),
        ("http://[::1]", None, ("::1", 80)),
        ("https://api.example/x", None, ("api.example", 443)),
        ("https://api.example", "http://proxy.example", ("proxy.example", 80)),
        ("https://api.example", "proxy.example:3128", ("proxy.example", 3128)),
        ("https://api.example", "https://proxy.example", ("proxy.example", 443)),
    ],
)
def test_an_address_without_a_port_has_that_of_its_scheme(base, proxy, goal, clock, monkeypatch):
    """The end of an IPv6 address is not one."""
    sought = []

    def find(host, port, *_, **__):
        sought.append((host.decode() if isinstance(host, bytes) else host, port))
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", find)
    if proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    with (
        Transport(KEY, api_base=base, clock=clock) as transport,
        pytest.raises(ConnectionFailedError, match="Name or service not known") as caught,
    ):
        transport.get(PATH)
    assert sought == [goal] * caught.value.attempts


def test_tls_is_no_weaker_than_that_of_urllib3():
    """Whatever a distribution allows."""
    ours, theirs = pool._build_tls_context(None), create_urllib3_context()
    for name in ("minimum_version", "check_hostname", "verify_mode", "hostname_checks_common_name"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.verify_flags & theirs.verify_flags == theirs.verify_flags
    assert {each["name"] for each in ours.get_ciphers()} <= {
        each["name"] for each in theirs.get_ciphers()
    }


DATE = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:09 GMT", "Date": DATE}, 9.0),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:00 GMT", "Date": DATE}, 30.0),
        ({"Retry-After": "Sat, 21 Nov 2026 09:00:00 GMT", "Date": DATE}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:09 GMT"}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:09", "Date": DATE}, None),
        ({"Retry-After": "soon", "Date": DATE}, None),
    ],
)
def test_a_gateway_may_ask_for_a_pause(headers, waited, clock):
    """In seconds or until a date, by the gateway's own clock; at most half a minute."""
    with scripted(clock, refusal(503, headers=headers), OK) as (_, transport):
        transport.get(PATH)
    (slept,) = clock.slept
    assert slept == waited if waited else slept < 0.5


@pytest.mark.parametrize(
    "proxy",
    [
        "http://:x",
        "http://user:hunter2@",
        "http://user:hun/ter2@host:1",
        "http://user:hunter2@host:port",
        "user:hunter2@host:port",
        "http://user:hunter2@ho st:1",
        "http://user:hunter2@[::1",
        "ftp://user:hunter2@host:1",
    ],
)
def test_the_password_of_a_malformed_proxy_is_not_displayed(proxy, clock, monkeypatch):
    """One attempt, whatever the library raises."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with (
        Transport(KEY, api_base="https://api.example", clock=clock) as transport,
        pytest.raises(ConnectionFailedError) as caught,
    ):
        transport.get(PATH)
    assert (caught.value.diagnostic.code, caught.value.attempts) == ("S010", 1)
    assert not re.search("hun|ter2|user:", str(caught.value))


@pytest.mark.parametrize(
    "base",
    [
        "http://api.stripe.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://[::2]:80",
        "ftp://127.0.0.1",
        "api.stripe.com",
        "",
        "https://",
        "https://user:secret@api.stripe.com",
        "https://api.stripe.com?x=1",
        "https://api.stripe.com#x",
        "https://api.stripe.com\r\nX: y",
        "https://[bad",
        "https://api.stripe.com:99999",
        "https://x:0",
        "https://ex\xe4.com",
        "https://a b",
        "https://a\\b",
        "https://a.",
        "https://[:::]",
    ],
)
def test_a_key_goes_nowhere_else(base):
    with pytest.raises(ServiceError) as caught:
        check_base(base)
    assert caught.value.diagnostics[0].code == "S005"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "base", ["http://localhost:1", "http://127.9.9.9", "http://[::1]:1", "https://a.b/c/"]
)
def test_a_key_goes_to_loopback_and_over_https(base):
    assert check_base(base) == base.rstrip("/")
