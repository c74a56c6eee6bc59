"""HTTP: connections, bodies, methods, and clients that disconnect."""

import json
import socket
import struct

import pytest
from emulator.client import FORM, METERS, Connection, form, head, meter, raw

from reconciler.emulator import Server, open_state


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
        ({"Transfer_Encoding": "chunked"}, b"zz\r\n", 400),
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


def test_json_is_ignored(api):
    """As v1 does: the parameters are missing."""
    response = api.send("POST", body=json.dumps(meter()), **{"content-type": "application/json"})
    assert (response.status, response.error["code"]) == (400, "parameter_missing")


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
        (b"\x16\x03\x01 nonsense\r\n\r\n", b"400"),
        (head("GET", "http://[nowhere"), b"404"),
        (b"GET /" + b"x" * 70_000, b"414"),
    ],
    ids=["TLS", "URL", "long"],
)
def test_nonsense_is_refused(shared, sent, status):
    assert status in raw(shared, sent)


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
