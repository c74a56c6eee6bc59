"""HTTP: connections, bodies, methods, and clients that disconnect."""

import json
import socket
import struct
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from emulator.client import FORM, KEY, METERS, Connection, form, head, meter, raw

from reconciler.emulator import Level, Server, open_state


@pytest.fixture(scope="module")
def shared():
    """A server for tests that leave nothing behind but meters."""
    with open_state() as store, Server(store) as running:
        yield running


@pytest.fixture
def api(shared):
    shared.log.clear()
    connected = Connection(shared)
    yield connected
    connected.close()


def test_a_connection_is_kept_alive(server, connection):
    connection.get()
    kept = connection.http.sock
    made = connection.post(**meter()).json
    assert connection.get(f"{METERS}/{made['id']}").json == made
    assert connection.http.sock is kept
    assert server.store.ledger.meters == {made["id"]: made}


def test_an_answer_is_sent_in_one_segment(shared):
    """Head and body at once, so that no acknowledgement is waited for."""
    with socket.create_connection(("127.0.0.1", shared.port), timeout=5) as client:
        for _ in range(3):
            client.sendall(head("GET"))
            assert b'"object": "list"' in client.recv(65536)


def test_a_chunked_body_is_decoded(server):
    """Extensions and trailers are ignored; the next request on the connection is understood."""
    body = form(meter()).encode()
    chunks = [b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])]
    headers = head(Transfer_Encoding="chunked", Content_Type=FORM["content-type"])
    received = raw(server, headers, *chunks, b"0\r\nX-Trailer: 1\r\n\r\n" + head("GET"))
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert len(server.store.ledger.meters) == 1


CHUNK = b"80000\r\n" + b"x" * 0x80000 + b"\r\n"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content_Length": "1048577"}, b"zz\r\n", 413),
        ({"Content_Length": "-1"}, b"zz\r\n", 400),
        ({"Content_Length": "ten"}, b"zz\r\n", 400),
        ({"Content_Length": "9" * 5000}, b"zz\r\n", 400),
        ({"Content_Length": 4 << 20}, b"x" * (4 << 20), 413),  # all of it is read, and answered
        ({"Content_Length": "2\r\nContent-Length: 3"}, b"zz\r\n", 400),
        ({"Transfer_Encoding": "chunked"}, b"zz\r\n", 400),
        ({"Transfer_Encoding": "chunked"}, b"-1\r\n", 400),
        ({"Transfer_Encoding": "gzip, chunked"}, b"0\r\n\r\n", 501),
        ({"Transfer_Encoding": "identity"}, b"", 501),
        ({"Transfer_Encoding": "chunked", "Content_Length": "0"}, b"0\r\n\r\n", 400),
        ({"Transfer_Encoding": "chunked"}, CHUNK + CHUNK + b"1\r\nx", 413),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_invalid_body_is_refused(shared, api, headers, body, status):
    received = raw(shared, head(**headers), body)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close" in received
    assert not len(shared.log)


def test_an_incomplete_request_has_no_effect(server):
    body = form(meter()).encode()
    assert raw(server, head(Content_Length=len(body)), body[:-3]) == b""
    assert not server.store.ledger.meters
    assert not len(server.log)


def test_json_is_refused(api):
    """By every POST to v1: no parameter of it is read."""
    for kind in ("application/json", "application/json; charset=utf-8", "text/plain"):
        response = api.send("POST", body=json.dumps(meter()), **{"content-type": kind})
        assert response.status == 400
        assert response.error["message"].startswith(
            "Invalid request (check that your POST content type is application/x-www-form-urlencode"
        )


@pytest.mark.parametrize(
    "body",
    [
        "display_name=%ff",
        "a=1&a[b]=2",
        "a[b]=1&a=2",
        "a[a][a][a][a][a][a][a][a]=1",
        "a[][b]=1&a[]=2",
    ],
)
def test_an_invalid_form_is_a_400(api, body):
    response = api.send("POST", body=body)
    assert response.status == 400
    assert "Invalid request: " in response.error["message"]


@pytest.mark.parametrize("name", ["a[b", "a]b", "[a]", "a[b]c"])
def test_unbalanced_brackets_are_an_unknown_parameter(api, name):
    response = api.send("POST", body=f"{name}=1")
    assert (response.status, response.error["code"]) == (400, "parameter_unknown")


def test_forms_carry_any_text(api):
    name = "Größe + 50 % & mehr = 漢字"
    assert api.post(**meter("any_text", display_name=name)).json["display_name"] == name


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "BREW"])
def test_any_other_method_is_a_404_of_the_api(api, method):
    assert api.send(method).error["type"] == "invalid_request_error"
    assert api.get().status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00 a handshake without a line end", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
        (head("GET", "http://[nowhere"), b"404"),
        (b"GET /" + b"x" * 70_000, b"414"),
    ],
    ids=["TLS", "HTTP/2", "headers", "URL", "long"],
)
def test_nonsense_is_refused(shared, sent, status):
    received = raw(shared, sent)
    assert received.startswith(b"HTTP/1.1 %b " % status)
    assert b"<html" not in received.lower()


