"""What is read here is what http.client reads; and a head is one request."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import nullcontext, suppress
from http.client import HTTPException, RemoteDisconnected

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe_client.scripted import KEY, PATH, PEM, Scripted, http, scripted

from reconciler.stripe.errors import ConnectionFailedError
from reconciler.stripe.http import exchange
from reconciler.stripe.http.exchange import MalformedRequestError, _Sized, send, write_head
from reconciler.stripe.http.pool import Pool
from reconciler.stripe.transport import Transport


class Received:
    """A socket that has received these pieces, and then the end of the connection."""

    stays_open = False

    def __init__(self, pieces):
        self.pieces, self.timeout, self.sent = list(pieces), None, b""

    def sendall(self, data):
        self.sent += data

    def gettimeout(self):
        return self.timeout

    def settimeout(self, seconds):
        self.timeout = seconds

    def recv(self, size):
        assert self.pieces or not self.stays_open, "it waits"
        piece = self.pieces.pop(0) if self.pieces else b""
        if piece[size:]:
            self.pieces.insert(0, piece[size:])
        return piece[:size]

    def recv_into(self, buffer):
        piece = Received.recv(self, len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def cut(data, size):
    return [data[n : n + size] for n in range(0, len(data), size)]


def read(pieces):
    """What a response is to its reader: its parts, or that there is none."""
    try:
        answer = send(Received(pieces), b"", None, "GET")
        body = b""
        while piece := answer.read(2**16):
            body += piece
    except (OSError, ValueError, HTTPException) as error:
        return type(error)
    headers = [(name.lower(), value.strip()) for name, value in answer.getheaders()]
    return answer.status, headers, body, answer.isclosed() and not answer.length


TOKENS = st.text("abcXYZ-_!09", min_size=1, max_size=8)
VALUES = st.text("aZ09 ,;=/\t\"'-", max_size=12)
BODIES = st.binary(max_size=300)
STATUSES = ("200 OK", "402 ", "500", "429 Too Many", "204 None", "304 x", "2000 OK", "200OK", "20")


@st.composite
def responses(draw):
    """A response with one length, which may be wrong, and other headers in any order."""
    body = draw(BODIES)
    length = len(body) + draw(st.sampled_from([0, 0, 0, -1, -7, 3]))
    headers = [(name, value) for name, value in draw(st.lists(st.tuples(TOKENS, VALUES)))]
    headers.insert(draw(st.integers(0, len(headers))), ("Content-Length", str(max(0, length))))
    if draw(st.booleans()):
        headers.append(("Connection", draw(st.sampled_from(["close", "Keep-Alive", "x, Close"]))))
    status = draw(st.sampled_from(STATUSES))
    lines = [f"HTTP/1.1 {status}", *(f"{name}:{value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + body


@given(response=responses(), size=st.just(1000) | st.integers(1, 400))
def test_a_response_is_what_http_client_reads(response, size):
    """However it arrives, whole or not."""
    with pytest.MonkeyPatch.context() as patch:
        ours = read(cut(response, size))
        patch.setattr(exchange, "_HEAD", re.compile(b"(?!)"))
        assert ours == read(cut(response, size))


@pytest.mark.parametrize(
    ("more", "closes"),
    [
        (b"", False),
        (b"Connection: keep-alive\r\n", False),
        (b"Connection: Close\r\n", True),
        (b"connection: x, close\r\n", True),
    ],
)
@pytest.mark.parametrize("surplus", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_connection_is_kept_unless_it_ends_or_has_more(more, closes, surplus):
    """What arrives with the body, and not with the head, is left to be received."""
    head = b"HTTP/1.1 200 OK\r\n" + more + b"Content-Length: 2\r\n\r\n"
    answer = send(Received([head + b"{}" + surplus]), b"", None, "GET")
    assert isinstance(answer, _Sized)
    assert (answer.read(100), answer.isclosed()) == (b"{}", True)
    assert answer.will_close is (closes or bool(surplus))
    connected = Received([head, b"{}" + surplus])
    answer = send(connected, b"", None, "GET")
    assert (answer.read(100), answer.will_close) == (b"{}", closes)
    assert connected.recv(100) == surplus


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\n{}", b"{}"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nA: \xc3\xb6\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\n{}\r\n0\r\n\r\n",
            b"{}",
        ),
    ],
    ids=[
        "1.0",
        "line feed",
        "line feeds",
        "mixed",
        "204",
        "304",
        "utf-8",
        "folded",
        "chunks and a length",
    ],
)
def test_other_responses_are_left_to_http_client(response, body):
    """Nothing is waited for once they are complete."""
    connected = Received([response])
    connected.stays_open = True
    answer = send(connected, b"", None, "GET")
    assert not isinstance(answer, _Sized)
    assert (answer.read(100), answer.isclosed()) == (body, True)


@pytest.mark.parametrize(
    "response",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 150],
    ids=["of another protocol", "of endless headers"],
)
def test_a_head_that_is_none_is_not_waited_for(response):
    connected = Received([response])
    connected.stays_open = True
    with pytest.raises(HTTPException):
        send(connected, b"", None, "GET")


class UrllibsTransport(Received):
    """TLS within TLS, which receives 0 at the end of the connection."""

    def recv(self, size):
        return super().recv(size) or 0


@pytest.mark.parametrize("response", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}"])
def test_the_end_of_a_tunnel_is_that_of_any_connection(response):
    connected = UrllibsTransport([response] if response else [])
    with suppress(RemoteDisconnected):
        answer = send(connected, b"", None, "GET")
        assert (answer.read(100), answer.read(100), answer.length) == (b"{}", b"", 18)


def test_a_head_is_one_request():
    headers = {"Authorization": "Bearer x", "A": "ö"}
    head = write_head("POST", "/v1/a?b=c", "host:1", headers, 3)
    assert head == (
        b"POST /v1/a?b=c HTTP/1.1\r\nHost: host:1\r\n"
        b"Content-Length: 3\r\nAuthorization: Bearer x\r\nA: \xf6\r\n\r\n"
    )


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_header_is_sent_twice(method, clock, monkeypatch):
    heads = []

    def write(*words):
        heads.append(write_head(*words))
        return heads[-1]

    monkeypatch.setattr(exchange, "write_head", write)
    with scripted(clock, http(200, {})) as (_, transport):
        getattr(transport, method)(PATH, {"a": "b"})
    names = [line.partition(b":")[0].lower() for line in heads[0].splitlines()[1:]]
    assert len(set(names)) == len(names)
    assert b"accept-encoding" in names  # or a proxy may compress the response


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://127.0.0.1", "127.0.0.1"),
        ("http://127.0.0.1:443/x", "127.0.0.1:443"),
        ("https://API.example:443", "api.example"),
    ],
)
def test_a_request_names_its_host(base, host):
    """And its port, unless it is that of the scheme; as RFC 9110, section 7.2 has it."""
    assert Pool(base, 1, 1, None)._host == host


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/a\tb", "/ä", "/\x7f"])
def test_a_path_does_not_end_a_head(target):
    with pytest.raises(MalformedRequestError, match="not allowed"):
        write_head("GET", target, "host", {}, None)


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
def test_a_header_does_not_end_a_head(value):
    """And its value, which may be a key, is not in the error."""
    with pytest.raises(MalformedRequestError, match=r"^the header Key contains a line break$"):
        write_head("GET", "/", "host", {"Key": value}, None)


def test_a_request_that_cannot_be_sent_is_not_tried_again(clock):
    with (
        scripted(clock, http(200, {})) as (server, transport),
        pytest.raises(ConnectionFailedError, match="not allowed") as caught,
    ):
        transport.get("/v1/a b")
    assert (caught.value.attempts, server.asked) == (1, [])


@pytest.mark.parametrize(
    ("host", "error"), [("api.example", None), ("other.example", "S011"), ("127.0.0.2", "S011")]
)
def test_a_certificate_is_that_of_the_host(host, error, clock, monkeypatch):
    """Whatever address the host has: here, it is that of one server."""
    find = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *rest, **more: find("127.0.0.1", *rest, **more)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    with Scripted(lambda _: http(200, {"id": "x"})).encrypt() as server:
        base = f"https://{host}:{server.address[1]}"
        with (
            Transport(KEY, api_base=base, clock=clock) as transport,
            pytest.raises(ConnectionFailedError) if error else nullcontext() as caught,
        ):
            assert transport.get(PATH).body == {"id": "x"}
    assert (caught.value.diagnostic.code if caught else None) == error
    assert len(server.asked) == (not error)


def test_tls_imports_no_other_client(monkeypatch):
    """Each takes 15 to 50 ms before the first request."""
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    program = (
        "import sys\n"
        "from reconciler.stripe.http.pool import Pool\n"
        "Pool('https://api.stripe.com', 1, 1, None)\n"
        "print(*sys.modules)"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-S", "-c", program]  # without the modules that tests add to it
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    others = {"http.client", "urllib.request", "urllib3", "requests", "encodings.idna"}
    assert others.isdisjoint(ran.stdout.split())
