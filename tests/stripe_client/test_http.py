"""HTTP of servers, gateways and proxies, also malformed; and where a key may be sent."""

from __future__ import annotations

import re

import pytest
from stripe_client.scripted import KEY, PATH, Scripted, error_of, http, refusal, scripted, to

from reconciler.diagnostics.errors import ServiceError
from reconciler.stripe.errors import ConnectionFailedError, UnexpectedAnswerError
from reconciler.stripe.http import check_base
from reconciler.stripe.transport import Transport

OK = http(200, {"id": "x"})
CHUNKED = b"HTTP/1.1 200 OK\r\nRequest-Id: req_1\r\nTransfer-Encoding: chunked\r\n\r\n"


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
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"not HTTP at all\r\n\r\n",
    ],
    ids=["cut", "no size", "negative size", "long header", "many headers", "status", "not HTTP"],
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


def test_bytes_after_a_response_are_not_the_next_response(clock):
    surplus = http(200, {"id": "x"}) + http(200, {"id": "smuggled"})
    with scripted(clock, surplus, OK) as (_, transport):
        assert [transport.get(PATH).body["id"] for _ in range(3)] == ["x"] * 3


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