def test_a_client_of_https_is_told_the_address(server):
    """In the log as well: a TLS client cannot read the answer."""
    lines = []
    server.on_log = lines.append
    hello = b"\x16\x03\x01\x00\x04abcd"
    assert raw(server, hello, shut=False).endswith(f"use {server.url}\n".encode())
    (line,) = lines
    assert (line.level, line.text) == (Level.REFUSAL, f"400 This is not HTTPS: use {server.url}")


@pytest.mark.parametrize("start", ["http://example.com", "HTTP://127.0.0.1:1", "https://x"])
def test_a_target_may_be_absolute(shared, start):
    """As a proxy sends it."""
    sent = head("GET", f"{start}{METERS}?limit=1", Connection="close")
    received = raw(shared, sent)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert [entry.path for entry in shared.log][-1] == METERS


def test_http_1_0_is_answered(shared):
    """The connection ends, unless the client asks to keep it: then the answer says so."""
    request = head("GET").replace(b"HTTP/1.1", b"HTTP/1.0")
    received = raw(shared, request, shut=False)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close\r\n" in received
    kept = request.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
    received = raw(shared, kept, kept)
    assert received.count(b"HTTP/1.1 200 ") == received.count(b"Connection: keep-alive") == 2


def test_empty_lines_before_a_request_are_ignored(shared):
    assert raw(shared, b"\r\n\n" + head("GET")).startswith(b"HTTP/1.1 200 ")


def test_a_folded_header_is_returned_in_one_line(shared):
    received = raw(shared, head(Idempotency_Key="a\r\n b: c", Content_Length="0"))
    assert b"\r\nIdempotency-Key: a  b: c\r\n" in received


def test_bodies_are_indented_as_stripe_does(api):
    assert api.get("/v1/account").body.startswith('{\n  "id": "acct_1EmulatedAccount",\n  "')
    assert api.get("/v1/nope").body.startswith('{\n  "error": {\n    "message": "')


def test_an_exception_inside_is_a_500_and_the_connection_lives(server, connection, monkeypatch):
    """With a request id; the log has the traceback, the key of the request is free again."""
    lines = []
    server.on_log = lines.append
    for broken in ("create_id", "find_reply"):
        monkeypatch.setattr(type(server.state.ledger), broken, lambda *_: 1 / 0)
        failed = connection.post(key="k", **meter())
        kept = connection.http.sock
        monkeypatch.undo()
        assert (failed.status, failed.error["type"]) == (500, "api_error")
        assert "ZeroDivisionError" in failed.error["message"]
        assert failed.headers["Stripe-Should-Retry"] == "false"
        request, failure = lines
        assert str(request.text).endswith(failed.headers["Request-Id"])
        assert failed.headers["Request-Id"] in failure.text
        assert "Traceback" in failure.details
        lines.clear()
    assert connection.post(key="k", **meter()).status == 200
    assert connection.http.sock is kept


@pytest.mark.parametrize("host", ["::1", "localhost", "0.0.0.0", "::"])
def test_it_listens_where_it_is_told(host):
    """The URL is one that a client on this machine can use."""
    try:
        with open_state() as store, Server(store, host=host) as running:
            parts = urlsplit(running.url)
            assert parts.hostname == {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
            client = HTTPConnection(parts.hostname, parts.port, timeout=5)
            client.request("GET", METERS, headers=KEY)
            assert client.getresponse().status == 200
            client.close()
    except OSError as error:
        if ":" not in host:
            raise
        pytest.skip(f"no IPv6 here: {error}")


def test_the_answer_to_head_has_no_body(shared):
    received = raw(shared, head("HEAD"))
    assert received.startswith(b"HTTP/1.1 404 ")
    assert received.endswith(b"\r\n\r\n")
    assert b"Content-Length: 0" not in received


def test_clients_that_disconnect_are_not_reported(server, capfd):
    """Before, within and after a request."""
    for part in (b"", b"GET /v1", head("GET")):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(part)
    server.close()
    assert capfd.readouterr() == ("", "")


def test_binding_does_not_look_up_the_host_name(monkeypatch):
    """It can take seconds where a name server does not answer."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("looked a name up"))
    with open_state() as store, Server(store) as running:
        assert running.url == f"http://127.0.0.1:{running.port}"


def test_closing_ends_idle_connections(server, connection):
    connection.get()
    port = server.port
    server.close()
    assert connection.http.sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
