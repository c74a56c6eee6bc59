"""HTTP as the emulator speaks it: connections, bodies, methods, clients that hang up."""

import json
import socket
import struct

import pytest
from emulator.asking import METERS, form, meter
from emulator.talking import FORM, ask, head, raw

from reconciler.emulator import Server, open_state


def test_a_connection_serves_many_requests(server, connection):
    """Keep-alive: one connection, one socket."""
    ask(connection)
    kept = connection.sock
    status, _, made = ask(connection, "POST", body=form(meter()))
    assert (status, made["event_name"]) == (200, "searches")
    assert ask(connection, path=f"{METERS}/{made['id']}")[2] == made
    assert connection.sock is kept
    assert server.store.ledger.meters == {made["id"]: made}


def test_an_answer_is_written_at_once(server):
    """One segment with head and body, so that no acknowledgement is waited for."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as talk:
        for _ in range(3):
            talk.sendall(head("GET"))
            said = talk.recv(65536)
            assert b'"object": "list"' in said


def test_a_chunked_body_is_put_together(server):
    """Extensions and trailers are left out; the next request on the connection is understood."""
    body = form(meter()).encode()
    chunks = [b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])]
    said = raw(
        server,
        head(Transfer_Encoding="chunked", Content_Type=FORM["Content-Type"]),
        *chunks,
        b"0\r\nX-Trailer: 1\r\n\r\n" + head("GET"),
    )
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert len(server.store.ledger.meters) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Length": "1048577"}, 413),
        ({"Content_Length": "-1"}, 400),
        ({"Content_Length": "ten"}, 400),
        ({"Content_Length": "9" * 5000}, 400),
        ({"Transfer_Encoding": "chunked"}, 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(server, headers, status):
    """Too large, or not what its headers promise; the connection ends."""
    said = raw(server, head(**headers), b"zz\r\n")
    assert said.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close" in said
    assert not len(server.log)


def test_a_refused_client_may_finish_its_sentence(server):
    """It gets to read the refusal, instead of a reset while it still sends."""
    size = 4 << 20
    said = raw(server, head(Content_Length=size), b"x" * size)
    assert said.startswith(b"HTTP/1.1 413 ")


def test_chunks_are_limited_together(server):
    """A body of many chunks is refused at the same size."""
    chunk = b"80000\r\n" + b"x" * 0x80000 + b"\r\n"
    said = raw(server, head(Transfer_Encoding="chunked"), chunk, chunk, b"1\r\nx", shut=False)
    assert said.startswith(b"HTTP/1.1 413 ")


def test_a_request_cut_off_inside_is_none(server):
    """A client that dies while it sends has asked nothing."""
    body = form(meter()).encode()
    assert raw(server, head(Content_Length=len(body)), body[:-3]) == b""
    assert not server.store.ledger.meters
    assert not len(server.log)


def test_json_is_ignored(connection):
    """As v1 does: the parameters are missing."""
    status, _, said = ask(
        connection, "POST", body=json.dumps(meter()), **{"Content-Type": "application/json"}
    )
    assert (status, said["error"]["code"]) == (400, "parameter_missing")


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
def test_a_form_that_means_nothing_is_a_400(connection, body):
    """Not UTF-8, one name in two ways, nested without end."""
    status, _, said = ask(connection, "POST", body=body)
    assert status == 400
    assert "Invalid request: " in said["error"]["message"]


@pytest.mark.parametrize("name", ["a[b", "a]b", "[a]", "a[b]c"])
def test_odd_brackets_are_an_unknown_name(connection, name):
    """Never a failure."""
    status, _, said = ask(connection, "POST", body=f"{name}=1")
    assert (status, said["error"]["code"]) == (400, "parameter_unknown")


def test_forms_carry_any_text(connection):
    """Percent-encoding, plus signs and UTF-8."""
    name = "Größe + 50 % & mehr = 漢字"
    assert ask(connection, "POST", body=form(meter(display_name=name)))[2]["display_name"] == name


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "BREW"])
def test_other_methods_are_a_404_of_the_api(connection, method):
    """As JSON, and the connection lives on."""
    assert ask(connection, method)[0] == 404
    assert ask(connection)[0] == 200


def test_head_has_no_body(server):
    """So that the next answer is not misread."""
    said = raw(server, head("HEAD"))
    assert said.startswith(b"HTTP/1.1 404 ")
    assert said.endswith(b"\r\n\r\n")
    assert b"Content-Length: 0" not in said


def test_nonsense_is_a_bad_request(server):
    """No traceback, no hang."""
    assert b"400" in raw(server, b"\x16\x03\x01 nonsense\r\n\r\n")
    assert b"404" in raw(server, head("GET", "http://[nowhere"))
    assert b"414" in raw(server, b"GET /" + b"x" * 70_000)


def test_a_client_that_hangs_up_is_no_failure(server, capfd):
    """Before, within and after a request; nothing is printed."""
    for part in (b"", b"GET /v1", head("GET")):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as talk:
            talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            talk.sendall(part)
    server.close()
    assert capfd.readouterr() == ("", "")


def test_binding_looks_no_name_up(monkeypatch):
    """It can take seconds where a name server does not answer."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("looked a name up"))
    with open_state() as store, Server(store) as served:
        assert served.url == f"http://127.0.0.1:{served.port}"


def test_closing_ends_idle_connections(server, connection):
    """A kept connection is ended, and nothing accepts another one."""
    ask(connection)
    server_port = server.port
    server.close()
    assert connection.sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server_port), timeout=5)
