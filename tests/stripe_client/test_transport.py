"""One request over real HTTP: what is sent, what never is, and what is retried."""

from __future__ import annotations

import re
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from stripe_client.scripted import (
    KEY,
    PATH,
    Scripted,
    error_of,
    http,
    in_turn,
    refusal,
    scripted,
    to,
)

from reconciler import __version__
from reconciler.diagnostics.errors import ServiceError, StoppedError
from reconciler.stripe.errors import ConnectionFailedError, ServerError, StripeError
from reconciler.stripe.retry import ATTEMPTS
from reconciler.stripe.transport import Transport

OK = http(200, {"id": "x"})

# What is sent


def test_headers_of_every_request(clock):
    """No cookie, no compression."""
    with scripted(clock, http(200, {}, Set_Cookie="a=b")) as (server, transport):
        transport.get(PATH)
        transport.get(PATH)
    headers = server.asked[1].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["stripe-version"] == "2026-09-30.endive"
    assert headers["user-agent"].startswith(f"reconciler/{__version__} ")
    assert headers["accept-encoding"] == "identity"
    assert not {"cookie", "stripe-account", "stripe-context", "idempotency-key"} & set(headers)


def test_the_account_to_act_on(clock):
    options = {"stripe_account": "acct_2", "stripe_context": "org/acct_3"}
    with scripted(clock, OK, **options) as (server, transport):
        transport.get("/v1/account")
        transport.on_own_account().get("/v1/account")
    first, second = (asked.headers for asked in server.asked)
    assert (first["stripe-account"], first["stripe-context"]) == ("acct_2", "org/acct_3")
    assert (second.get("stripe-account"), second["stripe-context"]) == (None, "org/acct_3")


def test_parameters_nest_as_forms_do(clock):
    params = {"a": {"b": "ü & = +", "c": None}, "d": ["x", "y z"], "e": True, "f": 7}
    expected = {"a[b]": "ü & = +", "d[]": "y z", "e": "true", "f": "7"}
    with scripted(clock, OK) as (server, transport):
        transport.get(PATH, params)
        transport.post(PATH, params)
        transport.post(PATH)
    read, written, empty = server.asked
    assert read.params == written.params == expected
    assert "?" not in written.target
    assert "content-type" not in read.headers
    for posted in (written, empty):
        assert posted.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (empty.params, empty.headers["content-length"]) == ({}, "0")


def test_a_post_always_has_an_idempotency_key(clock):
    with scripted(clock, OK) as (server, transport):
        for key in ("mine", None, None):
            transport.post(PATH, key=key)
    first, second, third = (asked.headers["idempotency-key"] for asked in server.asked)
    assert first == "mine"
    assert second != third
    assert re.fullmatch(r"[0-9a-f-]{36}", second)


def test_netrc_and_proxies_do_not_reach_loopback(clock, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login evil password evil\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with scripted(clock, OK) as (server, transport):
        transport.get(PATH)
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_proxy_of_the_environment_is_used_elsewhere(clock, monkeypatch):
    """By a tunnel: the proxy never sees the key."""
    with Scripted(in_turn(http(403, "no tunnel"))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with (
            Transport(KEY, api_base="https://api.example", clock=clock) as transport,
            pytest.raises(ConnectionFailedError),
        ):
            transport.get(PATH)
    assert proxy.asked[0].method == "CONNECT"
    assert proxy.asked[0].target == "api.example:443"
    assert KEY not in str(proxy.asked)


def test_connections_are_kept_and_shared_by_threads(clock):
    connections = set()
    script = lambda _: connections.add(threading.get_ident()) or OK  # noqa: E731
    with Scripted(script) as server, to(server, clock) as transport, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: transport.get(PATH), range(80)))
    assert len(server.asked) == 80
    assert len(connections) <= 8


# What is never sent


