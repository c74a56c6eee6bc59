"""HTTP as servers, gateways and proxies really speak it, or break it."""

from __future__ import annotations

import re

import pytest
from stripe_client.scripted import KEY, PATH, Scripted, http, in_turn, refusal, to

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
    """And the line is in order for the next one."""
    answer = CHUNKED + b'5\r\n{"id"\r\n6;x=y\r\n: "x"}\r\n' + end
    with Scripted(in_turn(answer)) as server, to(server, clock) as transport:
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
def test_what_is_not_http_is_tried_again_and_then_named(broken, method, clock):
    """Nothing but our own error ever comes out, and a POST is in doubt for each of them."""
    with Scripted(in_turn([broken, None], OK)) as server, to(server, clock) as transport:
        record = getattr(transport, method)(PATH).record
    assert (record.attempts, record.doubts) == (2, 1)
    with (
        Scripted(in_turn([broken, None])) as server,
        to(server, clock) as transport,
        pytest.raises(ConnectionFailedError) as caught,
    ):
        getattr(transport, method)(PATH)
    assert caught.value.diagnostic.code == "S010"


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


def test_a_line_that_was_closed_between_two_requests_is_replaced(clock):
    """A server may end an idle connection: the next POST has the same key on a new one."""
    with Scripted(lambda _: [OK, None]) as server, to(server, clock) as transport:
        for n in range(20):
            transport.post(PATH, key=f"key-{n}")
    keys = [asked.headers["idempotency-key"] for asked in server.asked]
    assert list(dict.fromkeys(keys)) == [f"key-{n}" for n in range(20)]


def test_what_follows_an_answer_unasked_is_nobodys_answer(clock):
    """Bytes beyond the length that was stated."""
    surplus = http(200, {"id": "x"}) + http(200, {"id": "smuggled"})
    with Scripted(in_turn(surplus, OK)) as server, to(server, clock) as transport:
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
    """In seconds or until a date, by the gateway's own clock; half a minute at most."""
    with (
        Scripted(in_turn(refusal(503, headers=headers), OK)) as server,
        to(server, clock) as transport,
    ):
        transport.get(PATH)
    (slept,) = clock.slept
    assert slept == waited if waited else slept < 0.5


@pytest.mark.parametrize(("code", "rate"), [("rate_limit", 10.2), ("lock_timeout", 20), (None, 20)])
def test_a_429_without_a_reason_is_told_by_its_code(code, rate, clock):
    """Too fast, or a lock on the object; only the first slows the pace."""
    script = in_turn(refusal(429, **({"code": code} if code else {})), OK)
    with Scripted(script) as server, to(server, clock, rate_limit=20) as transport:
        transport.get(PATH)
        assert transport._rate_limiter.rate == pytest.approx(rate)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:hunter2@",
        "http://user:hun/ter2@host:1",
        "http://user:hunter2@host:port",
        "user:hunter2@host:port",
        "http://user:hunter2@ho st:1",
        "http://user:hunter2@[::1",
        "ftp://user:hunter2@host:1",
    ],
)
def test_a_proxy_that_cannot_be_one_is_our_error_and_keeps_its_password(proxy, clock, monkeypatch):
    """Whatever the library raises there: one try, and nothing of the address is quoted."""
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
