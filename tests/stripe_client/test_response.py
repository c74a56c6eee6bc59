"""Typed errors, and undocumented responses."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from stripe_client.scripted import PATH, Scripted, error_of, http, refusal, scripted, to

from reconciler.diagnostics.errors import AuthError, Exit
from reconciler.stripe.errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    IdempotencyError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnexpectedAnswerError,
)
from reconciler.stripe.http.connection import Limits
from reconciler.stripe.retry import ATTEMPTS


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (refusal(400), InvalidRequestError, "S030"),
        (refusal(402), InvalidRequestError, "S030"),
        (refusal(401), AuthenticationError, "S003"),
        (refusal(403), PermissionDeniedError, "S004"),
        (refusal(404), NotFoundError, "S031"),
        (refusal(400, type="idempotency_error"), IdempotencyError, "S032"),
        (refusal(409), ConflictError, "S033"),
        (refusal(409, type="idempotency_error"), ConflictError, "S033"),
        (refusal(429), RateLimitError, "S034"),
        (refusal(400, code="rate_limit"), RateLimitError, "S034"),
        (refusal(500), ServerError, "S035"),
        (refusal(504), ServerError, "S035"),
        (http(404, "<html>lost</html>"), NotFoundError, "S031"),
        (http(400, {"error": "text"}), InvalidRequestError, "S030"),
        (http(400, {"error": {"message": 7, "code": []}}), InvalidRequestError, "S030"),
        (http(400, []), InvalidRequestError, "S030"),
    ],
)
def test_errors_are_typed(answer, error, code, clock):
    """The status decides, not the texts."""
    found, _ = error_of(clock, answer, method="post")
    assert (type(found), found.diagnostic.code, found.request_id) == (error, code, "req_1")
    assert "req_1" in str(found)
    denied = error in (AuthenticationError, PermissionDeniedError)
    assert found.exit_code == (Exit.DENIED if denied else Exit.FAILED)
    assert isinstance(found, AuthError) is denied


def test_an_error_carries_what_the_api_said(clock):
    error, _ = error_of(clock, refusal(400, "bad thing", code="parameter_unknown", param="foo"))
    assert (error.status, error.type) == (400, "invalid_request_error")
    assert (error.code, error.param, error.message) == ("parameter_unknown", "foo", "bad thing")


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ("Having the 'rak_plan_read' permission would allow this", "rak_plan_read"),
        ("Enabling \"Prices Read\" ('plan_read') permissions on this key", "plan_read"),
        ("Permission denied.", None),
    ],
)
def test_a_missing_permission_is_named(text, permission):
    assert PermissionDeniedError(text).permission == permission


HOSTILE = {
    "html": (http(200, "<html><h1>Login</h1></html>"), "S020"),
    "truncated json": (http(200, '{"id": "m'), "S020"),
    "not an object": (http(200, "[1, 2]"), "S020"),
    "not utf-8": (http(200, b'{"id": "\xff"}'), "S020"),
    "empty": (http(200, ""), "S020"),
    "no content": (b"HTTP/1.1 204 No Content\r\nRequest-Id: req_1\r\n\r\n", "S020"),
    "deep": (http(200, "[" * 100_000), "S020"),
    "long number": (http(200, '{"created": ' + "9" * 10_000 + "}"), "S020"),
    "compressed": (http(200, b"\x1f\x8b", Content_Encoding="gzip"), "S020"),
    "large": (http(200, "x" * 300_000), "S022"),
    "large and refused": (http(500, "x" * 300_000), "S022"),
    "redirect": (http(302, "", Location="http://127.0.0.1:9/"), "S023"),
    "permanent redirect": (http(308, "", Location="https://evil.example/"), "S023"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_undocumented_responses(name, clock):
    """The body is never quoted."""
    answer, code = HOSTILE[name]
    error, _ = error_of(clock, answer, limits=Limits(size=2**18))
    assert type(error) is UnexpectedAnswerError
    assert (error.diagnostic.code, error.request_id) == (code, "req_1")
    assert "<h1>" not in str(error)
    garbled = code == "S020" and name != "compressed"
    assert error.attempts == (ATTEMPTS if garbled else 1)


def drip(start: bytes, piece: bytes):
    """Bytes that come slowly, for longer than the deadline."""
    yield start
    for _ in range(100):
        time.sleep(0.002)
        yield piece
    yield None


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 ", b"O"),
    ],
    ids=["body", "chunks", "header", "status line"],
)
def test_a_slow_response_ends_with_the_deadline(start, piece, clock):
    error, asked = error_of(clock, drip(start, piece), limits=Limits(total=0.05))
    assert type(error) is ConnectionFailedError
    assert (error.diagnostic.code, len(asked)) == ("S012", 1)
    assert "not complete after 0.05 seconds" in error.message


def test_an_interrupted_response_has_its_request_id(clock):
    error, _ = error_of(clock, [http(200, "{", Content_Length="100"), None])
    assert (error.diagnostic.code, error.request_id) == ("S010", "req_1")
    assert error.attempts == ATTEMPTS


def test_a_slow_response_has_its_request_id(clock):
    start = b"HTTP/1.1 200 OK\r\nRequest-Id: req_1\r\nContent-Length: 9999\r\n\r\n{"
    error, _ = error_of(clock, drip(start, b" "), limits=Limits(total=0.1), method="post")
    assert (error.diagnostic.code, error.request_id, error.record.doubts) == ("S012", "req_1", 1)


def test_silence_is_a_timeout_and_retried(clock):
    silent = threading.Event()
    with (
        Scripted(lambda _: silent.wait(5) and None) as server,
        to(server, clock, limits=Limits(read=0.02)) as transport,
        pytest.raises(ConnectionFailedError) as caught,
    ):
        transport.get(PATH)
    silent.set()
    assert (caught.value.diagnostic.code, caught.value.attempts) == ("S010", ATTEMPTS)


def test_a_search_for_the_address_ends_with_the_deadline(clock, monkeypatch):
    """It has no timeout of its own, as where a name server does not respond."""
    over, ended = threading.Event(), []

    def search(*_, **__):
        ended.append(over.wait(10))
        raise OSError("no such host")

    with (
        Scripted(lambda _: http(200, {})) as server,
        to(server, clock, limits=Limits(total=0.05)) as transport,
    ):
        monkeypatch.setattr(socket, "getaddrinfo", search)
        with pytest.raises(ConnectionFailedError) as caught:
            transport.get(PATH)
        assert (ended, server.asked) == ([], [])  # it is abandoned
        over.set()
    assert caught.value.diagnostic.code == "S012"


SIZED = ("Content-Length: 2\r\n", "{}")
CHUNKED = ("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")  # read by http.client


@pytest.mark.parametrize("coding", ["", "Identity", "identity "])
@pytest.mark.parametrize(("framing", "body"), [SIZED, CHUNKED], ids=["sized", "chunked"])
def test_headers_are_read_without_case_and_spaces(framing, body, coding, clock):
    """In whatever way the head is read."""
    head = f"HTTP/1.1 200 OK\r\n{framing}Content-Encoding: {coding} \r\nRequest-Id: req_1 \r\n"
    with scripted(clock, f"{head}\r\n{body}".encode()) as (_, transport):
        reply = transport.get(PATH)
    assert (reply.body, reply.record.request_id) == ({}, "req_1")


@pytest.mark.parametrize("seconds", ["40", "1234567", "9" * 300])
def test_a_long_pause_is_shortened(seconds, clock):
    """However many digits it has."""
    asks = refusal(429, headers={"Retry-After": seconds})
    with scripted(clock, asks, http(200, {})) as (_, transport):
        transport.get(PATH)
    assert 30 <= max(clock.slept) <= 31


def test_texts_of_a_response_are_sanitized(clock):
    """No escape codes, no line breaks, no endless text; a malformed request id is dropped."""
    said = {"error": {"message": "\x1b[31mred\u202e\n" + "x" * 9999, "type": "t"}}
    error, _ = error_of(clock, http(400, said, Request_Id="req_\x1b[31m"))
    assert error.message.isprintable()
    assert len(error.message) <= 1000
    assert error.request_id is None