@pytest.mark.parametrize("name", ["stripe_account", "stripe_context", "stripe_version"])
@pytest.mark.parametrize("value", ["", "acct_1\r\nX: y", "acct 1", "acct_é", "a" * 256])
def test_headers_cannot_be_broken_out_of(name, value, clock):
    with pytest.raises(ServiceError) as caught:
        Transport(KEY, clock=clock, **{name: value})
    assert caught.value.diagnostics[0].code == "S006"


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "ü", "a" * 256])
def test_an_idempotency_key_has_a_shape(key, clock):
    with scripted(clock, OK) as (server, transport), pytest.raises(ServiceError) as caught:
        transport.post(PATH, key=key)
    assert caught.value.diagnostics[0].code == "S006"
    assert not server.asked


# What is retried

CUT_OFF = [http(200, "{}", Content_Length="100"), None]
RETRIED = [
    (None, 200),
    (refusal(409), 200),
    (refusal(429), 200),
    (refusal(500), 200),
    (http(502, "<html>"), 200),
    (http(503, ""), 200),
    (http(200, "<html>"), 200),
    (http(200, '{"id": "x'), 200),
    (CUT_OFF, 200),
    (refusal(400, headers={"Stripe-Should-Retry": "true"}), 200),
    (refusal(400), 400),
    (refusal(401), 401),
    (refusal(403), 403),
    (refusal(404), 404),
    (refusal(500, headers={"Stripe-Should-Retry": "false"}), 500),
    (refusal(429, headers={"Stripe-Should-Retry": "false"}), 429),
    (refusal(500, headers={"Idempotent-Replayed": "true"}), 500),
]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("first", "status"), RETRIED)
def test_one_bad_response(method, first, status, clock):
    """A retry has the same idempotency key."""
    with scripted(clock, first, OK) as (server, transport):
        if status == 200:
            assert getattr(transport, method)(PATH).record.attempts == 2
        else:
            with pytest.raises(StripeError) as caught:
                getattr(transport, method)(PATH)
            assert (caught.value.status, caught.value.attempts) == (status, 1)
    keys = {asked.headers.get("idempotency-key") for asked in server.asked}
    assert len(keys) == 1
    assert len(server.asked) == (2 if status == 200 else 1)
    assert len(clock.slept) == len(server.asked) - 1


def test_attempts_end_with_the_last_error(clock):
    error, asked = error_of(clock, refusal(500, "sorry"))
    assert (type(error), error.message) == (ServerError, "sorry")
    said = f"Stripe returned HTTP 500 for GET {PATH} after 5 attempts (request req_1)"
    assert error.diagnostic.message == said
    assert error.attempts == len(asked) == len(clock.slept) + 1 == ATTEMPTS


FINAL = refusal(500, headers={"Stripe-Should-Retry": "false"})
TOO_FAST = {"code": "rate_limit", "headers": {"Stripe-Should-Retry": "false"}}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([FINAL], f"Stripe returned HTTP 500 for GET {PATH} (request req_1)"),
        (
            [refusal(500), FINAL],
            f"Stripe returned HTTP 500 for GET {PATH} after 2 attempts (request req_1)",
        ),
        ([refusal(429, "slow down", **TOO_FAST)], "slow down (request req_1)"),
        (
            [refusal(429), refusal(429, "slow down", **TOO_FAST)],
            "still rate-limited after 2 attempts (request req_1)",
        ),
        (
            [refusal(429), refusal(429, "locked", **TOO_FAST | {"code": "lock_timeout"})],
            "locked after 2 attempts (request req_1)",
        ),
    ],
)
def test_attempts_are_counted_if_there_were_several(answers, said, clock):
    error, _ = error_of(clock, *answers)
    assert error.diagnostic.message == said


def test_a_post_is_repeated_only_while_its_caller_agrees(clock):
    """Asked before each attempt but the first, with the record of those before, after the wait."""
    asked = []

    def may_retry(record):
        asked.append((record.attempts, record.status, record.doubts, len(clock.slept)))
        return len(asked) < 3

    with scripted(clock, refusal(503)) as (server, transport), pytest.raises(ServerError) as caught:
        transport.post(PATH, may_retry=may_retry)
    assert (caught.value.attempts, len(server.asked)) == (3, 3)
    assert [(attempts, status, doubts) for attempts, status, doubts, _ in asked] == [
        *((1, 503, 1), (2, 503, 2), (3, 503, 3)),
    ]
    assert [waits for *_, waits in asked] == [1, 2, 3]


