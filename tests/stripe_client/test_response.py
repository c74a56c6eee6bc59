"""What comes back: typed errors, and answers that were never promised."""

from __future__ import annotations

import threading
import time

import pytest
from stripe_client.scripted import PATH, Scripted, http, in_turn, refusal, to

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
    StripeError,
    UnexpectedAnswerError,
)
from reconciler.stripe.http import Limits
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
    """Status first, texts never; each has a stable code and the request id."""
    with (
        Scripted(in_turn(answer)) as server,
        to(server, clock) as transport,
        pytest.raises(StripeError) as caught,
    ):
        transport.post(PATH)
    assert type(caught.value) is error
    assert caught.value.diagnostic.code == code
    assert caught.value.request_id == "req_1"
    assert "req_1" in str(caught.value)
    denied = error in (AuthenticationError, PermissionDeniedError)
    assert caught.value.exit_code == (Exit.DENIED if denied else Exit.FAILED)
    assert isinstance(caught.value, AuthError) is denied


def test_an_error_carries_what_the_api_said(clock):
    """Status, type, code, param and message are the API's own."""
    answer = refusal(400, "bad thing", code="parameter_unknown", param="foo")
    with (
        Scripted(in_turn(answer)) as server,
        to(server, clock) as transport,
        pytest.raises(InvalidRequestError) as caught,
    ):
        transport.post(PATH)
    error = caught.value
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
    """Both wordings that are known of Stripe."""
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
def test_answers_that_were_never_promised(name, clock):
    """A clear error with a stable code and the request id; the body is never quoted."""
    answer, code = HOSTILE[name]
    with (
        Scripted(in_turn(answer)) as server,
        to(server, clock, limits=Limits(size=2**18)) as transport,
        pytest.raises(UnexpectedAnswerError) as caught,
    ):
        transport.get(PATH)
    assert caught.value.diagnostic.code == code
    assert caught.value.request_id == "req_1"
    assert "<h1>" not in str(caught.value)
    garbled = code == "S020" and name != "compressed"
    assert caught.value.attempts == (ATTEMPTS if garbled else 1)


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
def test_a_drip_ends_with_the_deadline(start, piece, clock):
    """However steadily it drips, and wherever: the deadline is that of the whole answer."""
    with (
        Scripted(lambda _: drip(start, piece)) as server,
        to(server, clock, limits=Limits(total=0.05)) as transport,
        pytest.raises(ConnectionFailedError, match=r"not complete after 0\.05 seconds") as caught,
    ):
        transport.get(PATH)
    assert caught.value.diagnostic.code == "S012"
    assert len(server.asked) == 1


def test_an_answer_that_breaks_off_has_its_request_id(clock):
    """As soon as the headers are there, the request can be found in Stripe's log."""
    broken = [http(200, "{", Content_Length="100"), None]
    with (
        Scripted(in_turn(broken)) as server,
        to(server, clock) as transport,
        pytest.raises(ConnectionFailedError) as caught,
    ):
        transport.get(PATH)
    assert (caught.value.diagnostic.code, caught.value.request_id) == ("S010", "req_1")
    assert caught.value.attempts == ATTEMPTS


def test_silence_is_a_timeout(clock):
    """Nothing comes at all: another try may help, and is made."""
    silent = threading.Event()

    def script(_):
        silent.wait(5)

    with (
        Scripted(script) as server,
        to(server, clock, limits=Limits(read=0.02)) as transport,
        pytest.raises(ConnectionFailedError) as caught,
    ):
        transport.get(PATH)
    silent.set()
    assert caught.value.diagnostic.code == "S010"
    assert caught.value.attempts == ATTEMPTS


def test_what_the_answer_says_is_made_fit_to_show(clock):
    """No escape codes, no line breaks, no endless text; a request id that is none is dropped."""
    answer = http(
        400,
        {"error": {"message": "\x1b[31mred\u202e\n" + "x" * 9999, "type": "t"}},
        Request_Id="req_\x1b[31m",
    )
    with (
        Scripted(in_turn(answer)) as server,
        to(server, clock) as transport,
        pytest.raises(InvalidRequestError) as caught,
    ):
        transport.get(PATH)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) <= 1000
    assert caught.value.request_id is None