def test_an_outage_uses_up_the_retries(clock):
    """Not four retries for each of forty calls."""
    with scripted(clock, refusal(500)) as (server, transport):
        for _ in range(40):
            with pytest.raises(ServerError):
                transport.get(PATH)
    assert len(server.asked) == 40 + 50


def test_a_service_that_fails_at_times_is_still_used(clock):
    script = lambda asked: refusal(500) if asked.number % 3 == 0 else OK  # noqa: E731
    with Scripted(script) as server, to(server, clock) as transport:
        for _ in range(200):
            transport.get(PATH)
    assert len(server.asked) >= 200 + 90


def test_a_refused_connection_is_named(clock):
    """With the address and the reason, without the wrappings of libraries."""
    with Scripted(in_turn(OK)) as server:
        pass
    with to(server, clock) as transport, pytest.raises(ConnectionFailedError) as caught:
        transport.get(PATH)
    assert caught.value.diagnostic.code == "S010"
    assert caught.value.message == f"no response from {server.url}: Connection refused"
    assert caught.value.status is None


@pytest.mark.parametrize(
    ("said", "code", "attempts"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "S011", 1), (b"", "S010", 5)],
    ids=["not TLS", "ended"],
)
def test_a_server_without_tls_gets_nothing(said, code, attempts, clock, monkeypatch):
    """One that only ends the connection, as while it is shut down, is tried again."""
    heard = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            heard.append(self.request.recv(4096))
            self.request.sendall(said)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        base = f"https://127.0.0.1:{server.server_address[1]}"
        with (
            Transport(KEY, api_base=base, clock=clock) as transport,
            pytest.raises(ConnectionFailedError) as caught,
        ):
            transport.get(PATH)
        server.shutdown()
    assert (caught.value.diagnostic.code, caught.value.attempts) == (code, attempts)
    assert len(heard) == attempts
    assert KEY.encode() not in b"".join(heard)


# Stopping and pacing


def test_a_stopped_run_sends_nothing(clock):
    with scripted(clock, OK, stopped=lambda: True) as (server, transport):
        with pytest.raises(StoppedError):
            transport.post(PATH)
        assert not server.asked


@pytest.mark.parametrize(("method", "error"), [("get", StoppedError), ("post", ServerError)])
def test_a_stop_ends_the_retries(method, error, clock):
    """A write that was sent ends with its last error: it may have had its effect."""
    with (
        Scripted(in_turn(refusal(500))) as server,
        to(server, clock, stopped=lambda: bool(server.asked)) as transport,
        pytest.raises(error),
    ):
        getattr(transport, method)(PATH)
    assert len(server.asked) == 1


def test_requests_are_paced(clock):
    """Twenty a second after a burst of five."""
    with scripted(clock, OK, rate_limit=20) as (_, transport):
        for _ in range(25):
            transport.get(PATH)
    assert clock.monotonic() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("more", "rate"),
    [
        ({"headers": {"Stripe-Rate-Limited-Reason": "global-rate"}}, 10.2),
        ({"code": "rate_limit"}, 10.2),
        ({"code": "lock_timeout"}, 20),
        ({}, 20),
    ],
)
def test_a_rejection_by_the_rate_limit_slows_down(more, rate, clock):
    """Not one by a lock; successful requests raise the rate again."""
    with scripted(clock, refusal(429, **more), OK, rate_limit=20) as (_, transport):
        transport.get(PATH)
        assert transport._rate_limiter._bucket.rate == pytest.approx(rate)
        for _ in range(60):
            transport.get(PATH)
        assert transport._rate_limiter._bucket.rate == 20
